"""Shots laid on the clock: where a project's takes lie, and the rows that stand for them.

Hidden here: how a user's cuts survive new speech, and which row goes on standing for which take. A row follows what is
said in it, so that its pictures, clips and edits stay with their words when takes come, go or move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Integer, cast, delete, func, or_, select
from sqlalchemy.orm import Session

from pipeline.contracts import ShotDraft
from pipeline.film.timeline import OwnCut, SpokenSegment, TakePlan, plan_takes, slot_frames
from pipeline.store import versions
from pipeline.store.ledger import move_units
from pipeline.store.models import Character, Generation, Project, Scene, ScriptSegment, Shot, Step
from pipeline.store.spoken import spoken_segments
from pipeline.store.states import lipsync_status, video_status

Key = tuple[str, str, str]
T = TypeVar("T")
LOOKS = ("framing", "angle", "move", "subjects", "action")
_STAGES = ("frames", "videos", "lipsync")  # whose units are known by a shot's number
_PICTURE = ("framing", "angle", "subjects", "action", "pinned_references")
_MOTION = ("move", "action")


@dataclass(frozen=True)
class Filmed:
    """A scene's cinematography, and the takes (kind, speaker, text) that it was written for, where that is known."""

    drafts: tuple[ShotDraft, ...]
    takes: tuple[Key, ...] = ()


def filmed_in(session: Session, project_id: int) -> dict[int, Filmed]:
    """What the scenes' units have left in the ledger, by scene index."""
    keys = {f"shots/{scene.idx}": scene.idx for scene in scenes_of(session, project_id)}
    steps = session.scalars(select(Step).where(Step.project_id == project_id, Step.key.in_(keys)))
    return {keys[step.key]: _filmed(step.output or {}) for step in steps}


def _filmed(output: Mapping[str, Any]) -> Filmed:
    return Filmed(
        tuple(ShotDraft.model_validate(one) for one in output.get("shots") or ()),
        tuple((kind, speaker, text) for kind, speaker, text in output.get("takes") or ()),
    )


def key_of(kind: str, speaker: str | None, text: str) -> Key:
    return (kind, speaker or "", " ".join(text.split()))


def scenes_of(session: Session, project_id: int) -> list[Scene]:
    return list(session.scalars(select(Scene).where(Scene.project_id == project_id).order_by(Scene.idx)))


def scene_takes(session: Session, project: Project, scene: Scene, *, by_hand: bool = True) -> tuple[TakePlan, ...]:
    """The takes of one scene. Takes never cross scenes, so those of one can be cut without the others.

    Without `by_hand` they are cut as if no user had cut them.
    """
    segments = spoken_segments(
        session, project.id, first=scene.first_segment_idx, last=scene.last_segment_idx, scene=scene.idx
    )
    following = session.scalar(
        select(ScriptSegment.start_time_ms).where(
            ScriptSegment.project_id == project.id, ScriptSegment.idx == scene.last_segment_idx + 1
        )
    )
    end = following if following is not None else project.narration_ms or 0
    shift = segments[0].start_ms if scene.first_segment_idx else 0
    cut = own_cuts(session, [scene]) if by_hand else {}
    own = {number: [_moved_cut(one, shift) for one in cuts] for number, cuts in cut.items()}
    plans = plan_takes([_moved(segment, shift) for segment in segments], end - shift, own_cuts=own)
    return tuple(_placed(plan, shift) for plan in plans)


def all_takes(session: Session, project: Project) -> tuple[TakePlan, ...]:
    """The takes of the film. Raises InvalidInput when the scenes' segments have no times in order yet."""
    scenes = scenes_of(session, project.id)
    number = {at: scene.idx for scene in scenes for at in range(scene.first_segment_idx, scene.last_segment_idx + 1)}
    spoken = [_in_scene(segment, number) for segment in spoken_segments(session, project.id)]
    return plan_takes(spoken, project.narration_ms or 0, own_cuts=own_cuts(session, scenes))


def _in_scene(segment: SpokenSegment, number: Mapping[int, int]) -> SpokenSegment:
    return _changed(segment, scene=number.get(segment.index, 0))


def _moved(segment: SpokenSegment, shift: int) -> SpokenSegment:
    return _changed(segment, start_ms=segment.start_ms - shift, end_ms=segment.end_ms - shift)


def _changed(segment: SpokenSegment, **values: Any) -> SpokenSegment:
    fields = {name: getattr(segment, name) for name in SpokenSegment.__slots__}
    return SpokenSegment(**(fields | values))


def _moved_cut(cut: OwnCut, shift: int) -> OwnCut:
    return OwnCut(cut.segment, cut.char, cut.ms - shift)


def _placed(plan: TakePlan, shift: int) -> TakePlan:
    fields = {name: getattr(plan, name) for name in TakePlan.__slots__}
    return TakePlan(**(fields | {"start_ms": plan.start_ms + shift, "end_ms": plan.end_ms + shift}))


# --- Cuts that users made ------------------------------------------------------------------------------


def own_cuts(session: Session, scenes: Sequence[Scene]) -> dict[int, list[OwnCut]]:
    """By scene index, the cuts of those scenes that a user has cut. In new speech a cut keeps its place in the text."""
    cut = {scene.idx: scene.cuts for scene in scenes if scene.cuts is not None}
    ids = {one["segment"] for cuts in cut.values() for one in cuts}
    rows = {row.id: row for row in session.scalars(select(ScriptSegment).where(ScriptSegment.id.in_(ids)))}
    return {
        number: [_resolved(rows[one["segment"]], one) for one in cuts if one["segment"] in rows]
        for number, cuts in cut.items()
    }


def _resolved(segment: ScriptSegment, cut: Mapping[str, Any]) -> OwnCut:
    start, char = segment.start_time_ms or 0, int(cut["char"])
    if char <= 0:
        return OwnCut(segment.idx, 0, start)
    if cut.get("audio") == segment.audio_url:
        return OwnCut(segment.idx, char, start + int(cut["ms"]))
    spoken = next((word["start_ms"] for word in segment.words or () if word["start"] >= char), None)
    if spoken is None:
        spoken = (segment.audio_ms or 0) * char // max(1, len(segment.text))
    return OwnCut(segment.idx, min(char, len(segment.text)), start + int(spoken))


def cuts_of(session: Session, project: Project, scene: Scene) -> list[dict[str, Any]]:
    """Where the scene is cut now, in the form of `Scene.cuts`."""
    return [cut_at(session, project.id, take) for take in scene_takes(session, project, scene)[1:]]


def cut_at(session: Session, project_id: int, take: TakePlan) -> dict[str, Any]:
    """The cut at which a take begins."""
    query = select(ScriptSegment).where(ScriptSegment.project_id == project_id, ScriptSegment.idx == take.segments[0])
    segment = session.scalars(query).one()
    inside = take.char > 0
    return {
        "segment": segment.id,
        "char": take.char,
        "ms": take.start_ms - (segment.start_time_ms or 0) if inside else 0,
        "audio": segment.audio_url,
    }


# --- Rows ----------------------------------------------------------------------------------------------


def aligned(old: Sequence[Key], new: Sequence[Key]) -> list[int | None]:
    """For each of `new`, which of `old` it continues: the same words first, then what is alike in the gaps between."""
    found: list[int | None] = [None] * len(new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            found[new_from:new_to] = range(old_from, old_to)
        elif tag == "replace":
            free = list(range(old_from, old_to))
            for at in range(new_from, new_to):
                match = next((one for one in free if old[one][:2] == new[at][:2]), None)
                if match is not None:
                    found[at] = match
                    free = [one for one in free if one > match]
    return found


def lay(session: Session, project: Project, filmed: Mapping[int, Filmed], fps: int) -> int:
    """Brings the project's shots to its takes, in the caller's transaction; returns how many there are.

    Un-edited rows take their cinematography from `filmed` (by scene index); a take that nobody filmed (a user has cut
    it, or new words made it) keeps its row's, or looks like its neighbour. What was made for a shot that is staged
    otherwise now is marked stale; what a shot that goes has shown becomes a version of the one that is seen in its
    place. Raises InvalidInput without a narration.
    """
    plans = all_takes(session, project)
    scenes = {scene.idx: scene.id for scene in scenes_of(session, project.id)}
    speakers = dict(
        session.execute(select(Character.name, Character.id).where(Character.project_id == project.id)).all()
    )
    rows = list(session.scalars(select(Shot).where(Shot.project_id == project.id).order_by(Shot.idx)))
    names = {number: name for name, number in speakers.items()}
    by_scene: dict[int, list[TakePlan]] = {}
    for plan in plans:
        by_scene.setdefault(plan.scene, []).append(plan)
    index, left, laid = 0, {row.id: row for row in rows}, []
    ids = _free_ids(session)
    for number, takes in sorted(by_scene.items()):
        mine = [row for row in rows if row.scene_id == scenes[number]]
        for take, (row, draft) in zip(takes, _cast(takes, mine, names, filmed.get(number)), strict=True):
            shot = row or Shot(id=next(ids), project_id=project.id, scene_id=scenes[number], seed=index)
            altered = _fill(shot, index, take, draft, speakers)
            session.add(shot)
            session.flush()
            restaged(session, shot, altered)
            _mark_outgrown(session, shot, fps)
            left.pop(shot.id, None)
            laid.append(shot)
            index += 1
    for gone in left.values():
        _hand_over(session, gone, laid)
        drop(session, gone.id)
    return index


def _hand_over(session: Session, gone: Shot, laid: Sequence[Shot]) -> None:
    same = (one for one in laid if one.scene_id == gone.scene_id and one.start_ms <= gone.start_ms < one.end_ms)
    heir = next(same, None)
    if heir is not None:
        versions.move(session, "shots", gone.id, heir.id)


def drop(session: Session, shot_id: int) -> None:
    """Deletes a shot with its versions, and what the ledger has of it."""
    shot = session.get_one(Shot, shot_id)
    move_units(session, shot.project_id, {f"{stage}/{shot_id}": None for stage in _STAGES})
    versions.forget(session, "shots", shot_id)
    session.execute(delete(Shot).where(Shot.id == shot_id))


def _free_ids(session: Session) -> Iterator[int]:
    """Numbers that no shot has had. Work at providers knows its shot by number, and may come after the shot is gone."""
    number = cast(func.substr(Generation.unit_key, func.instr(Generation.unit_key, "/") + 1), Integer)
    worked_on = or_(*(Generation.unit_key.startswith(f"{stage}/") for stage in _STAGES))
    known = session.scalar(select(func.max(Shot.id))), session.scalar(select(func.max(number)).where(worked_on))
    yield from count(max(one or 0 for one in known) + 1)


def _cast(
    takes: Sequence[TakePlan], rows: Sequence[Shot], names: Mapping[int, str], filmed: Filmed | None
) -> list[tuple[Shot | None, ShotDraft | None]]:
    """For each take, the row that goes on standing for it, and the cinematography that it is to get (None: its own)."""
    keys = [key_of(take.kind, take.speaker, take.text) for take in takes]
    speakers = [names.get(row.speaker_id) if row.speaker_id else None for row in rows]
    kept = aligned([key_of(row.kind, who, row.text) for row, who in zip(rows, speakers, strict=True)], keys)
    drafts: list[ShotDraft | None] = [None] * len(takes)
    if filmed is not None and filmed.drafts:
        written = filmed.takes or (keys if len(filmed.drafts) == len(keys) else ())
        if len(written) == len(filmed.drafts):
            drafts = [None if at is None else filmed.drafts[at] for at in aligned(written, keys)]
    cast: list[tuple[Shot | None, ShotDraft | None]] = []
    for place, (at, draft) in enumerate(zip(kept, drafts, strict=True)):
        row = None if at is None else rows[at]
        cast.append((row, draft or (None if row else _like_neighbour(place, cast, drafts, takes[place]))))
    return cast


def _like_neighbour(
    place: int,
    before: Sequence[tuple[Shot | None, ShotDraft | None]],
    drafts: Sequence[ShotDraft | None],
    take: TakePlan,
) -> ShotDraft:
    """Cinematography for a take that has none: the look of the shot before it, else of the next that has one."""
    if before:
        row, draft = before[-1]
        if draft is None and row is not None:
            draft = ShotDraft.model_validate({name: getattr(row, name) for name in LOOKS})
    else:
        draft = next((one for one in drafts[place:] if one is not None), None)
    draft = draft or ShotDraft(framing="medium")
    seen = draft.subjects
    if take.speaker:
        seen = (take.speaker, *(name for name in seen if name != take.speaker))
    return draft.model_copy(update={"subjects": seen, "action": ""})


def _fill(shot: Shot, index: int, take: TakePlan, draft: ShotDraft | None, speakers: Mapping[str, int]) -> list[str]:
    """The fields that are others now."""
    fields: dict[str, Any] = {
        "idx": index,
        "kind": take.kind,
        "speaker_id": speakers.get(take.speaker) if take.speaker else None,
        "start_ms": take.start_ms,
        "end_ms": take.end_ms,
        "duration_ms": take.duration_ms,
        "text": take.text,
        "segments": list(take.segments),
    }
    if draft is not None:
        looks = draft.model_dump() | {"subjects": list(draft.subjects)}
        fields |= {name: value for name, value in looks.items() if name not in (shot.edited_fields or ())}
    altered = [name for name, value in fields.items() if getattr(shot, name) != value]
    for name in altered:
        setattr(shot, name, fields[name])
    return altered


def is_hand_made(shot: Shot) -> bool:
    """Whether a user has changed what is seen in the shot, or how."""
    return bool(set(shot.edited_fields or ()) & set(LOOKS))


def restaged(session: Session, shot: Shot, altered: Iterable[str]) -> None:
    """These fields of the shot are others now: what was made from them stays in use, and is stale."""
    names, own = set(altered), shot.own_slots or ()
    if shot.first_frame_url and "first_frame" not in own and names & set(_PICTURE):
        mark(shot, "first_frame", "shot")
    if shot.video_url and "video" not in own and names & set(_MOTION):
        mark(shot, "video", "shot")
        video_status(session, shot.id, "stale")


def frames_of(shot: Shot) -> int:
    """How many frames the clip has that is there; 0 without one."""
    return int((shot.video_meta or {}).get("measured", {}).get("frames", 0)) if shot.video_url else 0


def covers(shot: Shot, fps: int) -> bool:
    """Whether the shot's clip, as it is cut, is long enough for its slot.

    A slot that only moves along may gain a frame on the film's grid: its last frame is held for that one.
    """
    made = frames_of(shot)
    return made > 0 and made + 1 >= slot_frames(shot.start_ms, shot.end_ms, fps)[1]


def needs_recut(shot: Shot, fps: int) -> bool:
    """Whether the slot has outgrown the clip as it is cut, but not the clip as it came."""
    came = bool((shot.video_meta or {}).get("raw")) and (shot.actual_video_duration_ms or 0)
    return bool(shot.video_url) and not covers(shot, fps) and int(came) >= shot.duration_ms


def _mark_outgrown(session: Session, shot: Shot, fps: int) -> None:
    """A clip that no longer covers its slot is stale: it stays, its last frame held, until it is redone."""
    if shot.video_url and not covers(shot, fps) and not needs_recut(shot, fps):
        video_status(session, shot.id, "stale")
        mark(shot, "video", "slot")
        if shot.lipsync_url:
            lipsync_status(session, shot.id, "stale")
            mark(shot, "lipsync", "slot")
    elif (shot.stale or {}).get("video") == "slot":
        video_status(session, shot.id, "done")
        clear(shot, "video")


# --- What no longer fits ---------------------------------------------------------------------------------


def mark(row: ScriptSegment | Shot, slot: str, why: str) -> None:
    """Notes that what is in this place was made before an edit; the first reason stays."""
    if slot not in (row.stale or {}):
        row.stale = {**(row.stale or {}), slot: why}


def clear(row: ScriptSegment | Shot, *slots: str) -> None:
    """What is in these places fits again, or is gone."""
    if any(slot in (row.stale or {}) for slot in slots):
        row.stale = {slot: why for slot, why in row.stale.items() if slot not in slots}
