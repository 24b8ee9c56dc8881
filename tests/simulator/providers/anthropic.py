"""Anthropic's messages: structured output, tools, refusals that are a 200. Base: /anthropic."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tests.simulator import chat_pictures, llm
from tests.simulator.call import Answer, Call
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.chat_completions import charge_sync
from tests.simulator.schemas import Schema, anything, choice, flag, integer, listed, obj, problems, text

PRICE = (3, 15)
SOURCE: Schema = {
    "anyOf": [
        obj(
            ("type", "media_type", "data"),
            type={"const": "base64"},
            media_type=choice(*chat_pictures.FORMATS),
            data=text(shortest=1),
        ),
        obj(("type", "url"), type={"const": "url"}, url={"type": "string", "pattern": "^https?://"}),
        obj(("type", "file_id"), type={"const": "file"}, file_id=text(shortest=1)),
    ]
}
OTHER_PARTS = ("tool_use", "tool_result", "document", "thinking", "redacted_thinking", "search_result")
PART: Schema = {
    "anyOf": [
        obj(("type", "text"), type={"const": "text"}, text=text(shortest=1), cache_control=anything()),
        obj(("type", "source"), type={"const": "image"}, source=SOURCE, cache_control=anything()),
        {"type": "object", "properties": {"type": choice(*OTHER_PARTS)}, "required": ["type"]},
    ]
}
CONTENT: Schema = {"anyOf": [{"type": "string", "minLength": 1}, listed(PART, 1)]}
TOOL = obj(
    ("name", "input_schema"),
    name={"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,128}$"},
    description=text(),
    input_schema={"type": "object", "properties": {"type": {"const": "object"}}, "required": ["type"]},
    strict=flag(),
    cache_control=anything(),
)
MESSAGES = obj(
    ("model", "max_tokens", "messages"),
    model=text(shortest=1),
    max_tokens=integer(1, 128_000),
    messages=listed(obj(("role", "content"), role=choice("user", "assistant"), content=CONTENT), 1),
    system={"anyOf": [{"type": "string"}, listed({"type": "object"})]},
    stop_sequences=listed(text()),
    stream={"const": False},
    tools=listed(TOOL),
    tool_choice={"type": "object", "required": ["type"]},
    output_config=obj(
        format=obj(("type", "schema"), type={"const": "json_schema"}, schema={"type": "object"}),
        effort=choice("low", "medium", "high", "xhigh", "max"),
    ),
    thinking=anything(),
    metadata=obj(user_id=text()),
    service_tier=choice("auto", "standard_only"),
    cache_control=anything(),
)
KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
UNSUPPORTED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
               "pattern", "maxItems", "uniqueItems")  # fmt: skip


class Anthropic(Provider):
    name = "anthropic"
    mounts = ("anthropic",)
    bases: ClassVar = {"ANTHROPIC_BASE_URL": "/anthropic"}
    keys: ClassVar = {"ANTHROPIC_API_KEY": "sk-ant-simulated"}

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", "/anthropic/v1/messages", "chat", self.messages),
            Route("GET", "/anthropic/v1/models", "models", self.models),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        error = {"type": KINDS.get(status, "api_error"), "message": message}
        request_id = f"req_{self.world.next_number():012d}"
        return Answer.json(
            {"type": "error", "error": error, "request_id": request_id}, status, {"request-id": request_id}
        )

    def no_credit(self) -> Answer:
        return self.error(402, "Your credit balance is too low to access the Anthropic API.")

    def authorised(self, call: Call) -> bool:
        return super().authorised(call) or bool(call.headers.get("x-api-key", "").strip())

    def model_of(self, call: Call) -> str:
        return str(call.body.get("model", "")) if isinstance(call.body, dict) else ""

    def models(self, call: Call) -> Answer:
        if "anthropic-version" not in call.headers:
            return self.error(400, "anthropic-version: header is required")
        known = {
            "type": "model",
            "id": "claude-sonnet-5",
            "display_name": "Claude Sonnet 5",
            "created_at": "2026-02-01",
        }
        return Answer.json({"data": [known], "has_more": False, "first_id": known["id"], "last_id": known["id"]})

    def messages(self, call: Call) -> Answer:
        if refused := self._refused(call):
            return refused
        body: dict[str, Any] = call.body
        places = _pictures(body)
        try:
            images = chat_pictures.contents([sent for _, sent in places], chat_pictures.ANTHROPIC)
        except chat_pictures.Refused as refusal:
            place = places[min(refusal.number, len(places) - 1)][0]
            return self.error(400, f"{place}.image.source.base64: {refusal}")
        schema, tool = _wanted(body)
        if fault := call.fault("moderation"):
            return self._answer(call, llm.Reply(fault.text, "refusal"), "")
        if call.fault("embedded_error"):
            self._charge(call, 0)
            return Answer(200, self.error(500, "Internal server error").body)
        request = llm.ChatRequest(
            self.name, call.model, _text(body.get("system", "")), _last(body), schema, tool,
            images, body,
        )  # fmt: skip
        reply = llm.reply(request, lambda one: self.world.scripted_answer(self.name, "chat", one), call.fault)
        return self._answer(call, reply, tool)

    def _refused(self, call: Call) -> Answer | None:
        if "anthropic-version" not in call.headers:
            return self.error(400, "anthropic-version: header is required")
        if wrong := problems(MESSAGES, call.body):
            unknown = wrong[0].rule == "unknown"
            return self.error(
                400, f"{wrong[0].field}: {'Extra inputs are not permitted' if unknown else wrong[0].message}"
            )
        if call.body["messages"][-1]["role"] == "assistant":
            return self.error(400, "This model does not support assistant message prefill.")
        if not call.model.startswith("claude-"):
            return self.error(404, f"model: {call.model}")
        schemas = (
            [call.body["output_config"]["format"]["schema"]] if call.body.get("output_config", {}).get("format") else []
        )
        schemas += [tool["input_schema"] for tool in call.body.get("tools", []) if tool.get("strict")]
        why = next((why for schema in schemas if (why := unsupported(schema, "schema"))), "")
        if why and self.world.options["strict_schemas"]:
            return self.error(400, f"output_config.format.schema: {why}")
        return None

    def _answer(self, call: Call, reply: llm.Reply, tool: str) -> Answer:
        self._charge(call, len(reply.text))
        content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
        stop = {"length": "max_tokens", "refusal": "refusal", "content_filter": "refusal"}.get(reply.finish, "end_turn")
        if tool and stop == "end_turn" and (value := _parsed(reply.text)) is not None:
            stop = "tool_use"
            content = [{"type": "tool_use", "id": f"toolu_{call.job[:20]}", "name": tool, "input": value}]
        found: dict[str, Any] = {
            "id": f"msg_{call.job[:24]}",
            "type": "message",
            "role": "assistant",
            "model": call.model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "stop_details": None,
            "usage": {
                "input_tokens": len(call.raw) // 4,
                "output_tokens": -(-len(reply.text) // 4),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            },
        }
        if stop == "refusal":
            found["stop_details"] = {
                "type": "refusal",
                "category": "general_harms",
                "explanation": reply.text or llm.REFUSAL,
            }
        return Answer.json(found, headers={"request-id": f"req_{call.number:012d}"})

    def _charge(self, call: Call, signs: int) -> int:
        cost = (len(call.raw) * PRICE[0] + signs * PRICE[1]) // 4
        model = Model(call.model, "chat", {}, lambda studio, params: None, lambda params: cost)
        charge_sync(self, call, model, call.body)
        return cost


def unsupported(schema: Any, where: str) -> str:
    """Why the grammar behind structured outputs cannot hold a schema; "" if it can."""
    if isinstance(schema, list):
        return next((why for one in schema if (why := unsupported(one, where))), "")
    if not isinstance(schema, dict):
        return ""
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return f"For 'object' type at {where}, 'additionalProperties' must be explicitly set to false"
    named = next((key for key in UNSUPPORTED if key in schema), "") or (
        "minItems" if schema.get("minItems", 0) > 1 else ""
    )
    if named:
        return f"For '{schema.get('type')}' type at {where}, property '{named}' is not supported"
    parts = [(f"{where}.{name}", sub) for name, sub in (schema.get("properties") or {}).items()]
    parts += [(f"{where}.{name}", sub) for name, sub in (schema.get("$defs") or {}).items()]
    parts += [(f"{where}.{key}", schema[key]) for key in ("items", "anyOf", "allOf") if key in schema]
    return next((why for place, sub in parts if (why := unsupported(sub, place))), "")


def _wanted(body: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """(schema of the answer, name of the tool whose input it is)."""
    form = body.get("output_config", {}).get("format")
    if form:
        return form["schema"], ""
    chosen = body.get("tool_choice", {})
    for tool in body.get("tools", []):
        if chosen.get("type") == "any" or (chosen.get("type") == "tool" and chosen.get("name") == tool["name"]):
            return tool["input_schema"], tool["name"]
    return None, ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _pictures(body: dict[str, Any]) -> list[tuple[str, chat_pictures.Sent]]:
    """(where it is, what was sent) of every picture that is in the request itself."""
    return [
        (f"messages.{at}.content.{number}", chat_pictures.Sent(part["source"]["media_type"], part["source"]["data"]))
        for at, message in enumerate(body["messages"])
        if isinstance(message["content"], list)
        for number, part in enumerate(message["content"])
        if part["type"] == "image" and part["source"]["type"] == "base64"
    ]


def _last(body: dict[str, Any]) -> str:
    return _text(next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user"))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
