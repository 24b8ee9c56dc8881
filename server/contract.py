"""What a route takes, what it answers and how it can fail, declared once.

From the declaration the request is checked, the answer is written, and the API's description is made
(`server/openapi.py`), so that the three cannot part. Every route has one; a test holds that.

    class NewBell(Body):
        name: Text = Field(max_length=80)

    class BellAnswer(Answer):
        id: int
        name: str

    @room.post("/projects/<int:project_id>/bells")
    @api(body=NewBell, answers={201: BellAnswer}, problems=("conflict",), spends=True, location="/api/bells/{id}")
    def hang(project_id: int, body: NewBell, turn: Turn) -> BellAnswer:
        \"\"\"Hangs a bell in a project.

        This first line is the route's summary, the rest its description.
        \"\"\"
        with services().store.db.write(durable=True) as session:
            ...
            turn.keep(session, answer)
        return answer

A view gets the address's own values and, where they are declared, `body`, `query` and `files`. It returns

- a model, or a dict that the answer's model then checks: written as JSON with the declared status (the lowest, where
  there are several; `(model, 202)` names another);
- None where `answers` has a status with None (204);
- a finished Response (a file, a stream, JSON that SQLite built: `json_text`), which goes out as it is.

It refuses by raising a ProductError; `problems` lists the codes of the route's own, and those that follow from the
declaration (a body that is no JSON, a path to nothing) are known without.

Bodies and queries refuse what they do not know. A missing body counts as `{}`. Names in URLs and JSON are the field's
names or their aliases. Text that is kept is typed `Text`: what no database carries is refused with 422.

`spends`: a repeat of the request with the same `Idempotency-Key` gets the first answer again, and nothing is done
twice. A view that does its work in one write takes `turn` and calls `turn.keep(session, answer)` inside that write, so
that a crash leaves both or neither; without it, the answer is kept when the view has returned.

`polled`: a function from the address's values to a version (`of_project`, `of_everything`, or your own). The answer
gets it as its ETag, and a client that has it gets 304 without the view being called. A version is the event cursor:
whoever changes what is polled logs an event in the same write. With `shared_s`, clients that ask for the same at about
the same time get one answer, at most so many seconds old.

A row that two screens may edit has a `version`: the body of its PATCH takes it (`version: Version = None`), and
`pipeline.projects.check_version` refuses an old one with `stale_version`.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.datastructures import FileStorage

from server.answers import Turn
from server.http import services, unchanged, versioned
from server.incoming import Body, Files, Query, Text, Version, Whole, json_object, parameters, uploads, validated

__all__ = [
    "WORK_PROBLEMS",
    "Answer",
    "Body",
    "Declaration",
    "Files",
    "Page",
    "Paged",
    "Query",
    "Raw",
    "Text",
    "Turn",
    "Version",
    "Whole",
    "api",
    "declaration_of",
    "json_text",
    "of_everything",
    "of_project",
]

Item = TypeVar("Item")
View = Callable[..., Any]

# What work at providers and engines can end with, where a route waits for it.
WORK_PROBLEMS = (
    "conflict",
    "needs_setup",
    "budget_reached",
    "queue_halted",
    "submit_ambiguous",
    "moderation_refused",
    "moderation_unavailable",
    "provider_auth",
    "provider_billing",
    "provider_rate_limit",
    "provider_invalid_input",
    "provider_unavailable",
    "provider_timeout",
    "result_expired",
    "download_failed",
    "bad_media",
    "engine_failed",
    "engine_timeout",
)


class Answer(BaseModel):
    """The JSON object of an answer: exactly these fields, all of them always there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Page(Answer, Generic[Item]):
    """A list. `next` goes into the `cursor` of the next request; null at the end."""

    items: list[Item]
    next: str | None = None


class Paged(Query):
    """Where a list goes on, and how much of it is wanted at once."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20


@dataclass(frozen=True)
class Raw:
    """An answer in a form of its own: a file, a stream. `ranges`: it can be asked for in parts."""

    media_types: tuple[str, ...]
    ranges: bool = False


Shape = type[BaseModel] | Raw | None


@dataclass(frozen=True)
class Declaration:
    """All that is known of a route. `summary` and `description` are its docstring's."""

    answers: Mapping[int, Shape | tuple[Shape, ...]]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    files: Files | None = None
    takes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    spends: bool = False
    polled: Callable[..., str] | None = None
    shared_s: float = 0.0
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    security: str | None = "login"
    summary: str = ""
    description: str = ""

    @property
    def status(self) -> int:
        """The status of an answer that names none."""
        return min(self.answers)


def api(
    *,
    answers: Mapping[int, Shape | tuple[Shape, ...]],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    files: Files | None = None,
    takes: Sequence[str] = (),
    problems: Sequence[str] = (),
    spends: bool = False,
    polled: Callable[..., str] | None = None,
    shared_s: float = 0.0,
    location: str = "",
    headers: Mapping[str, str] | None = None,
    security: str | None = "login",
) -> Callable[[View], View]:
    """Declares the view below it; stands between the blueprint's decorator and the function.

    `takes`: media types of a body that the view reads by itself. `location`: the Location header, filled in from the
    answer. `headers`: further request headers that the view reads, with what they mean. `security`: "login", "hermes"
    (a bearer token), or None for what anyone may ask.
    """

    def declare(view: View) -> View:
        summary, _, description = (inspect.getdoc(view) or "").partition("\n")
        declaration = Declaration(
            answers=dict(answers),
            body=body,
            query=query,
            files=files,
            takes=tuple(takes),
            problems=tuple(problems),
            spends=spends,
            polled=polled,
            shared_s=shared_s,
            location=location,
            headers=dict(headers or {}),
            security=security,
            summary=summary.rstrip("."),
            description=description.strip(),
        )
        wants_turn = "turn" in inspect.signature(view).parameters

        @functools.wraps(view)
        def answered(**values: Any) -> Response:
            said = _read(declaration, values)
            if declaration.spends:
                return _once(declaration, view, values | said, said, wants_turn)

            def made() -> Response:
                return _written(declaration, *_answer(declaration, view(**values, **said)))

            if declaration.polled is None:
                return made()
            return _since(declaration.polled(**values), declaration.shared_s, made)

        answered.declaration = declaration  # type: ignore[attr-defined]
        return answered

    return declare


def declaration_of(view: View) -> Declaration | None:
    """What was declared of a registered view."""
    return getattr(view, "declaration", None)


# --- Reading ----------------------------------------------------------------------------------------


def _read(declaration: Declaration, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the view gets beside the address's own values. Raises InvalidInput and Refused."""
    said: dict[str, Any] = {}
    if declaration.query is not None:
        said["query"] = validated(declaration.query, parameters(declaration.query))
    if declaration.files is not None:
        said["files"] = uploads(declaration.files)
        if declaration.body is not None:
            said["body"] = validated(declaration.body, request.form.to_dict(), strict=False)
    elif declaration.body is not None:
        said["body"] = validated(declaration.body, json_object())
    return said


# --- Answering --------------------------------------------------------------------------------------


def _since(version: str, shared_s: float, made: Callable[[], Response]) -> Response:
    """Nothing where the client has this version; else the answer, marked with it."""
    same = unchanged(version)
    if same is not None:
        return same
    if shared_s:
        response = json_text(services().shared.value(request.full_path, version, shared_s, lambda: made().data))
    else:
        response = made()
    return response if "Cache-Control" in response.headers else versioned(response, version)


def _once(
    declaration: Declaration, view: View, given: dict[str, Any], said: Mapping[str, Any], wants_turn: bool
) -> Response:
    key = request.headers.get("Idempotency-Key")
    with services().answers.turn(key, request.path, lambda: _fingerprint(said)) as turn:
        if turn.answer is not None:
            return _json(declaration, *turn.answer)
        turn.status = declaration.status
        result, status = _answer(declaration, view(**given, turn=turn) if wants_turn else view(**given))
        if isinstance(result, Response):
            raise TypeError("what spends answers with a model, so that the answer can be kept")
        content = result.model_dump(mode="json", by_alias=True) if result is not None else {}
        if turn.row is not None and not turn.kept:
            with services().store.db.write() as session:
                turn.keep(session, content, status)
        return _json(declaration, status, content)


def _fingerprint(said: Mapping[str, Any]) -> Any:
    """What makes a request the same as another one with its key."""
    if "files" in said:
        return [request.form.to_dict(), [_sha256(file) for file in said["files"]]]
    return json_object() if "body" in said else {}


def _sha256(file: FileStorage) -> str:
    sum_ = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    file.stream.seek(0)
    return sum_


def _answer(declaration: Declaration, result: Any) -> tuple[BaseModel | Response | None, int]:
    """The view's result as a checked model (or a finished response) and its status."""
    status = declaration.status
    if isinstance(result, tuple):
        result, status = result
    if isinstance(result, dict):
        shape = declaration.answers[status]
        kinds = shape if isinstance(shape, tuple) else (shape,)
        kind = next(kind for kind in kinds if isinstance(kind, type))
        result = kind.model_validate(result)
    return result, status


def _written(declaration: Declaration, result: BaseModel | Response | None, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=status)
    return _json(declaration, status, result.model_dump(mode="json", by_alias=True))


def _json(declaration: Declaration, status: int, content: dict[str, Any]) -> Response:
    response = json_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), status)
    if declaration.location:
        response.headers["Location"] = declaration.location.format_map(content)
    return response


def json_text(text: str | bytes, status: int = 200) -> Response:
    """JSON that is written already, e.g. by SQLite; bytes are UTF-8."""
    content = text if isinstance(text, bytes) else text.encode()
    return Response(content, status=status, mimetype="application/json")


# --- Versions of what is polled -----------------------------------------------------------------------


def of_project(project_id: int, **_: Any) -> str:
    """Changes with every event of the project."""
    return _version(project_id)


def of_everything(**_: Any) -> str:
    """Changes with every event."""
    return _version(None)


def _version(project_id: int | None) -> str:
    store = services().store
    return f"{store.boot_id}-{store.events.newest(project_id)}"
