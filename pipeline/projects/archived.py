"""A project's rows as data, and back: what they have to look like, and the new numbers that they get."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from pipeline.contracts import (
    AgeGroup,
    Angle,
    CameraMove,
    Framing,
    Gender,
    SegmentKind,
    ShotDraft,
    TimeOfDay,
    Weather,
    WordTime,
)
from pipeline.errors import InvalidInput
from pipeline.film.options import FilmOptions
from pipeline.projects.documents import ProjectView, SceneView, SegmentView, ShotView, project_json, timeline_json
from pipeline.projects.fields import ProjectFields, checked_fields, storable
from pipeline.store.models import (
    Base,
    Character,
    GuideImage,
    Project,
    Prop,
    Scene,
    SceneCharacter,
    SceneProp,
    ScriptSegment,
    Set,
    Shot,
    Step,
    Version,
)
from pipeline.store.states import LIPSYNC_EDGES, VIDEO_EDGES
from pipeline.store.versions import Slot, Source

FORMAT = "video-story-project"
VERSION = 1
ADDRESS = re.compile(r"/media/([0-9a-f]{64})\.([a-z0-9]{1,8})")


_Address = Annotated[str, Field(pattern=f"^{ADDRESS.pattern}$")]


class _Cut(BaseModel):
    segment: int
    char: int
    ms: int
    audio: str | None


class _Measured(BaseModel):
    frames: int = 0


class _Meta(BaseModel):
    measured: _Measured = _Measured()
    raw: str | None = None


class _Form(BaseModel):
    width: int = Field(ge=16, le=4096)
    height: int = Field(ge=16, le=4096)
    fps: int = Field(default=24, ge=1, le=120)


class _Options(BaseModel):
    form: _Form | None = None
    film: FilmOptions = FilmOptions()
    removed: dict[str, list[str]] = {}


class _FilmMeta(BaseModel):
    srt_url: str | None = None
    vtt_url: str | None = None


class _Output(BaseModel):
    media: list[_Address] = []
    shots: list[ShotDraft] | None = None
    takes: list[tuple[str, str, str]] | None = None


# In the order in which rows can refer to each other.
TABLES: dict[str, type[Base]] = {
    "characters": Character,
    "sets": Set,
    "props": Prop,
    "guide_images": GuideImage,
    "script_segments": ScriptSegment,
    "scenes": Scene,
    "scene_characters": SceneCharacter,
    "scene_props": SceneProp,
    "shots": Shot,
    "versions": Version,
    "steps": Step,
}
_LINKS = {
    ("script_segments", "speaker_id"): "characters",
    ("shots", "speaker_id"): "characters",
    ("scenes", "set_id"): "sets",
    ("scene_characters", "scene_id"): "scenes",
    ("scene_characters", "character_id"): "characters",
    ("scene_props", "scene_id"): "scenes",
    ("scene_props", "prop_id"): "props",
    ("shots", "scene_id"): "scenes",
}
# Where a row says itself what kind of thing it belongs to.
_OWNED = {"guide_images": ("entity_type", "entity_id"), "versions": ("subject_type", "subject_id")}
# Which units of work are known by the number of a row: refs/character/12, frames/7, voices/3.
_KEYS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str], str], ...] = (
    (re.compile(r"refs/(character|set|prop)/(\d{1,18})"), lambda match: f"{match[1]}s", "refs/{0}/{1}"),
    (re.compile(r"(frames|videos|lipsync)/(\d{1,18})"), lambda match: "shots", "{0}/{1}"),
    (re.compile(r"(export/shot)/(\d{1,18})"), lambda match: "shots", "{0}/{1}"),
    (re.compile(r"(voices)/(\d{1,18})"), lambda match: "characters", "{0}/{1}"),
)
# Columns whose inside is read: narrower than the models' annotations say.
_INSIDE: dict[tuple[str, str], Any] = {
    ("script_segments", "segment_type"): SegmentKind,
    ("script_segments", "words"): list[WordTime] | None,
    ("scenes", "time_of_day"): TimeOfDay,
    ("scenes", "weather"): Weather,
    ("scenes", "cuts"): list[_Cut] | None,
    ("shots", "kind"): SegmentKind,
    ("shots", "framing"): Framing,
    ("shots", "angle"): Angle,
    ("shots", "move"): CameraMove,
    ("shots", "pinned_references"): list[_Address],
    ("shots", "frame_meta"): _Meta | None,
    ("shots", "video_meta"): _Meta | None,
    ("versions", "meta"): _Meta | None,
    ("versions", "slot"): Slot,
    ("versions", "source"): Source,
    ("characters", "age_group"): AgeGroup,
    ("characters", "gender"): Gender,
    ("sets", "time_of_day"): TimeOfDay,
    ("projects", "options"): _Options,
    ("projects", "film_meta"): _FilmMeta | None,
    ("steps", "output"): _Output | None,
}
_MOST_ROWS = 200_000
_LONGEST_MS = 24 * 3_600_000
Numbers = dict[str, dict[int, int]]


def insert_project(session: Session, data: Mapping[str, Any]) -> Project:
    """Adds a project with all of its rows, under new numbers, in the caller's transaction.

    Raises InvalidInput where the data are not what `gathered` gives.
    """
    project = Project(**_project(data["project"]))
    session.add(project)
    session.flush()
    numbers: Numbers = {}
    for name, table in TABLES.items():
        rows = data["tables"].get(name, [])
        numbers[name] = _insert(session, project.id, name, table, rows, numbers)
    _remap_cuts(session, project.id, numbers)
    _check_whole(session, project.id)
    return project


def check_form(data: Any) -> None:
    """Raises InvalidInput when this is no project's data, or of a form that is not known here."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _bad("This is not the archive of a project.")
    if data.get("version") != VERSION:
        raise InvalidInput(
            f"This archive is of version {str(data.get('version'))[:20]}; version {VERSION} can be read.",
            hint="Update the program.",
            field="file",
        )
    tables, project = data.get("tables"), data.get("project")
    if not isinstance(project, dict) or not isinstance(tables, dict) or not tables.keys() <= TABLES.keys():
        raise _bad("The archive's data are not complete.")
    rows = list(tables.values())
    if not all(isinstance(one, list) and all(isinstance(row, dict) for row in one) for one in rows):
        raise _bad("The archive's data are not complete.")
    if sum(len(one) for one in rows) > _MOST_ROWS:
        raise _bad("The archive has too many rows.")


def _project(given: Mapping[str, Any]) -> dict[str, Any]:
    shapes = _shapes(Project)
    fields = {name: _value(shapes[name], name, given[name]) for name in given.keys() & shapes.keys() - {"id"}}
    if (fields.get("narration_ms") or 0) > _LONGEST_MS:
        raise _bad("The archive's film is longer than a day.")
    own = {name: fields[name] for name in ProjectFields.model_fields.keys() & fields.keys() - {"story"}}
    checked_fields({name: value for name, value in own.items() if value is not None}, max_story_words=1)
    for name in ("deleted_at", "delivered_at", "callback_url", "created_at", "updated_at", "version"):
        fields.pop(name, None)
    return fields


def _insert(
    session: Session, project_id: int, name: str, table: type[Base], rows: list[dict[str, Any]], numbers: Numbers
) -> dict[int, int]:
    shapes, columns = _shapes(table), table.__table__.columns
    needed = {one.name for one in columns if not one.nullable and one.default is None and one.server_default is None}
    needed -= {"id", "project_id"}
    given: dict[int, int] = {}
    for row in rows:
        if not row.keys() <= shapes.keys() - {"project_id"} or not needed <= row.keys():
            raise _bad(f"A row of {name} has other columns than are known here.")
        values = {one: _value(shapes[one], one, value) for one, value in row.items() if one != "id"}
        if not _linked(name, values, numbers):
            continue
        if "project_id" in columns:
            values["project_id"] = project_id
        _settled(name, values)
        made = table(**values)
        session.add(made)
        if "id" in columns:
            session.flush()
            given[_number(row, given)] = made.id  # type: ignore[attr-defined]
    session.flush()
    return given


def _number(row: Mapping[str, Any], given: Mapping[int, int]) -> int:
    """What the others call the row. Raises InvalidInput where that is no number, or another row's."""
    number = row.get("id")
    if type(number) is not int or number in given:
        raise _bad("A row has a number that cannot be its own.")
    return number


@cache
def _shapes(table: type[Base]) -> dict[str, TypeAdapter[Any]]:
    """What each column can hold, by the models' own annotations."""
    hints = get_type_hints(table)
    return {
        name: TypeAdapter(_INSIDE.get((table.__tablename__, name)) or get_args(hints[name])[0])
        for name in [column.name for column in table.__table__.columns]
    }


def _linked(name: str, values: dict[str, Any], numbers: Numbers) -> bool:
    """Gives the row's references their new numbers; False for a row of something that is not in the archive."""
    for (table, column), target in _LINKS.items():
        if table == name and values.get(column) is not None:
            number = numbers[target].get(values[column])
            if number is None:
                raise _bad(f"A row of {name} names one of {target} that is not there.")
            values[column] = number
    if name in _OWNED:
        kind, column = _OWNED[name]
        known = numbers.get(str(values.get(kind)), {})
        if values.get(column) not in known:
            return False
        values[column] = known[values[column]]
    if name == "steps":
        return _rekeyed(values, numbers)
    return True


def _rekeyed(values: dict[str, Any], numbers: Numbers) -> bool:
    key = str(values.get("key"))
    for pattern, table_of, form in _KEYS:
        match = pattern.fullmatch(key)
        if match is not None:
            number = numbers[table_of(match)].get(int(match[2]))
            if number is None:
                return False
            values["key"] = form.format(match[1], number)
    return True


def _settled(name: str, values: dict[str, Any]) -> None:
    """What was in the making there is not in the making here."""
    if name == "steps":
        if values.get("status") not in ("done", "skipped"):
            values |= {"status": "pending", "digest": ""}
        values |= {"run_id": None, "boot_id": "", "handle": None, "error": None, "attempts": 0, "provider": None}
    if name == "shots":
        for column, edges in (("video_status", VIDEO_EDGES), ("lipsync_status", LIPSYNC_EDGES)):
            if values.get(column) not in edges:
                raise _bad("A shot is in a state that is not known here.")
            if values[column] in ("queued", "generating"):
                values[column] = "pending"
    if name == "versions":
        values["generation_id"] = None


def _value(shape: TypeAdapter[Any], name: str, value: Any) -> Any:
    """The value, if the column can hold it. Raises InvalidInput."""
    try:
        shape.validate_json(json.dumps(value), strict=True)
    except ValueError:
        raise _bad(f"A row has a {name} that cannot be one.") from None
    if name.endswith("_url") and name != "callback_url" and value and not ADDRESS.fullmatch(value):
        raise _bad(f"A row has a {name} that is no address of a file.")
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return storable(value)
        except ValueError:
            raise _bad("A text has a character that cannot be kept.") from None
    if isinstance(value, int) and abs(value) >= 1 << 62:
        raise _bad("A number is too large.")
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return value


def _remap_cuts(session: Session, project_id: int, numbers: Numbers) -> None:
    known = numbers["script_segments"]
    for scene in session.query(Scene).filter(Scene.project_id == project_id, Scene.cuts.is_not(None)):
        cuts = [cut for cut in scene.cuts or () if isinstance(cut, dict) and cut.get("segment") in known]
        scene.cuts = [{**cut, "segment": known[cut["segment"]]} for cut in cuts]
    session.flush()


def _check_whole(session: Session, project_id: int) -> None:
    """Raises InvalidInput when the timeline is none: numbers with gaps, scenes that do not tile the script."""
    connection = session.connection()
    try:
        ProjectView.model_validate_json(project_json(connection, project_id))
        segments = TypeAdapter(list[SegmentView]).validate_json(timeline_json(connection, project_id, "segments"))
        scenes = TypeAdapter(list[SceneView]).validate_json(timeline_json(connection, project_id, "scenes"))
        shots = TypeAdapter(list[ShotView]).validate_json(timeline_json(connection, project_id, "shots"))
    except ValidationError:
        raise _bad("The archive's data cannot be a film's.") from None
    for rows in ([row.idx for row in segments], [row.idx for row in scenes], [row.idx for row in shots]):
        if rows != list(range(len(rows))):
            raise _bad("The archive's timeline has gaps.")
    told = [at for row in scenes for at in _range(row.first_segment_idx, row.last_segment_idx, len(segments))]
    if scenes and told != list(range(len(segments))):
        raise _bad("The archive's scenes do not cover its script.")
    if any(not 0 <= shot.start_ms <= shot.end_ms <= _LONGEST_MS for shot in shots):
        raise _bad("The archive's shots have no times.")


def _range(first: int, last: int, most: int) -> range:
    if not 0 <= first <= last < most:
        raise _bad("The archive's scenes do not cover its script.")
    return range(first, last + 1)


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, hint="Export the project again and send that file as it is.", field="file")
