"""A simulated language model that has read the story: it answers the writer's questions as the built-in writer would.

It sees what a provider sees, the words of the question, and takes from there what it is asked about.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pipeline.contracts import Analysis, SceneDraft, SegmentDraft, Take
from pipeline.writer.rules import RulesWriter
from tests.simulator import ChatRequest

_MATERIAL = re.compile(r"<(?P<mark>\w+-[0-9a-f]{10})>\n(?P<text>.*?)\n</(?P=mark)>", re.DOTALL)
_LINE = re.compile(r"^(\d+)\. (?:\((\d+\.\d) s\) )?(.*)$")


def material(prompt: str, label: str) -> str:
    """What stands between the marks of this label; empty if there are none."""
    found = [match for match in _MATERIAL.finditer(prompt) if match["mark"].startswith(f"{label}-")]
    return found[0]["text"] if found else ""


def _question(request: ChatRequest) -> str:
    """Which question it is, by what the answer is to hold: not every provider is told the schema's name."""
    wanted = set((request.schema or {}).get("properties", {}))
    named = {"story": "story", "places": "looks", "characters": "analysis", "segments": "script"}
    return next(
        (
            named.get(one, one)
            for one in ("story", "places", "characters", "segments", "scenes", "shots")
            if one in wanted
        ),
        "",
    )


class Answering:
    """A responder for `Simulator.respond("chat", ...)`; `asked` counts questions by their purpose."""

    def __init__(self, story: str, *, language: str = "en") -> None:
        self.rules = RulesWriter()
        self.analysis: Analysis = self.rules.analyse(story, language=language)
        self.asked: dict[str, int] = {}
        self.story = story

    def __call__(self, request: ChatRequest) -> Any:
        name = _question(request)
        self.asked[name] = self.asked.get(name, 0) + 1
        answer = getattr(self, f"_{name}", None)
        return answer(request.prompt) if answer else None

    def _story(self, prompt: str) -> dict[str, Any]:
        return {"title": "The Bell", "story": self.story}

    def _looks(self, prompt: str) -> dict[str, Any]:
        return {"places": []}

    def _analysis(self, prompt: str) -> dict[str, Any]:
        return json.loads(self.analysis.model_dump_json())

    def _script(self, prompt: str) -> dict[str, Any]:
        segments = self.rules.script(material(prompt, "story"), self.analysis)
        return {"segments": [{"kind": one.kind, "speaker": one.speaker or "", "text": one.text} for one in segments]}

    def _scenes(self, prompt: str) -> dict[str, Any]:
        segments = [self._segment(line) for line in material(prompt, "script").splitlines() if _LINE.match(line)]
        scenes = self.rules.scenes(segments, self.analysis)
        return {"scenes": [self._scene(one) for one in scenes]}

    def _segment(self, line: str) -> SegmentDraft:
        text = _LINE.match(line)[3]  # type: ignore[index]
        who = next((one.name for one in self.analysis.characters if text.startswith(f"{one.name}: ")), None)
        spoken = text.removeprefix(f"{who}: ") if who else text
        return SegmentDraft(kind="dialogue" if who else "narration", text=spoken, speaker=who)

    @staticmethod
    def _scene(one: SceneDraft) -> dict[str, Any]:
        names = {"characters": list(one.characters), "props": list(one.props)}
        return {**one.model_dump(exclude={"last_segment", "characters", "props"}), **names}

    def _shots(self, prompt: str) -> dict[str, Any]:
        takes = []
        start = 0
        for line in material(prompt, "takes").splitlines():
            if not (found := _LINE.match(line)):
                continue
            end = start + round(float(found[2]) * 1000)
            who = next(
                (one.name for one in self.analysis.characters if found[3].startswith(f"{one.name} says: ")), None
            )
            text = found[3].removeprefix(f"{who} says: ") if who else found[3]
            kind = "dialogue" if who else "narration"
            takes.append(Take(index=len(takes), kind=kind, speaker=who, text=text, start_ms=start, end_ms=end))
            start = end
        people = tuple(one.name for one in self.analysis.characters)
        scene = SceneDraft(
            first_segment=0, last_segment=0, title="", set_name=self.analysis.sets[0].name, characters=people
        )
        shots = self.rules.shots(scene, takes, self.analysis)
        return {
            "shots": [
                {"take": at, **one.model_dump(exclude={"subjects"}), "subjects": list(one.subjects)}
                for at, one in enumerate(shots)
            ]
        }
