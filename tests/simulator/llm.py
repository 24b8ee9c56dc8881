"""A language model that is a function of its request: fills any JSON schema with plausible data from the prompt.

Hides the walk over JSON Schema. A test that wants meaning registers a responder (`Simulator.respond`); what it says is
sent as it is, so it may break the schema on purpose.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from jsonschema import Draft202012Validator

from tests.simulator.faults import Fault

REFUSAL = "I'm sorry, but I can't help with that request."
MOST_ITEMS = 3
FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT5S",
    "email": "someone@example.org",
    "hostname": "example.org",
    "uri": "https://example.org/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


@dataclass(frozen=True)
class ChatRequest:
    """What a responder sees. prompt: the text of the last user message; schema: of the answer, or None for prose;
    schema_name: its name, "" where it has none; images: contents of pictures sent along; raw: the body."""

    provider: str
    model: str
    system: str
    prompt: str
    schema: dict[str, Any] | None
    schema_name: str
    images: tuple[bytes, ...]
    raw: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the model says. finish: stop, length, refusal, content_filter or tool."""

    text: str
    finish: str = "stop"
    value: Any = field(default=None, compare=False)


def reply(request: ChatRequest, scripted: Callable[[ChatRequest], Any], faults: Callable[..., Fault | None]) -> Reply:
    """The model's answer, as the call's faults leave it. `scripted` gives a responder's answer or None."""
    answer = scripted(request)
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, str):
        text = answer
    else:
        value = answer if answer is not None else (filled(request.schema, request.prompt) if request.schema else None)
        text = prose(request.prompt) if value is None else json.dumps(value, ensure_ascii=False)
    return _spoiled(text, request, faults)


def _spoiled(text: str, request: ChatRequest, faults: Callable[..., Fault | None]) -> Reply:
    if fault := faults("refusal"):
        return Reply(fault.text or REFUSAL, "refusal")
    if faults("empty_content"):
        return Reply("")
    if faults("half_content"):
        return Reply(text[: len(text) // 2], "length")
    if fault := faults("malformed_content"):
        return Reply(fault.text or f"Sure! Here is the JSON:\n```json\n{text[:-1]},\n```\nAnything else?")
    if faults("schema_breaking") and request.schema:
        return Reply(json.dumps(broken(json.loads(text)), ensure_ascii=False))
    return Reply(text)


def broken(value: Any) -> Any:
    """The same answer with a wrong type in place of its first leaf's container, and a name nobody asked for."""
    if isinstance(value, dict) and value:
        first = next(iter(value))
        return {**{key: item for key, item in value.items() if key != first}, "unexpected": None, first: {"oops": []}}
    return {"unexpected": value}


def prose(prompt: str) -> str:
    words = _words(prompt)
    return f"Once, {' '.join(words[:12]).lower()}. Then {' '.join(words[12:24]).lower() or 'it was over'}."


def filled(schema: dict[str, Any], prompt: str) -> Any:
    """Data that the schema accepts, the same for the same prompt. Raises ValueError if none was found."""
    validator = Draft202012Validator(schema)
    for attempt in range(8):
        lot = hashlib.sha256(f"{attempt}|{prompt}".encode()).digest()
        value = _Filler(schema, _words(prompt), random.Random(lot)).value(schema, "", 0)
        if validator.is_valid(value):
            return value
    error = next(validator.iter_errors(value))
    raise ValueError(f"the default model cannot fill this schema ({error.message[:200]}); register a responder")


def _words(prompt: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", prompt)[:4000] or ["story"]


class _Filler:
    def __init__(self, root: dict[str, Any], words: list[str], lot: random.Random) -> None:
        self._root, self._words, self._lot = root, words, lot

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, dict):
            return "anything"
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._lot.choice(schema["enum"])
        if options := schema.get("anyOf") or schema.get("oneOf"):
            rest = {key: item for key, item in schema.items() if key not in ("anyOf", "oneOf")}
            simple = [one for one in options if not (depth > 6 and "$ref" in one)] or options
            return self.value({**rest, **self._resolved(self._lot.choice(simple))}, name, depth + 1)
        kind = schema.get("type") or (
            "object" if "properties" in schema else "array" if "items" in schema else "string"
        )
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        return self._of_kind(kind, schema, name, depth)

    def _of_kind(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            wanted = schema.get("properties", {})
            required = schema.get("required", [])
            names = [one for one in wanted if one in required or depth < 6]
            names += [one for one in required if one not in wanted]
            return {one: self.value(wanted.get(one, {}), one, depth + 1) for one in names}
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return self._number(schema, kind)
        if kind == "boolean":
            return self._lot.random() < 0.5
        return None if kind == "null" else self._text(schema, name)

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        low = schema.get("minItems", 0)
        high = schema.get("maxItems", max(low, MOST_ITEMS))
        count = max(low, min(high, 1 if depth > 6 else self._lot.randint(1, MOST_ITEMS)))
        first = [self.value(one, name, depth + 1) for one in schema.get("prefixItems", [])]
        items: list[Any] = list(first)
        for _ in range(50 * count):
            if len(items) >= count:
                break
            item = self.value(schema.get("items", {}), name, depth + 1)
            if not schema.get("uniqueItems") or item not in items:
                items.append(item)
        return items

    def _number(self, schema: dict[str, Any], kind: str) -> int | float:
        step = schema.get("multipleOf", 1 if kind == "integer" else 0)
        low = schema.get(
            "minimum", schema.get("exclusiveMinimum", 0) + (step or 0.01 if "exclusiveMinimum" in schema else 0)
        )
        high = schema.get(
            "maximum", schema.get("exclusiveMaximum", low + 6) - (step or 0.01 if "exclusiveMaximum" in schema else 0)
        )
        drawn = self._lot.uniform(low, max(low, high))
        if step:
            first = -(-low // step)
            drawn = max(first, min(high // step, round(drawn / step))) * step
        return int(drawn) if kind == "integer" else round(drawn, 3) if low < round(drawn, 3) <= high else drawn

    def _text(self, schema: dict[str, Any], name: str) -> str:
        if pattern := schema.get("pattern"):
            return matching(pattern, self._lot)
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        low, high = schema.get("minLength", 0), schema.get("maxLength", 10_000)
        lower = name.lower()
        if lower in ("id", "key") or lower.endswith("_id"):
            said = f"{self._lot.choice(self._words).lower()}_{self._lot.randint(1, 99)}"
        elif lower == "language":
            said = "en"
        else:
            count = self._lot.randint(1, 2) if "name" in lower or "title" in lower else self._lot.randint(6, 12)
            start = self._lot.randrange(len(self._words))
            said = " ".join((self._words * 2)[start : start + count])
            said = said.title() if count < 3 else said[:1].upper() + said[1:]
        while len(said) < low:
            said += " " + self._lot.choice(self._words)
        return said[:high].strip().ljust(low, "x")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            target: Any = self._root
            for part in schema["$ref"].lstrip("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")] if part else target
            schema = {**{key: item for key, item in schema.items() if key != "$ref"}, **target}
        merged = dict(schema)
        for one in merged.pop("allOf", []):
            part = self._resolved(one)
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            required = [*merged.get("required", []), *part.get("required", [])]
            merged = {**merged, **part, **({"properties": properties, "required": required} if properties else {})}
        return merged


def matching(pattern: str, lot: random.Random) -> str:
    """A string that matches a plain regular expression (no look-around, no back-references)."""
    return "".join(_piece(op, given, lot) for op, given in _parser.parse(pattern))


def _piece(op: Any, given: Any, lot: random.Random) -> str:
    if op is _constants.LITERAL:
        return chr(given)
    if op is _constants.IN:
        return _from_set(given, lot)
    if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        low, high, inner = given
        count = lot.randint(low, min(int(high), low + 3))
        return "".join(_piece(one, what, lot) for _ in range(count) for one, what in inner)
    if op is _constants.SUBPATTERN:
        return "".join(_piece(one, what, lot) for one, what in given[3])
    if op is _constants.BRANCH:
        return "".join(_piece(one, what, lot) for one, what in lot.choice(given[1]))
    return "" if op is _constants.AT else "a"


def _from_set(given: list[Any], lot: random.Random) -> str:
    if given[0][0] is _constants.NEGATE:
        return next(sign for sign in "abc123-_ " if not _within(sign, given[1:]))
    op, what = lot.choice(given)
    if op is _constants.RANGE:
        return chr(lot.randint(*what))
    if op is _constants.CATEGORY:
        return {_constants.CATEGORY_DIGIT: "7", _constants.CATEGORY_SPACE: " "}.get(what, "a")
    return chr(what)


def _within(sign: str, given: list[Any]) -> bool:
    number = ord(sign)
    return any(
        what[0] <= number <= what[1]
        if op is _constants.RANGE
        else what == number
        if op is _constants.LITERAL
        else False
        for op, what in given
    )
