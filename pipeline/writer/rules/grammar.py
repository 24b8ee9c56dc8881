"""The camera's grammar: framing, angle, move, and who is seen, for every take. Times are given, never made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.contracts import Analysis, Angle, CameraMove, Framing, SceneDraft, ShotDraft, Take

from .actions import capitalised, feeling, inverted, manner, sentence, speaking, the, view
from .lexicon import ARRIVE, SPEECH_VERBS, singular
from .mentions import Finder
from .tokens import FUNCTION

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_PRONOUN = re.compile(r"\b(he|she|I|him|her|his)\b", re.IGNORECASE)
_EVERYBODY = re.compile(r"\b(?:they|them|everybody|everyone|together|all of them|we|us)\b", re.IGNORECASE)
_ME, _MY = re.compile(r"\bme\b"), re.compile(r"\bmy\b")
_SUBJECTS = 4
# What to cut to where a framing would repeat: first what fits a talk, then what fits a telling.
_INSTEAD: dict[Framing, tuple[Framing, ...]] = {
    "wide": ("medium", "close_up"),
    "medium": ("close_up", "over_shoulder", "wide"),
    "close_up": ("medium", "over_shoulder", "wide"),
    "over_shoulder": ("close_up", "medium"),
    "insert": ("medium", "close_up"),
}
_TALK: tuple[Framing, ...] = ("medium", "over_shoulder", "close_up", "over_shoulder")
_UP = re.compile(
    r"\b(?:looked|gazed|stared|climbed|flew|rose|soared) up\b|\b(?:towered|soared|sky above|overhead)\b", re.I
)
_DOWN = re.compile(
    r"\b(?:looked|gazed|stared|climbed|fell|sank|bent|slid|knelt) down\b|\b(?:fell|tumbled|knelt)\b", re.I
)
_GRAND = re.compile(r"\b(?:giant|king|queen|dragon|huge|enormous|tower(?:ed)?|roared|mighty|proud)\b", re.I)
_SMALL = re.compile(r"\b(?:tiny|alone|lost|small|lonely|far below|helpless|trembl\w+)\b", re.I)


@dataclass
class _State:
    """What the camera remembers from take to take within a scene."""

    previous: Framing | None
    move: CameraMove = "hold"
    focal: str | None = None
    speaker: str | None = None
    partner: str | None = None
    talk: int = 0
    pans: int = 0


class _Camera:
    def __init__(self, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, previous: Framing | None) -> None:
        self._scene = scene
        self._takes = takes
        self._finder = Finder(analysis)
        self._props = {one.name for one in analysis.props}
        self._teller = next((one.name for one in analysis.characters if "I" in one.aliases), None)
        self._state = _State(previous)

    def shots(self) -> tuple[ShotDraft, ...]:
        return tuple(self._shot(index, take) for index, take in enumerate(self._takes))

    def _shot(self, index: int, take: Take) -> ShotDraft:
        if take.kind == "dialogue" and take.speaker in self._finder.people:
            shot = self._talk(index, take, take.speaker)
        else:
            shot = self._telling(index, take)
        self._state.previous, self._state.move = shot.framing, shot.move
        return shot

    # --- speech --------------------------------------------------------------------------------------

    def _talk(self, index: int, take: Take, speaker: str) -> ShotDraft:
        state = self._state
        listener = self._listener(index, take, speaker)
        how = self._manner(index)
        emphatic = how in ("whispers", "shouts") or feeling(take.text) is not None
        framing: Framing = "close_up" if emphatic else _TALK[state.talk % len(_TALK)]
        if index == 0:
            framing = "wide"
        if framing == "over_shoulder" and listener is None:
            framing = "medium"
        framing = self._varied(framing, alone=listener is None)
        state.talk += 1
        state.focal, state.speaker, state.partner = speaker, speaker, listener
        together = listener is not None and framing != "close_up"
        subjects: tuple[str, ...] = (speaker, listener) if together and listener else (speaker,)
        if framing == "wide":
            subjects = self._with_others(subjects)
        move: CameraMove = "push_in" if framing == "close_up" and state.move == "hold" else "hold"
        if index == 0:
            move = "push_in"
        angle = self._angle(take.text, speaker, talk=True)
        return ShotDraft(
            framing=framing,
            angle=angle,
            move=move,
            subjects=tuple(dict.fromkeys(subjects)),
            action=speaking(speaker, listener, take.text, how),
        )

    def _listener(self, index: int, take: Take, speaker: str) -> str | None:
        state = self._state
        addressed = [
            name
            for name, start, end in self._finder.mentions(take.text)
            if _is_called(take.text, start, end) and name != speaker
        ]
        following = [one.speaker for one in self._takes[index + 1 : index + 4] if one.kind == "dialogue"]
        earlier = [state.speaker if state.speaker != speaker else state.partner]
        others = [name for name in self._scene.characters if name != speaker]
        for name in (*addressed, *earlier, *following, *others):
            if name is not None and name != speaker and name in self._finder.people:
                return name
        return None

    def _manner(self, index: int) -> str | None:
        """From the tag right after the speech."""
        following = self._takes[index + 1] if index + 1 < len(self._takes) else None
        if following is None or following.kind != "narration" or not _is_tag(following.text):
            return None
        return manner(following.text[:60])

    # --- telling -------------------------------------------------------------------------------------

    def _telling(self, index: int, take: Take) -> ShotDraft:
        named = self._seen(take.text)
        things = [name for name in self._finder.props(take.text) if name in self._props]
        focal, action = self._action(take.text, named)
        people = list(dict.fromkeys(([focal] if focal else []) + named))[:_SUBJECTS]
        if not people and _EVERYBODY.search(take.text):
            lately = (self._state.focal, self._state.partner)
            people = list(self._with_others(tuple(name for name in lately if name)))
        framing = self._varied(
            self._framing(index, take, people, things), alone=len(people) < 2, empty=not people, thing=bool(things)
        )
        subjects: tuple[str, ...]
        if framing == "insert":
            subjects = (*things[:1], *people[:1])
        elif framing == "close_up" and people:
            subjects = (people[0],)
        else:
            subjects = (*people, *things[:2])
            if index == 0 and not people:
                subjects = self._with_others(())
        if people:
            self._state.focal = people[0]
            self._state.talk = 0 if not _is_tag(take.text) else self._state.talk
        look = feeling(take.text)
        if look and people and "looking" not in action and framing != "insert":
            action = f"{action}, looking {look}"
        move = self._move(index, take.text, framing, bool(people))
        return ShotDraft(
            framing=framing,
            angle=self._angle(take.text, focal, talk=False),
            move=move,
            subjects=tuple(dict.fromkeys(subjects)),
            action=action,
        )

    def _with_others(self, subjects: tuple[str, ...]) -> tuple[str, ...]:
        rest = [name for name in self._scene.characters if name not in subjects]
        return (*subjects, *rest)[: _SUBJECTS - 1]

    def _seen(self, text: str) -> list[str]:
        """Who is in the picture: those named, then whom a pronoun means (the focal figure whose gender fits)."""
        named = self._finder.characters(text)
        for match in _PRONOUN.finditer(text):
            who = self._meant(match[1].lower(), named, text[: match.end() + 20])
            if who is not None and who not in named:
                named.append(who)
        return named

    def _meant(self, pronoun: str, named: Sequence[str], text: str = "") -> str | None:
        wanted = {"he": "male", "him": "male", "his": "male", "she": "female", "her": "female"}.get(pronoun)
        state, people = self._state, self._finder.people
        order = [*named[:1], state.focal, state.speaker, state.partner, *self._scene.characters]
        if pronoun == "i":
            return self._teller
        if _is_tag(text) and pronoun in ("he", "she") and state.speaker in people:
            speaker = people[state.speaker or ""]
            if speaker.gender in (wanted, "neutral"):
                return speaker.name
        if wanted is None:
            return None
        known = [name for name in order if name is not None and name in people]
        exact = [name for name in known if people[name].gender == wanted]
        open_ = [name for name in known if people[name].gender == "neutral"]
        return next(iter(exact or open_), None)

    def _action(self, text: str, named: Sequence[str]) -> tuple[str | None, str]:
        """The focal figure and the sentence of what it does; a place to look at where nobody acts."""
        spots = [(start, end, name) for name, start, end in self._finder.mentions(text)]
        for match in _PRONOUN.finditer(text):
            if match[1].lower() in {"he", "she", "i"}:
                who = self._meant(
                    match[1].lower(),
                    [name for _, end, name in sorted(spots) if end <= match.start()][-1:],
                    text[: match.end() + 20],
                )
                if who is not None:
                    spots.append((match.start(), match.end(), who))
        for start, end, name in sorted(spots):
            action = sentence(text, name, start, end) or inverted(text, name, start)
            if action is not None:
                return name, self._in_third_person(action, name)
        if _is_tag(text):
            teller = sorted(spots)[0][2] if spots else self._state.speaker
            if teller is not None:
                return teller, capitalised(f"{teller} {_tag_verb(text)}")
        if spots or named:
            name = named[0] if named else sorted(spots)[0][2]
            return name, capitalised(f"{name} is at {the(self._scene.set_name)}")
        return None, view(text, self._scene.set_name)

    def _in_third_person(self, action: str, actor: str) -> str:
        """The teller of the story by name: "Anna sits down across from me" → "… from Davy"."""
        if self._teller is None:
            return action
        mine, me = ("their own", "themselves") if actor == self._teller else (f"{self._teller}'s", self._teller)
        return _ME.sub(me, _MY.sub(mine, action))

    def _framing(self, index: int, take: Take, people: Sequence[str], things: Sequence[str]) -> Framing:
        words = [match[0].lower() for match in _WORD.finditer(take.text)]
        if index == 0:
            return "wide"
        closing = index == len(self._takes) - 1  # the next scene opens wide
        if things and self._state.previous != "insert" and self._on_thing(words, things[0], people):
            return "insert"
        if not people:
            return "medium" if closing else "wide"
        if _is_tag(take.text):
            return "close_up" if self._state.previous != "close_up" else "medium"
        if (len(people) > 2 or ARRIVE.intersection(words[:12])) and not closing:
            return "wide"
        return "close_up" if feeling(take.text) else "medium"

    def _on_thing(self, words: Sequence[str], thing: str, people: Sequence[str]) -> bool:
        """A thing is what the take is about: nobody is there, or it comes early and somebody handles it."""
        where = next((at for at, word in enumerate(words) if thing in (word, singular(word))), None)
        return where is not None and (not people or (where <= 9 and len(words) <= 40))

    def _varied(self, framing: Framing, *, alone: bool, empty: bool = False, thing: bool = False) -> Framing:
        if empty and framing == self._state.previous:
            return "insert" if thing and framing != "insert" else "wide" if framing == "medium" else "medium"
        if framing != self._state.previous:
            return framing
        choices = [one for one in _INSTEAD[framing] if not (alone and one == "over_shoulder")]
        return choices[0]

    def _angle(self, text: str, focal: str | None, *, talk: bool) -> Angle:
        person = self._finder.people.get(focal or "")
        about = f"{person.name} {person.appearance}" if person is not None else ""
        if _GRAND.search(text) or (_GRAND.search(about) and self._state.talk % 3 == 1):
            return "low"
        if _SMALL.search(text) and not talk:
            return "high"
        return "eye"

    def _move(self, index: int, text: str, framing: Framing, populated: bool) -> CameraMove:
        state = self._state
        words = [match[0].lower() for match in _WORD.finditer(text)]
        if _UP.search(text):
            return "tilt_up"
        if populated and _DOWN.search(text) and framing != "close_up":
            return "tilt_down"
        if index and index == len(self._takes) - 1 and framing in ("wide", "medium"):
            return "pull_out"
        if framing in ("wide", "medium") and (ARRIVE.intersection(words[:12]) or (framing == "wide" and not populated)):
            state.pans += 1
            return "pan_right" if state.pans % 2 else "pan_left"
        if index == 0:
            return "push_in"
        wanted: CameraMove = "hold" if _is_tag(text) else "push_in"
        return "hold" if wanted == state.move else wanted


def _is_called(text: str, start: int, end: int) -> bool:
    """Whether a name is spoken to: marks or the text's edges on both sides."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    return (not before or before[-1] in ",.!?;:—…") and (not after or after[0] in ",.!?;:—…")


def _is_tag(text: str) -> bool:
    """Whether narration begins as the tail of a speech: "said Tom", "she whispered"."""
    lows = [match[0].lower() for match in _WORD.finditer(text[:60])]
    return (
        bool(SPEECH_VERBS.intersection(lows[:4]))
        and len(text) < 90
        and (
            text[:1].islower()
            or lows[0] in {"he", "she", "they", "it", "i"}
            or (lows[1:2] != [] and lows[1] in SPEECH_VERBS and lows[0] not in FUNCTION)
        )
    )


def _tag_verb(text: str) -> str:
    how = manner(text[:60])
    return {
        "asks": "waits for an answer",
        "whispers": "whispers",
        "shouts": "calls out",
        "laughs": "laughs",
        "sighs": "sighs",
    }.get(how or "", "speaks")


def shots(
    scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, *, previous: Framing | None = None
) -> tuple[ShotDraft, ...]:
    """One shot per take; `previous` is the framing that the scene before ended with."""
    return _Camera(scene, takes, analysis, previous).shots()
