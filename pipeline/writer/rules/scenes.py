"""Scenes: where place or time changes, a new one begins; and the sets that they are in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.contracts import Analysis, SceneDraft, SegmentDraft, SetDraft, TimeOfDay, Weather

from .lexicon import MOODS, Place, place_nouns, tally, word_set
from .mentions import Finder
from .places import Cue, begins_day, implied_cue, place_cues, time_of_day, transition, weather
from .sentences import is_heading_text

LIMIT = 12
QUIET = "a quiet place"
_QUIET_LOOK = "a quiet place outdoors with soft light, grass and a few trees"
_LOOK_AHEAD = 4  # segments after a break in which its place may be told
_WHEN: dict[TimeOfDay, str] = {
    "dawn": "at dawn", "morning": "in the morning", "day": "by day", "dusk": "at dusk", "night": "at night",
}  # fmt: skip
_CROWD = 8
# Words that lead to a place but would mislead as its name ("sands" is a beach here, elsewhere a desert).
_LOOSE = word_set(
    "sands sand dune dunes strand waves reef pines undergrowth thicket stalls cobbles pass slope bank banks"
)


@dataclass
class Stretch:
    """A run of segments in one place at one time, before sets have names."""

    first: int
    last: int
    cue: Cue | None
    time: TimeOfDay
    weather: Weather
    heading: str = ""
    firm: bool = False  # begins at a break, heading or transition, so it is not joined to the one before
    cues: list[Cue] = field(default_factory=list)
    title_only: bool = False


def stretches(segments: Sequence[SegmentDraft]) -> list[Stretch]:
    """The story's scenes as places and times alone; contiguous, gap-free."""
    found: list[Stretch] = []
    time: TimeOfDay = "day"
    sky: Weather = "clear"
    for index, segment in enumerate(segments):
        told = segment.text if segment.kind == "narration" else ""
        leap = transition(told) if told else None
        cue = _entered(told, found[-1].cue if found else None)
        heading = told if is_heading_text(told) else ""
        title = bool(heading) or (index == 0 and len(told) <= 90 and told[-1:].isalnum())
        broken = index > 0 and 0 < segments[index - 1].end < segment.start
        head = told[: max(60, len(told) * 6 // 10)]
        told_time, told_sky = time_of_day(head) or (time_of_day(told) if index == 0 else None), weather(head)
        after = (time_of_day(told), weather(told))
        if leap and begins_day(leap):
            sky = "clear"
            time = "day" if told_time is None else time
        time, sky = told_time or time, told_sky or sky
        if found and cue is not None and found[-1].cue is None and index > found[-1].first:
            found[-1].cue = implied_cue(" ".join(one.text for one in segments[found[-1].first : index]))
        if not found or broken or heading or (leap and index - found[-1].first > 0) or _elsewhere(found[-1], cue):
            carried = cue or (found[-1].cue if found and not cue else None)
            found.append(
                Stretch(index, index, carried, time, sky, heading, firm=bool(not found or broken or heading or leap))
            )
            if not cue:
                found[-1].cue = _ahead(segments, index) or found[-1].cue
        stretch = found[-1]
        stretch.title_only = title and stretch.first in (index, stretch.last if stretch.title_only else -1)
        stretch.last = index
        if cue is not None:
            stretch.cues.append(cue)
            stretch.cue = stretch.cue or cue
        if index - stretch.first <= 2 and (told_time or told_sky):
            stretch.time, stretch.weather = time, sky
        elif (not title and (told_time and told_time != stretch.time)) or (
            told_sky and told_sky != stretch.weather and not (stretch.cue and stretch.cue.place.indoors)
        ):
            stretch.last = index - 1
            found.append(Stretch(index, index, stretch.cue, time, sky))
        time, sky = after[0] or time, after[1] or sky
    for stretch in found:
        if stretch.cue is None:
            stretch.cue = implied_cue(" ".join(one.text for one in segments[stretch.first : stretch.last + 1]))
    return _joined(found)


def _entered(text: str, current: Cue | None) -> Cue | None:
    """The last place that a narration moves to; a place only mentioned counts where nothing is known yet."""
    cues = place_cues(text) if text else []
    strong = [cue for cue in cues if cue.strong]
    if strong:
        return max(strong, key=lambda cue: (cue.strength, cue.position))
    return cues[0] if cues and (current is None or _same(cues[0], current)) else None


def _elsewhere(stretch: Stretch, cue: Cue | None) -> bool:
    return cue is not None and stretch.cue is not None and not _same(stretch.cue, cue)


def _same(left: Cue, right: Cue) -> bool:
    if left.key == right.key:
        return True
    both = {left.noun, right.noun}
    generic = both & {"room", "house", "home", "hall", "chamber", "cottage", "hut"}
    return (
        bool(generic) and left.place.indoors and right.place.indoors and left.name == left.noun
    ) or left.name in right.name.split()


def _ahead(segments: Sequence[SegmentDraft], index: int) -> Cue | None:
    for segment in segments[index + 1 : index + 1 + _LOOK_AHEAD]:
        if segment.kind == "narration":
            if transition(segment.text) or is_heading_text(segment.text):
                return None
            cues = place_cues(segment.text)
            if cues:
                return next((cue for cue in cues if cue.strong), cues[0])
    return None


def _joined(found: list[Stretch]) -> list[Stretch]:
    """Neighbours that turn out alike become one, and a stretch with nothing of its own joins the one before it."""
    joined: list[Stretch] = []
    for one in found:
        last = joined[-1] if joined else None
        if last is not None and (last.title_only or not one.heading):
            alike = last.time == one.time and last.weather == one.weather
            same_place = (one.cue is None and last.cue is None) or (
                one.cue is not None and last.cue is not None and _same(one.cue, last.cue)
            )
            if (alike and same_place and not one.firm) or last.title_only:
                joined[-1] = replace(
                    one,
                    first=last.first,
                    heading=one.heading or last.heading,
                    firm=last.firm,
                    cues=last.cues + one.cues,
                    cue=one.cue or last.cue,
                )
                continue
        joined.append(one)
    for index, one in enumerate(joined):
        if one.cue is None:
            later = next((other.cue for other in joined[index + 1 :] if other.cue), None)
            one.cue = joined[index - 1].cue if index and joined[index - 1].cue else later
    return joined


# --- sets --------------------------------------------------------------------------------------------


def sets(segments: Sequence[SegmentDraft]) -> tuple[SetDraft, ...]:
    """The sets that the scenes are in, weightiest first, at most LIMIT; a quiet place where the story names none."""
    runs = stretches(segments)
    if not runs:
        return (SetDraft(name=QUIET, description=_QUIET_LOOK, mood="calm"),)
    weight: Counter[str] = Counter()
    cues: dict[str, list[Cue]] = {}
    first: dict[str, Stretch] = {}
    for run in runs:
        key = run.cue.key if run.cue else QUIET
        weight[key] += run.last - run.first + 1
        cues.setdefault(key, []).extend([*([run.cue] if run.cue else []), *(one for one in run.cues if one.key == key)])
        first.setdefault(key, run)
    drafts = []
    for key, _ in weight.most_common(LIMIT):
        run = first[key]
        mood = _mood(segments[run.first : run.last + 1])
        if key == QUIET:
            drafts.append(SetDraft(name=QUIET, description=_QUIET_LOOK, mood=mood, time_of_day=run.time))
            continue
        drafts.append(
            SetDraft(name=_set_name(cues[key]), description=_look(cues[key]), mood=mood, time_of_day=run.time)
        )
    return tuple(drafts)


def _set_name(cues: list[Cue]) -> str:
    name = Counter(cue.name for cue in cues).most_common(1)[0][0]
    return cues[0].place.family if name in _LOOSE and not cues[0].place.apart else name


def _look(cues: list[Cue]) -> str:
    place = cues[0].place
    told = dict.fromkeys(word for cue in cues for word in cue.adjectives if not word.endswith(("'s", "s'")))
    where = "indoors" if place.indoors else "outdoors"
    name = _set_name(cues)
    told.pop(name.split()[0], None)
    detail = ", ".join(list(told)[:3])
    lead = f"{detail} {name}" if detail else name
    return f"{lead}: {place.look}; {where}"


def _mood(segments: Sequence[SegmentDraft]) -> str:
    words = re.findall(r"[a-z']+", " ".join(segment.text for segment in segments).lower())
    return tally(words, MOODS) or "calm"


# --- scenes ------------------------------------------------------------------------------------------


def scenes(segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
    """Contiguous scenes over all segments, in the analysis' own sets, with who and what appears in each."""
    finder = Finder(analysis)
    drafts: list[SceneDraft] = []
    current = analysis.sets[0].name if analysis.sets else QUIET
    for run in stretches(segments):
        current = _known_set(run.cue, analysis, current)
        part = segments[run.first : run.last + 1]
        mood = _mood(part)
        last = drafts[-1] if drafts else None
        if (
            last is not None
            and not run.firm
            and (last.set_name, last.time_of_day, last.weather) == (current, run.time, run.weather)
        ):
            part = segments[last.first_segment : run.last + 1]
            drafts.pop()
            run = replace(run, first=last.first_segment)
        drafts.append(
            SceneDraft(
                first_segment=run.first,
                last_segment=run.last,
                title=f"{run.heading}: {_title(current, run.time)}" if run.heading else _title(current, run.time),
                set_name=current,
                characters=_present(part, finder)[:_CROWD],
                props=tuple(finder.props(" ".join(one.text for one in part)))[:6],
                time_of_day=run.time,
                weather=run.weather,
                mood=mood,
            )
        )
    return tuple(drafts)


def _title(name: str, time: TimeOfDay) -> str:
    text = name if name[:1].isupper() or name.startswith("a ") else f"the {name}"
    return f"{text[:1].upper()}{text[1:]} {_WHEN[time]}"


def _present(part: Sequence[SegmentDraft], finder: Finder) -> tuple[str, ...]:
    """Who speaks or is told of in these segments, most often first."""
    counts: Counter[str] = Counter()
    for segment in part:
        if segment.speaker is not None:
            counts[segment.speaker] += 2
        if segment.kind == "narration":
            counts.update(finder.characters(segment.text))
    return tuple(name for name, _ in counts.most_common())


def _known_set(cue: Cue | None, analysis: Analysis, current: str) -> str:
    if cue is None:
        return current
    named = {one.name.lower(): one.name for one in analysis.sets}
    if cue.name.lower() in named:
        return named[cue.name.lower()]
    best: tuple[int, str] | None = None
    for one in analysis.sets:
        score = _match(cue, one)
        if score and (best is None or score > best[0]):
            best = (score, one.name)
    return best[1] if best else current


def _match(cue: Cue, one: SetDraft) -> int:
    words = re.findall(r"[\w'-]+", one.name.lower())
    nouns = place_nouns()
    if cue.noun in words:
        return 3 if cue.name == cue.noun else 2
    places: list[Place] = [nouns[word] for word in words if word in nouns]
    if any(place.family == cue.place.family for place in places):
        return 2 if not cue.place.apart else 1
    return 1 if not places and cue.place.family in one.description.lower() else 0
