"""Chat completions as OpenAI, OpenRouter and OpenAI-compatible servers share them: request, schema rules, answer."""

from __future__ import annotations

from typing import Any

from tests.simulator import chat_pictures, llm
from tests.simulator.call import Answer, Call
from tests.simulator.faults import Fault
from tests.simulator.providers.base import Model, Provider
from tests.simulator.schemas import Schema, anything, choice, flag, integer, listed, number, obj, problems, text

STRING_OR_PARTS: Schema = {
    "anyOf": [
        {"type": "string"},
        {"type": "null"},
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    obj(("type", "text"), type={"const": "text"}, text=text(), cache_control=anything()),
                    obj(
                        ("type", "image_url"),
                        type={"const": "image_url"},
                        image_url=obj(
                            ("url",),
                            url={"type": "string", "pattern": "^(data:|https?://)"},
                            detail=choice("auto", "low", "high"),
                        ),
                    ),
                ]
            },
        },
    ]
}
MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": choice("system", "developer", "user", "assistant", "tool"), "content": STRING_OR_PARTS},
    "required": ["role", "content"],
}
FORMAT: Schema = {
    "anyOf": [
        obj(("type",), type={"const": "text"}),
        obj(("type",), type={"const": "json_object"}),
        obj(
            ("type", "json_schema"),
            type={"const": "json_schema"},
            json_schema=obj(
                ("name", "schema"),
                name={"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
                description=text(),
                schema={"type": "object"},
                strict=flag(),
            ),
        ),
    ]
}
PLAIN: dict[str, Schema] = {
    "model": text(shortest=1),
    "messages": listed(MESSAGE, 1),
    "response_format": FORMAT,
    "max_tokens": integer(1),
    "max_completion_tokens": integer(1),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "stop": anything(),
    "seed": {"type": ["integer", "null"]},
    "n": integer(1, 1),
    "stream": {"const": False},
    "user": text(),
    "metadata": {"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string"}},
    "reasoning_effort": text(),
    "store": flag(),
    "tools": anything(),
    "tool_choice": anything(),
}
CHAT_MODEL_PRICE = (1, 4)


class ChatCompletions(Provider):
    """Shared by the providers of this protocol. `request_schema`: what the body may hold."""

    request_schema: Schema = obj(("model", "messages"), **PLAIN)

    def model_of(self, call: Call) -> str:
        return str(call.body.get("model", "")) if isinstance(call.body, dict) else ""

    def chat(self, call: Call) -> Answer:
        if not isinstance(call.body, dict):
            return self.error(400, "The body is not valid JSON", "invalid_request")
        if wrong := problems(self.request_schema, call.body):
            return self.error(400, f"{wrong[0].field}: {wrong[0].message}", "invalid_request")
        schema, strict, name = wanted(call.body)
        if schema is not None and strict and self.world.options["strict_schemas"] and (why := not_strict(schema, "$")):
            return self.error(400, f"Invalid schema for response_format '{name}': {why}", "invalid_request")
        try:
            images = pictures(call.body, self.picture_limits(call))
        except chat_pictures.Refused as refusal:
            return self.error(400, str(refusal), "invalid_image")
        if fault := call.fault("moderation"):
            self._charge(call, 0)
            return self.moderated(call, fault)
        request = llm.ChatRequest(
            self.name, call.model, said(call.body, "system"), said(call.body, "user"),
            schema if self.heeds_format(call.body) else None, name, images, call.body,
        )  # fmt: skip
        scripted = self.world.scripted_answer
        reply = llm.reply(request, lambda one: scripted(self.name, "chat", one), call.fault)
        cost = self._charge(call, len(reply.text))
        if fault := call.fault("embedded_error"):
            return self.embedded(call, reply, fault)
        return Answer.json(self.completion(call, reply, cost))

    def completion(self, call: Call, reply: llm.Reply, cost: int) -> dict[str, Any]:
        """The answer's body; `cost` in micro-dollars."""
        asked, told = len(call.raw) // 4, max(1, len(reply.text) // 4)
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
        if reply.finish == "refusal":
            message |= {"content": None, "refusal": reply.text}
        finish = {"refusal": "stop", "tool": "tool_calls"}.get(reply.finish, reply.finish)
        return {
            "id": f"chatcmpl-{call.job[:24]}",
            "object": "chat.completion",
            "created": int(call.at),
            "model": call.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
            "usage": {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told},
        }

    def picture_limits(self, call: Call) -> chat_pictures.Limits:
        return chat_pictures.OPENAI

    def moderated(self, call: Call, fault: Fault) -> Answer:
        return self.error(
            400, fault.text or "Your request was rejected by our safety system.", "content_policy_violation"
        )

    def embedded(self, call: Call, reply: llm.Reply, fault: Fault) -> Answer:
        return Answer.json(
            {"error": {"message": "Upstream error", "type": "server_error", "param": None, "code": None}}
        )

    def heeds_format(self, body: dict[str, Any]) -> bool:
        """Whether the model that answers keeps to the response format."""
        return True

    def _charge(self, call: Call, signs: int) -> int:
        """The chat is on the bill and its time passes; the cost in micro-dollars."""
        cost = (len(call.raw) * CHAT_MODEL_PRICE[0] + signs * CHAT_MODEL_PRICE[1]) // 4
        charge_sync(
            self, call, Model(call.model, "chat", {}, lambda studio, params: None, lambda params: cost), call.body
        )
        return cost


def charge_sync(provider: Provider, call: Call, model: Model, inputs: dict[str, Any]) -> None:
    """Work that is done while the client waits: on the bill at once, and the latency passes."""
    world = provider.world
    digest = world.files.digest(provider.name, model.slug, inputs)
    call.job, call.generation = world.jobs.new_id(provider.name, digest), provider.generation_of(call)
    world.bill.charge(
        at=world.clock.now(), provider=provider.name, operation=call.operation, model=model.slug, job=call.job,
        digest=digest, generation=call.generation, micro_dollars=model.price(inputs), state="succeeded",
        faults=tuple(fault.kind for fault in call.faults),
    )  # fmt: skip
    world.clock.wait_until(world.clock.now() + world.clock.scaled(world.latency[model.kind]))


def wanted(body: dict[str, Any]) -> tuple[dict[str, Any] | None, bool, str]:
    """(schema, strict, name) of the answer; the schema is None where prose is wanted."""
    form = body.get("response_format") or {"type": "text"}
    if form["type"] == "json_schema":
        inner = form["json_schema"]
        return inner["schema"], inner.get("strict") is True, inner["name"]
    return ({"type": "object"}, False, "") if form["type"] == "json_object" else (None, False, "")


def not_strict(schema: Any, where: str) -> str:
    """Why a schema cannot be `strict`: there, objects are closed and every property is required. "" if it can."""
    if isinstance(schema, list):
        return next((why for number, one in enumerate(schema) if (why := not_strict(one, f"{where}[{number}]"))), "")
    if not isinstance(schema, dict):
        return ""
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            return f"In {where}, 'additionalProperties' is required to be supplied and to be false."
        missing = set(schema.get("properties", {})) - set(schema.get("required", []))
        if missing:
            return f"In {where}, 'required' has to include every key in properties. Missing '{sorted(missing)[0]}'."
    parts = [(f"{where}.{name}", sub) for name, sub in (schema.get("properties") or {}).items()]
    parts += [(f"{where}.{name}", sub) for name, sub in (schema.get("$defs") or {}).items()]
    parts += [(f"{where}.{key}", schema[key]) for key in ("items", "anyOf", "prefixItems") if key in schema]
    return next((why for place, sub in parts if (why := not_strict(sub, place))), "")


def said(body: dict[str, Any], role: str) -> str:
    """The text of the last message of that role (of all, for the system)."""
    roles = ("system", "developer") if role == "system" else (role,)
    texts = [_text_of(message["content"]) for message in body["messages"] if message["role"] in roles]
    return "\n".join(texts) if role == "system" else (texts[-1] if texts else "")


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def pictures(body: dict[str, Any], limits: chat_pictures.Limits) -> tuple[bytes, ...]:
    """Pictures sent as `data:` addresses. Raises chat_pictures.Refused."""
    parts = [part for one in body["messages"] if isinstance(one["content"], list) for part in one["content"]]
    addresses = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return chat_pictures.contents([sent for one in addresses if (sent := chat_pictures.of_address(one))], limits)
