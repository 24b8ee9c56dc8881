"""A small language for what a model takes, and the check of an input against it.

Schemas are JSON Schema. A string that names a file carries `x-file`: what kind of file and within which limits;
those are checked once the file is loaded (`checks.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]


def text(longest: int | None = None, default: str | None = None, shortest: int = 0) -> Schema:
    schema: Schema = {"type": "string"}
    if longest is not None:
        schema["maxLength"] = longest
    if shortest:
        schema["minLength"] = shortest
    return _with(schema, default)


def integer(low: int | None = None, high: int | None = None, default: int | None = None, step: int = 0) -> Schema:
    return _with(_ranged({"type": "integer"}, low, high, step), default)


def number(low: float | None = None, high: float | None = None, default: float | None = None) -> Schema:
    return _with(_ranged({"type": "number"}, low, high, 0), default)


def choice(*values: str | int | float, default: str | int | float | None = None) -> Schema:
    kinds = {"string" if isinstance(v, str) else "integer" if isinstance(v, int) else "number" for v in values}
    schema: Schema = {"enum": list(values)}
    if len(kinds) == 1:
        schema["type"] = kinds.pop()
    return _with(schema, default)


def flag(default: bool | None = None) -> Schema:
    return _with({"type": "boolean"}, default)


def file(kind: str, **limits: Any) -> Schema:
    """An address of an image, video or audio; limits as in `checks.py`."""
    return {"type": "string", "pattern": "^(data:|https?://)", "x-file": {"kind": kind, **limits}}


def files(kind: str, fewest: int = 0, most: int | None = None, **limits: Any) -> Schema:
    schema: Schema = {"type": "array", "items": file(kind, **limits), "minItems": fewest}
    if most is not None:
        schema["maxItems"] = most
    return schema


def obj(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object that takes these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def anything() -> Schema:
    return {}


def listed(items: Schema, fewest: int = 0, most: int | None = None) -> Schema:
    schema: Schema = {"type": "array", "items": items, "minItems": fewest}
    return schema if most is None else {**schema, "maxItems": most}


def _ranged(schema: Schema, low: float | None, high: float | None, step: int) -> Schema:
    if low is not None:
        schema["minimum"] = low
    if high is not None:
        schema["maximum"] = high
    if step:
        schema["multipleOf"] = step
    return schema


def _with(schema: Schema, default: Any) -> Schema:
    return schema if default is None else {**schema, "default": default}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input. rule: the schema keyword that it breaks; limit: that keyword's value."""

    where: tuple[str | int, ...]
    rule: str
    message: str
    limit: Any = None
    value: Any = None

    @property
    def field(self) -> str:
        return ".".join(str(part) for part in self.where)


def problems(schema: Schema, value: Any) -> list[Problem]:
    """Everything wrong with `value`, in order of place; unknown and missing names carry the name in `where`."""
    found: list[Problem] = []
    for error in Draft202012Validator(schema).iter_errors(value):
        where = tuple(error.absolute_path)
        if error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            name = next((name for name in missing if f"'{name}'" in error.message), "?")
            found.append(Problem((*where, name), "required", "Field required", None, error.instance))
        elif error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            found += [
                Problem(
                    (*where, name), "unknown", f"Additional property {name} is not allowed", None, error.instance[name]
                )
                for name in error.instance
                if name not in known
            ]
        else:
            found.append(
                Problem(where, str(error.validator), error.message[:300], error.validator_value, error.instance)
            )
    return sorted(found, key=lambda problem: (problem.field, problem.rule))


def with_defaults(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """The input with every default of the schema's top level filled in."""
    defaults = {name: sub["default"] for name, sub in schema.get("properties", {}).items() if "default" in sub}
    return {**defaults, **value}


@dataclass(frozen=True)
class NamedFile:
    """One file that an input names: its place in the input, its address and its limits."""

    where: tuple[str | int, ...]
    address: str
    limits: dict[str, Any]


def named_files(schema: Schema, value: Any, where: tuple[str | int, ...] = ()) -> Iterator[NamedFile]:
    """Every file of a valid input, in the schema's order."""
    if "x-file" in schema and isinstance(value, str):
        yield NamedFile(where, value, schema["x-file"])
    elif isinstance(value, dict):
        for name, sub in schema.get("properties", {}).items():
            if name in value:
                yield from named_files(sub, value[name], (*where, name))
    elif isinstance(value, list) and "items" in schema:
        for number_, item in enumerate(value):
            yield from named_files(schema["items"], item, (*where, number_))
