"""OpenAI and servers like it: chat, speech, moderation. Bases: /openai/v1 and, for a local model, /compatible/v1."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.simulator import media
from tests.simulator.call import Answer, Call, read_data_uri
from tests.simulator.jobs import Job
from tests.simulator.providers.base import Model, Route
from tests.simulator.providers.chat_completions import ChatCompletions, charge_sync
from tests.simulator.schemas import choice, file, listed, number, obj, problems, text
from tests.simulator.studio import CONTENT_TYPES, spoiled

VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)
SPEECH = obj(
    ("model", "input", "voice"),
    model=choice("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"),
    input=text(4096, shortest=1),
    voice=choice(*VOICES),
    instructions=text(4096),
    response_format=choice("mp3", "opus", "aac", "flac", "wav", "pcm", default="mp3"),
    speed=number(0.25, 4.0, 1.0),
)
PART = {
    "anyOf": [
        obj(("type", "text"), type={"const": "text"}, text=text()),
        obj(("type", "image_url"), type={"const": "image_url"}, image_url=obj(("url",), url=file("image"))),
    ]
}
MODERATION = obj(
    ("input",),
    model=choice("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest"),
    input={"anyOf": [text(), listed(text(), 1), listed(PART, 1)]},
)
WITH_IMAGES = ("sexual", "violence", "violence/graphic", "self-harm", "self-harm/intent", "self-harm/instructions")
TEXT_ONLY = (
    "sexual/minors",
    "hate",
    "hate/threatening",
    "harassment",
    "harassment/threatening",
    "illicit",
    "illicit/violent",
)
KINDS = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 404: "not_found_error",
         429: "rate_limit_error"}  # fmt: skip
CODES = {"rate_limit": "rate_limit_exceeded", "content_policy_violation": "content_policy_violation"}


class OpenAI(ChatCompletions):
    name = "openai"
    mounts = ("openai",)
    bases: ClassVar = {"OPENAI_BASE_URL": "/openai/v1"}
    keys: ClassVar = {"OPENAI_API_KEY": "sk-simulated"}
    base = "/openai/v1"

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", f"{self.base}/chat/completions", "chat", self.chat),
            Route("POST", f"{self.base}/audio/speech", "speech", self.speak),
            Route("POST", f"{self.base}/moderations", "moderate", self.moderate),
            Route("GET", f"{self.base}/models", "models", self.models),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        name = KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
        code = "invalid_api_key" if status == 401 else CODES.get(kind)
        return Answer.json({"error": {"message": message, "type": name, "param": None, "code": code}}, status)

    def no_credit(self) -> Answer:
        error = {"message": "You exceeded your current quota, please check your plan and billing details.",
                 "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}  # fmt: skip
        return Answer.json({"error": error}, 429)

    def speak(self, call: Call) -> Answer:
        wrong = problems(SPEECH, call.body)
        if wrong:
            return self.error(400, f"{wrong[0].field}: {wrong[0].message}")
        if fault := call.fault("moderation"):
            return self.moderated(call, fault)
        body: dict[str, Any] = call.body
        form = body.get("response_format", "mp3")
        price = len(body["input"]) * 15
        model = Model(body["model"], "speech", SPEECH, lambda studio, params: None, lambda params: price)
        charge_sync(self, call, model, body)
        data = media.speech(body["input"], body["voice"], body.get("speed", 1.0), form)[0]
        told = CONTENT_TYPES.get(form, f"audio/{form}")
        return Answer(200, spoiled(data, _as_job(call)), told)

    def moderate(self, call: Call) -> Answer:
        wrong = problems(MODERATION, call.body)
        if wrong:
            return self.error(400, f"{wrong[0].field}: {wrong[0].message}")
        given = call.body["input"]
        images = [part for part in given if isinstance(part, dict) and part["type"] == "image_url"]
        if len(images) > 1:
            return self.error(400, "Too many images. Maximum is 1.")
        if any(
            one["image_url"]["url"].startswith("data:") and not read_data_uri(one["image_url"]["url"]) for one in images
        ):
            return self.error(400, "Failed to download image")
        scripted = self.world.scripted_answer(self.name, "moderate", call.body) or {}
        result = _verdict(scripted, image=bool(images), words=len(images) < len(given))
        return Answer.json({"id": f"modr-{call.number}", "model": "omni-moderation-latest", "results": [result]})

    def models(self, call: Call) -> Answer:
        return Answer.json({"object": "list", "data": [{"id": "local-model", "object": "model", "created": 0}]})


class Compatible(OpenAI):
    """A server of the user's own that speaks the same protocol: chat and list of models; a key is not needed."""

    name = "compatible"
    mounts = ("compatible",)
    bases: ClassVar = {"OPENAI_COMPATIBLE_BASE_URL": "/compatible/v1"}
    keys: ClassVar = {"OPENAI_COMPATIBLE_API_KEY": "local"}
    base = "/compatible/v1"

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", f"{self.base}/chat/completions", "chat", self.chat, open=True),
            Route("GET", f"{self.base}/models", "models", self.models, open=True),
        ]


def _verdict(scores: dict[str, float], *, image: bool, words: bool) -> dict[str, Any]:
    """One result; `scores` (category → 0..1) are those that a responder gave, a score over 0.5 is flagged."""
    found = {name: float(scores.get(name, 0.0001)) for name in (*WITH_IMAGES, *TEXT_ONLY)}
    if not words:  # the categories that only read text say nothing about a picture
        found.update(dict.fromkeys(TEXT_ONLY, 0.0))
    inputs = (["text"] if words else []) + (["image"] if image else [])
    return {
        "flagged": any(score > 0.5 for score in found.values()),
        "categories": {name: score > 0.5 for name, score in found.items()},
        "category_scores": found,
        "category_applied_input_types": {
            name: inputs if name in WITH_IMAGES else [one for one in inputs if one == "text"] for name in found
        },
    }


def _as_job(call: Call) -> Job:
    """The call's faults in the form in which outputs are spoiled."""
    return Job(
        id=call.job, provider=call.provider, model=call.model, inputs={}, params={}, digest="", origin=call.origin,
        created_at=0, starts_at=0, ready_at=0, charge=None, faults=call.faults,  # type: ignore[arg-type]
    )  # fmt: skip
