"""What a request brings, checked: the JSON object of its body, the parameters of its address, the files of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from werkzeug.datastructures import FileStorage

from pipeline.errors import InvalidInput
from pipeline.projects import Text as Text
from pipeline.projects import invalid
from server.http import Refused

_FORM_ROOM = 1 << 20  # beside the files of an upload: part headers and form fields


class Body(BaseModel):
    """The JSON object of a request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """The parameters behind the question mark; numbers are `Whole`."""

    model_config = ConfigDict(extra="forbid")


def _digits(value: object) -> object:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise ValueError("it has to be a whole number")
        return int(value)
    return value


Whole = Annotated[int, BeforeValidator(_digits)]
Version = Annotated[
    int | None, Field(ge=1, lt=1 << 31, description="The version that was seen; an old one is refused with 409.")
]


@dataclass(frozen=True)
class Files:
    """An upload (`multipart/form-data`): one to `most` files in parts called `name`, each at most `largest` bytes.

    The view gets `files`, a list of werkzeug's FileStorage. A `body` beside it is read from the form's other parts.
    """

    name: str
    largest: int
    most: int = 1
    types: tuple[str, ...] = ("image/*",)

    @property
    def room(self) -> int:
        return self.most * self.largest + _FORM_ROOM


def json_object() -> dict[str, Any]:
    """The request's body, which has to be a JSON object; none at all counts as an empty one. Raises Refused."""
    raw = request.get_data()
    if not raw:
        return {}
    if not request.is_json:
        raise Refused("The body has to be JSON.", hint="Send it as application/json.", code="unsupported_media_type")
    try:
        body = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Refused("The body has to be a JSON object.")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def validated(kind: type[BaseModel], given: Mapping[str, Any], *, strict: bool | None = None) -> BaseModel:
    """Raises InvalidInput, whose `field` names what is wrong."""
    try:
        return kind.model_validate(given, strict=strict)
    except ValidationError as error:
        raise invalid(error) from None


def parameters(kind: type[BaseModel]) -> dict[str, Any]:
    """The query as `kind` takes it. Raises InvalidInput."""
    lists = {info.alias or name for name, info in kind.model_fields.items() if _is_list(info.annotation)}
    for name, given in request.args.lists():
        if len(given) > 1 and name not in lists:
            raise InvalidInput(f"{name[:60]} is given more than once.", field=name)
    return {name: given if name in lists else given[0] for name, given in request.args.lists()}


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(part) is list for part in get_args(annotation))


def uploads(wanted: Files) -> list[FileStorage]:
    """The files of a form. Raises Refused (no form, too large) and InvalidInput (none, too many, in other parts)."""
    request.max_content_length = wanted.room
    if request.mimetype != "multipart/form-data":
        raise Refused(
            f"The upload has to be a form with a part called {wanted.name}.",
            hint="Send it as multipart/form-data.",
            code="unsupported_media_type",
        )
    others = [name for name in request.files if name != wanted.name]
    if others:
        raise InvalidInput(f"There is no file field called {others[0][:60]!r}.", field=others[0])
    files = request.files.getlist(wanted.name)
    if not files:
        raise InvalidInput("No file was sent.", hint=f"Send it in a part called {wanted.name}.", field=wanted.name)
    if len(files) > wanted.most:
        raise InvalidInput(f"At most {wanted.most} file(s) can be sent at once.", field=wanted.name)
    for file in files:
        if file.stream.seek(0, 2) > wanted.largest:
            raise Refused("A file is too large.", hint=f"The limit is {wanted.largest >> 20} MB.", code="too_large")
        file.stream.seek(0)
    return files
