"""The API's description (OpenAPI 3.1), made from what the routes declare and the models that check them. Nothing here
is written by hand for a single route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal

from flask import Flask
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from server.contract import Declaration, Raw, Shape, declaration_of
from server.http import STATUS

Mode = Literal["validation", "serialization"]
_REF = "#/components/schemas/{model}"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CONVERTED = re.compile(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>")
_ALWAYS = ("wrong_host", "forbidden", "internal", "store_unavailable", "shutting_down")
_ON_CHANGE = ("disk_full",)
_WITH_BODY = ("bad_request", "too_large", "unsupported_media_type", "invalid_input")
_CLOSED: dict[str | None, tuple[str, ...]] = {"login": ("login_required",), "hermes": ("wrong_token", "hermes_closed")}
_LARGEST_ID = (1 << 63) - 1
_SECURITY = {
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "video_story",
        "description": "The cookie of a login (POST /api/login); not needed where the server has no passphrase.",
    },
    "hermes": {"type": "http", "scheme": "bearer", "description": "HERMES_TOKEN."},
}


class Problem(BaseModel):
    """Why a request was refused, or what went wrong (RFC 9457). `code` never changes its meaning; `hint` says what to
    do, and `field` names bad input, where there is something to say.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["about:blank"]
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""
    field: str = ""


def description(app: Flask, *, title: str, version: str) -> dict[str, Any]:
    """The whole document. Routes without a declaration (the page's own files) are not part of it."""
    routes = list(_routes(app))
    refs, components = _schemas(declaration for _, _, declaration in routes)
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, declaration in routes:
        place = paths.setdefault(_CONVERTED.sub(r"{\1}", rule.rule), {})
        place[method.lower()] = _operation(rule, method, declaration, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


def _routes(app: Flask) -> Iterator[tuple[Rule, str, Declaration]]:
    for rule in app.url_map.iter_rules():
        declaration = declaration_of(app.view_functions[rule.endpoint])
        if declaration is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, declaration


def _shapes(declaration: Declaration, status: int) -> tuple[Shape, ...]:
    shape = declaration.answers[status]
    return shape if isinstance(shape, tuple) else (shape,)


def _schemas(declarations: Iterator[Declaration]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Every model's schema, or a reference to it, by (model, mode); and what is referred to."""
    wanted: dict[tuple[type[BaseModel], Literal["validation", "serialization"]], None] = {
        (Problem, "serialization"): None
    }
    for declaration in declarations:
        for model in (declaration.body, declaration.query):
            if model is not None:
                wanted[model, "validation"] = None
        for status in declaration.answers:
            for shape in _shapes(declaration, status):
                if isinstance(shape, type):
                    wanted[shape, "serialization"] = None
    refs, schema = models_json_schema(list(wanted), ref_template=_REF)
    return refs, schema.get("$defs", {})


def _operation(rule: Rule, method: str, declaration: Declaration, refs: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": declaration.summary,
        "parameters": [*_path(rule), *_query(declaration, refs), *_headers(declaration)],
        "responses": _responses(rule, method, declaration, refs),
    }
    if declaration.description:
        operation["description"] = declaration.description
    body = _body(declaration, refs)
    if body is not None:
        operation["requestBody"] = body
    if declaration.security:
        operation["security"] = [{declaration.security: []}]
    return operation


def _path(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(rule, name)}
        for name in _CONVERTED.findall(rule.rule)
    ]


def _path_schema(rule: Rule, name: str) -> dict[str, Any]:
    converter = rule._converters[name]
    kind = type(converter).__name__
    if kind == "IntegerConverter":
        return {"type": "integer", "minimum": 0, "maximum": _LARGEST_ID}
    items = getattr(converter, "items", None)
    return {"type": "string", "enum": sorted(items)} if items else {"type": "string", "minLength": 1}


def _query(declaration: Declaration, refs: dict[Any, Any]) -> list[dict[str, Any]]:
    if declaration.query is None:
        return []
    schema = declaration.query.model_json_schema(ref_template=_REF)
    required = schema.get("required", ())
    found = []
    for name, given in schema.get("properties", {}).items():
        said = {key: value for key, value in given.items() if key not in ("default", "title", "description")}
        said = _without_null(said)
        if given.get("default") is not None:
            said["default"] = given["default"]
        parameter = {"name": name, "in": "query", "required": name in required, "schema": said}
        found.append(parameter | ({"description": given["description"]} if "description" in given else {}))
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out; null has no form in a query."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _headers(declaration: Declaration) -> list[dict[str, Any]]:
    said = dict(declaration.headers)
    if declaration.spends:
        said["Idempotency-Key"] = "A repeat with the same key and the same request gets the first answer again."
    if declaration.polled:
        said["If-None-Match"] = "The ETag of an earlier answer: 304 while nothing has changed."
    return [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": text}
        for name, text in said.items()
    ]


def _body(declaration: Declaration, refs: dict[Any, Any]) -> dict[str, Any] | None:
    if declaration.takes:
        return {"content": {kind: {} for kind in declaration.takes}}
    model = declaration.body
    if declaration.files is not None:
        file: dict[str, Any] = {"type": "string", "format": "binary"}
        many = declaration.files.most > 1
        content: dict[str, Any] = {"type": "array", "items": file, "maxItems": declaration.files.most} if many else file
        fields: dict[str, Any] = model.model_json_schema(ref_template=_REF) if model else {"type": "object"}
        fields["properties"] = {declaration.files.name: content, **fields.get("properties", {})}
        fields["required"] = [declaration.files.name, *fields.get("required", ())]
        encoding = {declaration.files.name: {"contentType": ", ".join(declaration.files.types)}}
        return {"required": True, "content": {"multipart/form-data": {"schema": fields, "encoding": encoding}}}
    if model is None:
        return None
    required = any(info.is_required() for info in model.model_fields.values())
    return {"required": required, "content": {"application/json": {"schema": refs[model, "validation"]}}}


def _responses(rule: Rule, method: str, declaration: Declaration, refs: dict[Any, Any]) -> dict[str, Any]:
    responses: dict[int, dict[str, Any]] = {}
    for status in declaration.answers:
        responses[status] = _answer(declaration, status, refs)
    ranged = any(
        isinstance(shape, Raw) and shape.ranges
        for status in declaration.answers
        for shape in _shapes(declaration, status)
    )
    if ranged:
        responses[206] = responses[200] | {"description": HTTPStatus(206).phrase}
        responses[416] = _problem(416, ("range_not_satisfiable",), refs)
    if ranged or declaration.polled:
        responses[304] = {"description": "Nothing has changed."}
    codes: dict[int, list[str]] = {}
    for code in _codes(rule, method, declaration):
        codes.setdefault(STATUS.get(code, 500), []).append(code)
    for status, names in codes.items():
        responses.setdefault(status, _problem(status, tuple(dict.fromkeys(names)), refs))
    return {str(status): responses[status] for status in sorted(responses)}


def _codes(rule: Rule, method: str, declaration: Declaration) -> list[str]:
    codes = [*declaration.problems, *_ALWAYS, *_CLOSED.get(declaration.security, ())]
    if method not in _READS:
        codes += _ON_CHANGE
    if rule.arguments:
        codes.append("not_found")
        # A path that fits no rule of this method may fit one of another.
        codes.append("method_not_allowed")
    if declaration.body is not None or declaration.files is not None:
        codes += _WITH_BODY
    if declaration.query is not None or declaration.spends or declaration.headers:
        codes.append("invalid_input")
    return codes


def _answer(declaration: Declaration, status: int, refs: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    models: list[dict[str, Any]] = []
    for shape in _shapes(declaration, status):
        if isinstance(shape, Raw):
            content |= {kind: {} for kind in shape.media_types}
        elif shape is not None:
            models.append(refs[shape, "serialization"])
    if models:
        content["application/json"] = {"schema": models[0] if len(models) == 1 else {"anyOf": models}}
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if content:
        answer["content"] = content
    headers: dict[str, Any] = {}
    if declaration.polled and status == 200:
        headers["ETag"] = {"schema": {"type": "string"}, "description": "The answer's version."}
    if declaration.location:
        headers["Location"] = {"schema": {"type": "string"}, "description": "Where to look from now on."}
    return answer | ({"headers": headers} if headers else {})


def _problem(status: int, codes: tuple[str, ...], refs: dict[Any, Any]) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "content": {"application/problem+json": {"schema": refs[Problem, "serialization"]}},
    }
