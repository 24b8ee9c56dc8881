"""A little story, who and what is in it, and right answers to the writer's questions about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.contracts import Analysis, CharacterDraft, PropDraft, SegmentDraft, SetDraft, Take
from pipeline.writer.llm.answers import people
from pipeline.writer.llm.script import faithful

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.txt"))
STORY = """Mira ran down to the harbour at dawn. The fisherman Tomas was mending his net.

"Have you seen my bell?" asked Mira. "It is gone."

"I heard it ring in the forest," said Tomas.

At night Mira walked into the forest with a lantern."""
CAST = Analysis(
    language="en",
    characters=(CharacterDraft(name="Mira", aliases=("the girl",)), CharacterDraft(name="Tomas")),
    sets=(SetDraft(name="Harbour"), SetDraft(name="Forest")),
    props=(PropDraft(name="lantern"),),
)
ANSWER: list[dict[str, Any]] = [
    {"kind": "narration", "speaker": "", "text": "Mira ran down to the harbour at dawn."},
    {"kind": "narration", "speaker": "", "text": "The fisherman Tomas was mending his net."},
    {"kind": "dialogue", "speaker": "Mira", "text": "Have you seen my bell?"},
    {"kind": "narration", "speaker": "", "text": "asked Mira."},
    {"kind": "dialogue", "speaker": "the girl", "text": "It is gone."},
    {"kind": "dialogue", "speaker": "tomas", "text": "I heard it ring in the forest,"},
    {"kind": "narration", "speaker": "", "text": "said Tomas."},
    {"kind": "narration", "speaker": "", "text": "At night Mira walked into the forest with a lantern."},
]


def script_of(answer: list[dict[str, Any]], story: str = STORY) -> tuple[SegmentDraft, ...]:
    return faithful(story, {"segments": answer}, people(CAST), "en")


def analysis_answer(**change: Any) -> dict[str, Any]:
    character = CharacterDraft(name="Mira", appearance="a girl in a blue coat").model_dump(mode="json")
    return {
        "language": "en",
        "characters": [character],
        "sets": [SetDraft(name="Harbour").model_dump(mode="json")],
        "props": [],
    } | change


SEGMENTS = script_of(ANSWER)
TAKES = tuple(
    Take(index=at, kind=one.kind, speaker=one.speaker, text=one.text, start_ms=at * 3000, end_ms=at * 3000 + 3000)
    for at, one in enumerate(SEGMENTS)
)
SHOT: dict[str, Any] = {
    "take": 0,
    "framing": "wide",
    "angle": "eye",
    "move": "hold",
    "subjects": ["Mira"],
    "action": "Mira runs.",
}
