"""A project and its timeline as the API shows them: the fields of each thing, and JSON of many of them in one query.

SQLite writes the JSON itself, from the models' own field names: a screen with hundreds of shots costs the interpreter
one string, so readers do not slow a run that shares its lock. What is not a column of the row is given as SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, Boolean, Connection, Table

from pipeline.contracts import AspectRatio, Render, WordTime
from pipeline.errors import InvalidInput, NotFound
from pipeline.film.options import KEY, CaptionStyle, FilmOptions, Quality, SoundBed
from pipeline.generation.image_analysis import Seen
from pipeline.store.models import Base, Project, Scene, ScriptSegment, Shot

RunState = Literal["idle", "running", "paused", "cancelled", "failed", "done"]
_LARGEST_ID = (1 << 63) - 1


class Document(BaseModel):
    """An object of the API: these fields, all of them always there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class AnalysisError(Document):
    """Why there is no analysis, and what to do."""

    code: str
    detail: str
    hint: str
    field: str | None


class AnalysisView(Document):
    """What a vision model saw in a picture. `status`: done; pending; failed or needs_setup (`error` says what to do);
    embedded: our own engines drew it, so nobody is asked unless on request; not_analysed: it is from before."""

    sha256: str
    status: Literal["pending", "done", "failed", "needs_setup", "embedded", "not_analysed"]
    caption: str
    details: Seen | None
    provider: str
    model: str
    error: AnalysisError | None


class ProjectLine(Document):
    """A project in a list: everything but its texts. `state` is its latest run's."""

    id: int
    title: str
    style: str
    aspect_ratio: AspectRatio
    reference_image_model: str
    frame_image_model: str
    video_model: str
    narrator_voice: str | None
    narrator_voice_chosen: bool
    language: str
    script_mode: Literal["faithful", "adapt"]
    budget_cents: int | None
    render_text: Render
    render_speech: Render
    render_image: Render
    render_video: Render
    render_lipsync: Render
    captions: CaptionStyle
    title_card: bool
    end_card: bool
    fades: bool
    quality: Quality
    sound_bed: SoundBed
    narration_url: str | None
    narration_ms: int | None
    film_url: str | None
    poster_url: str | None
    rating: str
    delivered_at: str | None
    version: int
    created_at: str
    updated_at: str
    state: RunState


class ProjectView(ProjectLine):
    story: str
    idea: str


class ListedProject(ProjectLine):
    """`percent` and `yoloStep` are the making's, as in yolo-status."""

    percent: int
    yoloStep: str | None


class SegmentView(Document):
    """`speaker` is the speaking character's name, null for narration. `stale`: what no longer fits since an edit, and
    why (`{"audio": "words"}`); it is used until it is made anew."""

    id: int
    project_id: int
    idx: int
    segment_type: Literal["narration", "dialogue"]
    speaker_id: int | None
    speaker: str | None
    text: str
    source_start: int
    source_end: int
    audio_url: str | None
    audio_ms: int | None
    words: list[WordTime] | None
    start_time_ms: int | None
    end_time_ms: int | None
    stale: dict[str, str]
    edited_fields: list[str]
    version: int
    created_at: str
    updated_at: str


class SceneView(Document):
    """`set`, `characters` and `props` are names. `cut_by_hand`: its shots begin where the user wants them."""

    id: int
    project_id: int
    idx: int
    title: str
    set_id: int | None
    set: str | None
    characters: list[str]
    props: list[str]
    first_segment_idx: int
    last_segment_idx: int
    time_of_day: str
    weather: str
    mood: str
    cut_by_hand: bool
    edited_fields: list[str]
    version: int
    created_at: str
    updated_at: str


class ShotView(Document):
    """`scene` is the scene's index, `speaker` a name; `segments` are segment indices, `subjects` names.
    `stale`: which of first_frame, video and lipsync no longer fit since an edit, and why; all are used until made anew.
    `first_frame_analysis`, `last_frame_analysis`: what is seen in them; null where there is no frame.
    """

    id: int
    project_id: int
    scene_id: int
    scene: int
    idx: int
    kind: str
    speaker_id: int | None
    speaker: str | None
    start_ms: int
    end_ms: int
    duration_ms: int
    actual_video_duration_ms: int | None
    framing: str
    angle: str
    move: str
    subjects: list[str]
    action: str
    text: str
    segments: list[int]
    first_frame_url: str | None
    last_frame_url: str | None
    first_frame_analysis: AnalysisView | None
    last_frame_analysis: AnalysisView | None
    frame_meta: dict[str, Any] | None
    video_url: str | None
    video_status: str
    video_meta: dict[str, Any] | None
    video_problem: str | None
    lipsync_url: str | None
    lipsync_status: str
    lipsync_problem: str | None
    own_slots: list[str]
    pinned_references: list[str]
    variations: dict[str, int]
    stale: dict[str, str]
    edited_fields: list[str]
    version: int
    created_at: str
    updated_at: str


_ANALYSIS = (
    "SELECT json_object('sha256', m.sha256, 'status',"
    " coalesce(a.status, iif(m.origin = 'engine', 'embedded', 'not_analysed')),"
    " 'caption', coalesce(a.caption, ''), 'details', json(a.details), 'provider', coalesce(a.provider, ''),"
    " 'model', coalesce(a.model, ''), 'error', json(a.error))"
    " FROM media_files AS m LEFT JOIN image_analyses AS a ON a.sha256 = m.sha256"
)


def analysis_sql(url: str) -> str:
    """The SQL of the AnalysisView of the picture whose address the expression `url` is; null where there is none."""
    return f"json(({_ANALYSIS} WHERE m.sha256 = substr({url}, 8, 64)))"


def analyses_of(connection: Connection, urls: Iterable[str | None]) -> dict[str, AnalysisView]:
    """By address, what is told of these pictures, in one query."""
    names = {url: url[7:71] for url in urls if url}
    statement = f"{_ANALYSIS} WHERE m.sha256 IN (SELECT value FROM json_each(?))"
    found = connection.exec_driver_sql(statement, (json.dumps(sorted(set(names.values()))),)).scalars()
    views = {view.sha256: view for view in map(AnalysisView.model_validate_json, found)}
    return {url: views[name] for url, name in names.items() if name in views}


_STATE = "coalesce((SELECT state FROM runs WHERE project_id = projects.id ORDER BY started_at DESC LIMIT 1), 'idle')"
_MARK = """json_extract(?, '$."' || projects.id || '".{name}')"""
_SPEAKER = "(SELECT name FROM characters WHERE id = {table}.speaker_id)"
_NAMES = (
    "json((SELECT json_group_array(name) FROM (SELECT e.name FROM {link} AS l JOIN {table} AS e ON e.id = l.{column}"
    " WHERE l.scene_id = scenes.id ORDER BY e.sort_order, e.id)))"
)
_TIMELINE: dict[str, tuple[type[Document], type[Base], dict[str, str]]] = {
    "segments": (SegmentView, ScriptSegment, {"speaker": _SPEAKER.format(table="script_segments")}),
    "scenes": (
        SceneView,
        Scene,
        {
            "set": "(SELECT name FROM sets WHERE id = scenes.set_id)",
            "cut_by_hand": "json(iif(scenes.cuts IS NULL, 'false', 'true'))",
            "characters": "json("
            + _NAMES.format(link="scene_characters", table="characters", column="character_id")
            + ")",
            "props": "json(" + _NAMES.format(link="scene_props", table="props", column="prop_id") + ")",
        },
    ),
    "shots": (
        ShotView,
        Shot,
        {
            "scene": "(SELECT idx FROM scenes WHERE id = shots.scene_id)",
            "speaker": _SPEAKER.format(table="shots"),
            "first_frame_analysis": analysis_sql("shots.first_frame_url"),
            "last_frame_analysis": analysis_sql("shots.last_frame_url"),
        },
    ),
}


def row_sql(view: type[BaseModel], table: Table, given: Mapping[str, str]) -> str:
    """The SQL expression of one row of `table` as a JSON object with the view's fields.

    `given` has the SQL of those fields that are no column of their own.
    """
    parts = []
    for name, info in view.model_fields.items():
        parts.append(f"'{info.alias or name}', {given[name] if name in given else _column_sql(table, name)}")
    return f"json_object({', '.join(parts)})"


def _column_sql(table: Table, name: str) -> str:
    column = table.columns[name]
    place = f"{table.name}.{column.name}"
    if isinstance(column.type, JSON):
        return f"json({place})"
    if isinstance(column.type, Boolean):
        return f"json(iif({place}, 'true', 'false'))"
    return place


def project_json(connection: Connection, project_id: int) -> str:
    """The project as a ProjectView. Raises NotFound."""
    text = connection.exec_driver_sql(_project_statement(), (project_id,)).scalar()
    if text is None:
        raise _no_project()
    return str(text)


@cache
def _project_statement() -> str:
    row = row_sql(ProjectView, _table(Project), {"state": _STATE} | _choices_sql())
    return f"SELECT {row} FROM projects WHERE id = ? AND deleted_at IS NULL"


def _choices_sql() -> dict[str, str]:
    """The SQL of a project's FilmOptions, which lie together in one column."""
    found = {}
    for name, info in FilmOptions.model_fields.items():
        chosen, default = f"json_extract(projects.options, '$.{KEY}.{name}')", info.default
        if isinstance(default, bool):
            found[name] = f"json(iif(coalesce({chosen}, {int(default)}), 'true', 'false'))"
        else:
            found[name] = f"coalesce({chosen}, '{default}')"
    return found


def page_of_projects(
    connection: Connection, *, cursor: str | None = None, limit: int = 20
) -> list[tuple[int, RunState]]:
    """(id, state) of the projects of a page, newest first, and of one more where there are more than `limit`.

    `cursor` is the last id of the page before. Raises InvalidInput.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput("This cursor is not one of ours.", hint="Start again without it.", field="cursor")
    statement = f"SELECT id, {_STATE} FROM projects WHERE deleted_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?"
    before = _LARGEST_ID if cursor is None else int(cursor)
    return [(row[0], row[1]) for row in connection.exec_driver_sql(statement, (before, limit + 1))]


def projects_json(connection: Connection, ids: Sequence[int], progress: Mapping[int, tuple[int, str | None]]) -> str:
    """These projects, newest first: a JSON list of ListedProject. `progress` is (percent, step) by id."""
    marks = json.dumps({str(id_): {"percent": percent, "step": step} for id_, (percent, step) in progress.items()})
    return str(connection.exec_driver_sql(_projects_statement(), (json.dumps(list(ids)), marks)).scalar_one())


@cache
def _projects_statement() -> str:
    given = {"state": _STATE} | _choices_sql()
    given |= {"percent": _MARK.format(name="percent"), "yoloStep": _MARK.format(name="step")}
    rows = "SELECT * FROM projects WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
    # Parameters are numbered by their first place in the text, where the marks stand before the ids.
    row = row_sql(ListedProject, _table(Project), given).replace("?", "?2")
    return f"SELECT json_group_array({row}) FROM ({rows.replace('?', '?1')}) AS projects"


def has_project(connection: Connection, project_id: int) -> None:
    """Raises NotFound unless there is the project."""
    statement = "SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL"
    if connection.exec_driver_sql(statement, (project_id,)).first() is None:
        raise _no_project()


def _no_project() -> NotFound:
    return NotFound("There is no such project.", hint="It may have been deleted.")


def timeline_json(connection: Connection, project_id: int, what: Literal["segments", "scenes", "shots"]) -> bytes:
    """The project's segments, scenes or shots in order: a JSON list of SegmentView, SceneView or ShotView."""
    return bytes(connection.exec_driver_sql(_timeline_statement(what), (project_id,)).scalar_one())


def row_json(connection: Connection, row_id: int, what: Literal["segments", "scenes", "shots"]) -> str:
    """One of them, as in the list. Raises NotFound."""
    view, model, given = _TIMELINE[what]
    table = _table(model)
    statement = f"SELECT {row_sql(view, table, given)} FROM {table.name} WHERE id = ?"
    text = connection.exec_driver_sql(statement, (row_id,)).scalar()
    if text is None:
        raise NotFound("It is not there any more.", hint="Read the list again.")
    return str(text)


@cache
def _timeline_statement(what: str) -> str:
    view, model, given = _TIMELINE[what]
    table = _table(model)
    # SQLite keeps the order of a subquery that an aggregate reads.
    rows = f"SELECT * FROM {table.name} WHERE project_id = ? ORDER BY idx"
    # As bytes it goes to the client untouched; as text it would be decoded and encoded again.
    return f"SELECT CAST(json_group_array({row_sql(view, table, given)}) AS BLOB) FROM ({rows}) AS {table.name}"


def _table(model: type[Base]) -> Table:
    assert isinstance(model.__table__, Table)
    return model.__table__
