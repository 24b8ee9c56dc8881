"""OpenRouter: chat completions with routing, and what a key may know about itself. Base: /openrouter/api/v1."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.simulator import chat_pictures, llm
from tests.simulator.call import Answer, Call
from tests.simulator.faults import Fault
from tests.simulator.providers.base import Route
from tests.simulator.providers.chat_completions import PLAIN, ChatCompletions
from tests.simulator.schemas import anything, choice, flag, integer, listed, obj, text

BASE = "/openrouter/api/v1"
ROUTING = obj(
    order=listed(text()),
    only=listed(text()),
    ignore=listed(text()),
    allow_fallbacks=flag(True),
    require_parameters=flag(False),
    data_collection=choice("allow", "deny"),
    zdr=flag(),
    sort={"anyOf": [choice("price", "throughput", "latency"), {"type": "object"}]},
    quantizations=listed(text()),
    max_price=obj(prompt=anything(), completion=anything(), request=anything(), image=anything()),
)
ERROR_TYPES = {
    "rate_limit": "rate_limit_exceeded",
    "invalid_request": "invalid_request",
    "invalid_image": "invalid_image",
}
BY_STATUS = {
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    500: "server",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
}
MODELS = ("anthropic/claude-sonnet-5", "google/gemini-3-flash", "openai/gpt-5-mini", "qwen/qwen3-235b-a22b")


class OpenRouter(ChatCompletions):
    name = "openrouter"
    mounts = ("openrouter",)
    bases: ClassVar = {"OPENROUTER_BASE_URL": "/openrouter/api/v1"}
    keys: ClassVar = {"OPENROUTER_API_KEY": "sk-or-simulated-management"}
    request_schema = obj(
        ("messages",),
        **PLAIN,
        models=listed(text(shortest=1), 1),
        provider=ROUTING,
        plugins=listed({"type": "object"}),
        reasoning={"type": "object"},
        usage=obj(include=flag()),
        transforms=listed(text()),
        route=text(),
        top_k=integer(0),
    )

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", f"{BASE}/chat/completions", "chat", self.routed),
            Route("GET", f"{BASE}/key", "key", self.about_key),
            Route("GET", f"{BASE}/credits", "credits", self.credits),
            Route("GET", f"{BASE}/models", "models", self.models, open=True),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        known = ERROR_TYPES.get(kind, BY_STATUS.get(status, "unmapped"))
        metadata = {"error_type": known, "provider_name": "Simulated"}
        return Answer.json({"error": {"code": status, "message": message, "metadata": metadata}}, status)

    def model_of(self, call: Call) -> str:
        body = call.body if isinstance(call.body, dict) else {}
        return str(body.get("model") or next(iter(body.get("models") or []), ""))

    def routed(self, call: Call) -> Answer:
        body = call.body if isinstance(call.body, dict) else {}
        if isinstance(body.get("messages"), list) and "/" not in call.model:
            return self.error(400, f"{call.model or 'nothing'} is not a valid model ID", "invalid_request")
        return self.chat(call)

    def picture_limits(self, call: Call) -> chat_pictures.Limits:
        return chat_pictures.ANTHROPIC if call.model.startswith("anthropic/") else chat_pictures.OPENAI

    def heeds_format(self, body: dict[str, Any]) -> bool:
        # Without require_parameters a request may land at a provider that drops response_format in silence.
        return bool((body.get("provider") or {}).get("require_parameters"))

    def completion(self, call: Call, reply: llm.Reply, cost: int) -> dict[str, Any]:
        found = super().completion(call, reply, cost)
        found["id"] = f"gen-{call.job[:24]}"
        found["provider"] = "Simulated"
        found["usage"]["cost"] = cost / 1_000_000
        if reply.finish == "refusal":
            found["choices"][0]["finish_reason"] = "content_filter"
        return found

    def moderated(self, call: Call, fault: Fault) -> Answer:
        metadata = {
            "reasons": ["violence"],
            "flagged_input": (fault.text or call.raw.decode(errors="replace"))[:100],
            "provider_name": "Simulated",
            "model_slug": call.model,
        }
        message = f"{call.model} requires moderation. Your input was flagged."
        return Answer.json({"error": {"code": 403, "message": message, "metadata": metadata}, "user_id": "user_1"}, 403)

    def embedded(self, call: Call, reply: llm.Reply, fault: Fault) -> Answer:
        """content `top`: the whole body is an error; else an error inside the choice, with half an answer."""
        metadata = {"error_type": "provider_unavailable"}
        error = {"code": 502, "message": "Provider disconnected mid-stream", "metadata": metadata}
        if fault.content == "top":
            return Answer.json({"error": error, "user_id": "user_1"})
        found = self.completion(call, llm.Reply(reply.text[: len(reply.text) // 2], "error"), 0)
        found["choices"][0]["error"] = error
        return Answer.json(found)

    def about_key(self, call: Call) -> Answer:
        used = sum(charge.micro_dollars for charge in self.world.bill.charges(self.name)) / 1_000_000
        return Answer.json({
            "data": {
                "label": f"sk-or-…{self.key(call)[-4:]}",
                "limit": 100.0,
                "limit_remaining": 100.0 - used,
                "limit_reset": None,
                "usage": used,
                "usage_daily": used,
                "usage_weekly": used,
                "usage_monthly": used,
                "is_free_tier": False,
                "is_management_key": self._manages(call),
                "effective_budget": 100.0,
                "expires_at": None,
                "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
            }
        })  # fmt: skip

    def credits(self, call: Call) -> Answer:
        if not self._manages(call):
            return self.error(403, "Only management keys can perform this operation")
        used = sum(charge.micro_dollars for charge in self.world.bill.charges(self.name)) / 1_000_000
        return Answer.json({"data": {"total_credits": 100.0, "total_usage": used}})

    def models(self, call: Call) -> Answer:
        parameters = ["max_tokens", "temperature", "response_format", "structured_outputs", "seed"]
        pricing = {"prompt": "0.000001", "completion": "0.000004"}
        return Answer.json({
            "data": [
                {"id": slug, "name": slug, "pricing": pricing, "context_length": 200_000,
                 "supported_parameters": parameters}
                for slug in MODELS
            ]
        })  # fmt: skip

    def _manages(self, call: Call) -> bool:
        return self.world.options["openrouter_management_marker"] in self.key(call)
