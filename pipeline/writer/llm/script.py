"""The script by a language model: faithful, where the model only says where to cut and who speaks, or adapted.

Hides how a faithful answer is held against the story: its words are matched with the story's, and the text of every
segment is then taken from the story itself, so nothing can be left out, invented or altered, whatever was answered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from pipeline.contracts import Analysis, SegmentDraft, SegmentKind
from pipeline.prompts import writing
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.answers import SCRIPT, Names, cast_list, people, plain
from pipeline.writer.llm.desk import Desk
from pipeline.writer.llm.windows import windows
from pipeline.writer.protocol import WriterFault, check_script
from pipeline.writer.rules.sentences import PIECE, pieces

WINDOW = 6_000
BEFORE = 500  # characters of what came before that are shown for the sense
LONGEST_SPEAKER = 60
# A faithful answer may differ from the story in this share of its words (a mended typo, a joined word) and in no run of
# words longer than this; the story's own words are used anyway.
MOST_DIFFERENT = 0.02
LONGEST_RUN = 2
ADAPTED_SHARE = (0.2, 1.5)  # of the source's length
_DENSE = 0x2E80
_OPENERS = "“„«‹「『〝‘([{¿¡"
_DASHES = "—–―-"
_MARKS = ' \t\n\r"“”„«»‹›「」『』〝〞'


@dataclass(frozen=True)
class _Line:
    """One segment of an answer; `words` are compared with the story's."""

    kind: SegmentKind
    speaker: str | None
    text: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Word:
    said: str
    start: int
    end: int


def script(desk: Desk, story: str, analysis: Analysis, mode: str) -> tuple[SegmentDraft, ...]:
    """The segments of a text, in windows. `mode` is faithful or adapt."""
    segments: list[SegmentDraft] = []
    for start, end in windows(story, WINDOW):
        text = story[start:end]
        if any(char.isalnum() for char in text):
            part = _ask(desk, text, story[max(0, start - BEFORE) : start], analysis, mode)
            segments += [one.model_copy(update={"start": one.start + start, "end": one.end + start}) for one in part]
    return tuple(segments)


def _ask(desk: Desk, text: str, before: str, analysis: Analysis, mode: str) -> tuple[SegmentDraft, ...]:
    adapt = mode == "adapt"
    prompt = writing.question(
        "script_adapt" if adapt else "script_faithful",
        characters=cast_list(analysis.characters),
        before=writing.question("before", before=writing.material("before", before.strip())) + "\n"
        if before.strip()
        else "",
        story=writing.material("story", text),
    )
    speakers = people(analysis)

    def read(data: dict[str, Any]) -> tuple[SegmentDraft, ...]:
        return adapted(text, data, speakers) if adapt else faithful(text, data, speakers, analysis.language)

    return desk.ask("script", prompt, SCRIPT, read, most_tokens=16_000)


def _lines(data: Mapping[str, Any], speakers: Names) -> list[_Line]:
    lines = []
    for one in data["segments"]:
        text = one["text"]
        said = tuple(word.said for word in words_of(text))
        if said:
            lines.append(_Line(one["kind"], _speaker(one, speakers), text, said))
    if not lines:
        raise BadAnswer("The script has no segments; cut the whole text into segments.")
    return lines


def _speaker(one: Mapping[str, Any], speakers: Names) -> str | None:
    if one["kind"] != "dialogue":
        return None
    name = plain(one["speaker"], LONGEST_SPEAKER).strip(" .,:;\"'“”")
    if not any(char.isalnum() for char in name):
        return None
    return speakers.find(name) or name


def words_of(text: str) -> list[_Word]:
    """The words of a text as they are compared: without case, accents, marks; one per sign where none are spaced."""
    words: list[_Word] = []
    said, start, end = "", 0, 0
    for at, char in enumerate(text):
        plain_form = "".join(sign for sign in unicodedata.normalize("NFKD", char).casefold() if sign.isalnum())
        dense = ord(char) >= _DENSE
        joins = bool(said) and (unicodedata.category(char) in ("Mn", "Mc") or char in "'’")
        if joins:
            continue
        if said and (not plain_form or dense):
            words.append(_Word(said, start, end))
            said = ""
        if plain_form:
            start = start if said else at
            said, end = said + plain_form, at + 1
            if dense:
                words.append(_Word(said, start, end))
                said = ""
    if said:
        words.append(_Word(said, start, end))
    return words


# --- Faithful ----------------------------------------------------------------------------------------


def faithful(story: str, data: Mapping[str, Any], speakers: Names, language: str) -> tuple[SegmentDraft, ...]:
    """The answer's segments in the story's own words. Raises BadAnswer saying what was left out, added or moved."""
    lines = _lines(data, speakers)
    words = words_of(story)
    firsts = _first_words(words, lines, story)
    cuts = [0, *(_between(story, words[first - 1], words[first]) for first in firsts[1:]), len(story)]
    segments: list[SegmentDraft] = []
    for line, start, end in zip(lines, cuts, cuts[1:], strict=False):
        for piece_start, piece_end in _pieces(story, start, end, language):
            text = spoken(story[piece_start:piece_end], line.kind)
            segments.append(
                SegmentDraft(kind=line.kind, text=text, speaker=line.speaker, start=piece_start, end=piece_end)
            )
    try:
        check_script(story, segments)
    except WriterFault as fault:
        raise BadAnswer(fault.detail) from None
    return tuple(segments)


def _first_words(words: Sequence[_Word], lines: Sequence[_Line], story: str) -> list[int]:
    """For each line the place of its first word among the story's."""
    told = [word.said for word in words]
    answered = [(said, at) for at, line in enumerate(lines) for said in line.words]
    same = [said for said, _ in answered] == told
    matcher = SequenceMatcher(None, told, [said for said, _ in answered], autojunk=False)
    steps = [("equal", 0, len(told), 0, len(told))] if same else matcher.get_opcodes()
    _refuse_changes(steps, words, answered, lines, story)
    first: dict[int, int] = {}
    for step, a, a_end, b, _ in steps:
        for shift in range(a_end - a) if step == "equal" else ():
            first.setdefault(answered[b + shift][1], a + shift)
    for at, line in enumerate(lines):
        if at not in first:
            raise BadAnswer(f"Segment {at} ({plain(line.text, 80)!r}) is not in the text; copy its words exactly.")
    return [0 if at == 0 else first[at] for at in range(len(lines))]


def _refuse_changes(
    steps: Sequence[tuple[str, int, int, int, int]],
    words: Sequence[_Word],
    answered: Sequence[tuple[str, int]],
    lines: Sequence[_Line],
    story: str,
) -> None:
    different = 0
    for step, a, a_end, b, b_end in steps:
        if step == "equal":
            continue
        different += max(a_end - a, b_end - b)
        if a_end - a > LONGEST_RUN:
            missing = plain(story[words[a].start : words[a_end - 1].end], 200)
            raise BadAnswer(f"The script leaves out or alters this part of the text: {missing!r}. Copy every word.")
        if b_end - b > LONGEST_RUN:
            line = lines[answered[b][1]]
            raise BadAnswer(
                f"Segment {answered[b][1]} ({plain(line.text, 120)!r}) has words that are not in the text there."
            )
    if different > max(LONGEST_RUN, MOST_DIFFERENT * len(words)):
        raise BadAnswer(f"{different} words differ from the text. Copy it word for word, in order.")


def _between(story: str, last: _Word, first: _Word) -> int:
    """Where to cut between two words: closing marks stay with the first, opening marks go with the second."""
    at = last.end
    while at < first.start and not story[at].isspace() and story[at] not in _OPENERS + _DASHES:
        at += 1
    return at if at < first.start else first.start


def _pieces(story: str, start: int, end: int, language: str) -> list[tuple[int, int]]:
    while start < end and story[start].isspace():
        start += 1
    while end > start and story[end - 1].isspace():
        end -= 1
    if end - start <= PIECE + 40:
        return [(start, end)]
    return pieces(story, start, end, language)


def spoken(text: str, kind: SegmentKind) -> str:
    """What is said: one line, without quotation marks and dashes at its ends."""
    line = " ".join("".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text).split())
    trimmed = line.strip(_MARKS)
    if kind == "narration":
        trimmed = re.sub(r"^[\s,.;:!?…*_#~|>—–―-]+|[\s*_#~|—–―]+$", "", trimmed).strip(_MARKS)
    else:
        trimmed = re.sub(r"^[\s—–―-]+", "", trimmed).strip(_MARKS)
    return trimmed or line


# --- Adapted -----------------------------------------------------------------------------------------


def adapted(story: str, data: Mapping[str, Any], speakers: Names) -> tuple[SegmentDraft, ...]:
    """The answer's own segments; spans share the text out by their lengths. Raises BadAnswer: far too short or long."""
    lines = _lines(data, speakers)
    length, source = sum(len(line.words) for line in lines), len(words_of(story))
    least, most = ADAPTED_SHARE
    if source > 30 and not least * source <= length <= most * source:
        raise BadAnswer(f"The script has {length} words for a text of {source}; keep between a third and all of it.")
    segments: list[SegmentDraft] = []
    said, start = 0, 0
    for number, line in enumerate(lines, 1):
        said += len(line.words)
        end = max(start + 1, len(story) * said // length)
        end = min(end, len(story) - (len(lines) - number))
        text = spoken(line.text, line.kind)
        segments.append(SegmentDraft(kind=line.kind, text=text, speaker=line.speaker, start=start, end=max(start, end)))
        start = max(start, end)
    return tuple(segments)
