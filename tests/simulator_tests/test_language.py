"""OpenRouter, OpenAI-compatible servers and Anthropic through their own packages."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx
import openai
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from tests.simulator import ChatRequest, Reply, Simulator
from tests.simulator.llm import filled
from tests.simulator_tests.conftest import picture, schema

STORY = schema(title={"type": "string"}, beats={"type": "array", "items": {"type": "string"}})
PROMPT = "A fox walks through the snowy forest and meets an owl. They become friends before spring."
ROUTING = {"provider": {"require_parameters": True}}


def openrouter(simulator: Simulator, **more: Any) -> openai.OpenAI:
    env = simulator.env()
    return openai.OpenAI(api_key=env["OPENROUTER_API_KEY"], base_url=env["OPENROUTER_BASE_URL"], max_retries=0, **more)


def ask(
    client: openai.OpenAI, form: dict[str, Any] | None = STORY, model: str = "anthropic/claude-sonnet-5", **more: Any
) -> Any:
    wanted = {"type": "json_schema", "json_schema": {"name": "story", "strict": True, "schema": form}}
    create: Any = client.chat.completions.create
    return create(
        model=model,
        messages=[{"role": "system", "content": "You write."}, {"role": "user", "content": PROMPT}],
        **({"response_format": wanted} if form else {}),
        extra_body=more.get("extra_body", ROUTING),
    )


def test_openrouter_fills_the_schema_and_tells_the_cost(simulator: Simulator) -> None:
    answer = ask(openrouter(simulator))
    story = json.loads(answer.choices[0].message.content)
    assert Draft202012Validator(STORY).is_valid(story)
    assert set(story["title"].lower().split()) <= set(PROMPT.lower().replace(".", "").split())
    (charge,) = simulator.bill.charges("openrouter")
    assert answer.usage.cost == charge.micro_dollars / 1_000_000
    assert charge.answer_delivered
    assert ask(openrouter(simulator)).choices[0].message.content == answer.choices[0].message.content


def test_without_require_parameters_the_format_is_dropped_in_silence(simulator: Simulator) -> None:
    text = ask(openrouter(simulator), extra_body={}).choices[0].message.content
    with pytest.raises(ValueError):
        json.loads(text)


def test_openrouter_refuses_what_it_does_not_know(simulator: Simulator) -> None:
    for more in (
        {"fallback": True},
        {"provider": {"requires_parameters": True}},
        {"metadata": {str(n): "" for n in range(17)}},
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            ask(openrouter(simulator), extra_body=more)
        assert caught.value.body["code"] == 400  # type: ignore[index]
    loose = {**STORY, "additionalProperties": True}
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        ask(openrouter(simulator), loose)
    assert simulator.bill.charges() == []


def test_openrouter_account(simulator: Simulator, http: httpx.Client) -> None:
    base = simulator.base_urls()["OPENROUTER_BASE_URL"]
    plain, managing = {"Authorization": "Bearer sk-or-plain"}, {"Authorization": "Bearer sk-or-management"}
    assert http.get(f"{base}/key", headers=plain).json()["data"]["limit_remaining"] == 100
    assert http.get(f"{base}/credits", headers=plain).status_code == 403
    assert http.get(f"{base}/credits", headers=managing).json()["data"] == {"total_credits": 100.0, "total_usage": 0}
    assert http.get(f"{base}/models").json()["data"][0]["pricing"]["prompt"]
    assert http.get(f"{base}/key").json()["error"]["code"] == 401


def test_openrouter_moderation_and_errors_in_a_200(simulator: Simulator) -> None:
    client = openrouter(simulator)
    simulator.script("moderation")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(client)
    assert caught.value.body["metadata"]["reasons"] == ["violence"]  # type: ignore[index]
    simulator.script("embedded_error")
    assert ask(client).choices[0].model_extra["error"]["code"] == 502
    simulator.script("embedded_error", content="top")
    answer = ask(client)
    assert answer.choices is None and answer.error["code"] == 502


def test_what_a_model_may_say_instead(simulator: Simulator) -> None:
    client = openrouter(simulator)
    simulator.script("half_content")
    cut = ask(client).choices[0]
    assert cut.finish_reason == "length"
    simulator.script("malformed_content")
    wrapped = ask(client).choices[0].message.content
    simulator.script("schema_breaking")
    broken = json.loads(ask(client).choices[0].message.content)
    assert not Draft202012Validator(STORY).is_valid(broken)
    simulator.script("refusal")
    refused = ask(client).choices[0]
    assert refused.message.refusal and refused.finish_reason == "content_filter"
    for text in (cut.message.content, wrapped):
        with pytest.raises(ValueError):
            json.loads(text)
    simulator.script("empty_content")
    assert ask(client).choices[0].message.content == ""


def test_a_responder_answers_with_meaning(simulator: Simulator) -> None:
    seen: list[ChatRequest] = []

    def respond(request: ChatRequest) -> Any:
        seen.append(request)
        return {"title": "Owl", "beats": []} if request.schema_name == "story" else None

    simulator.respond("chat", respond)
    simulator.respond("chat", lambda request: Reply("{", "length"), times=1)
    assert ask(openrouter(simulator)).choices[0].finish_reason == "length"
    assert json.loads(ask(openrouter(simulator)).choices[0].message.content)["title"] == "Owl"
    assert seen[0].system == "You write." and seen[0].prompt == PROMPT and seen[0].schema == STORY


def test_an_openai_compatible_server_sees_pictures(simulator: Simulator) -> None:
    seen: list[int] = []

    def respond(request: ChatRequest) -> str:
        seen.append(len(request.images))
        return "a picture"

    simulator.respond("chat", respond)
    client = openai.OpenAI(api_key="none", base_url=simulator.base_urls()["OPENAI_COMPATIBLE_BASE_URL"], max_retries=0)
    parts: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": picture()}}]
    answer = client.chat.completions.create(model="local-model", messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "a picture" and seen == [1]


def _encoded(form: str = "JPEG", size: tuple[int, int] = (8, 8), **how: Any) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 90, 9)).save(out, form, **how)
    return base64.b64encode(out.getvalue()).decode()


def _noise() -> str:
    """A picture of more than five megabytes."""
    out = io.BytesIO()
    Image.effect_noise((1400, 1400), 100).convert("RGB").save(out, "PNG", compress_level=0)
    return base64.b64encode(out.getvalue()).decode()


GIF = {"save_all": True, "append_images": [Image.new("RGB", (8, 8), (0, 0, 0))]}
# What is sent as (media type, base64), and what it is refused with: by those like OpenAI, and by Anthropic.
BAD_PICTURES: dict[str, tuple[Callable[[], tuple[str, str]], str, str]] = {
    "no base64": (lambda: ("image/jpeg", "!!"), "base64", "base64"),
    "no picture": (lambda: ("image/png", base64.b64encode(b"<svg/>").decode()), "process", "process"),
    "another type": (lambda: ("image/png", _encoded()), "does not match", "does not match"),
    "a type nobody takes": (lambda: ("image/bmp", _encoded("BMP")), "media type", "content"),
    "a picture that moves": (lambda: ("image/gif", _encoded("GIF", **GIF)), "animated", "animated"),
    "a side too long": (lambda: ("image/png", _encoded("PNG", (16_001, 1))), "dimensions", "dimensions"),
    "too much": (lambda: ("image/png", _noise()), "", "5 MB maximum"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_pictures_beside_a_question_are_checked(simulator: Simulator, http: httpx.Client, kind: str) -> None:
    make, by_openai, by_anthropic = BAD_PICTURES[kind]
    media_type, data = make()
    urls, bearer = simulator.base_urls(), {"Authorization": "Bearer sk-x"}
    address = {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}
    asked = {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, address]}]}
    for base, model in (("OPENAI_COMPATIBLE", "local"), ("OPENROUTER", "openai/gpt-5-mini")):
        url = f"{urls[f'{base}_BASE_URL']}/chat/completions"
        answer = http.post(url, json={"model": model, **asked}, headers=bearer)
        assert answer.status_code == (400 if by_openai else 200), answer.text[:300]
        assert by_openai in answer.text
    source = {"type": "base64", "media_type": media_type, "data": data}
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    body = {"model": "claude-sonnet-5", "max_tokens": 9, "messages": [{"role": "user", "content": parts}]}
    headers = {"x-api-key": "sk-ant-x", "anthropic-version": "2023-06-01"}
    answer = http.post(f"{urls['ANTHROPIC_BASE_URL']}/v1/messages", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert by_anthropic in answer.json()["error"]["message"]
    charged = {charge.provider for charge in simulator.bill.charges()}
    assert charged == (set() if by_openai else {"compatible", "openrouter"})


def test_openai_speaks_and_moderates(simulator: Simulator) -> None:
    client = openai.OpenAI(api_key="sk-x", base_url=simulator.base_urls()["OPENAI_BASE_URL"], max_retries=0)
    sound = client.audio.speech.create(model="tts-1", voice="nova", input="Hello there.", response_format="wav").read()
    assert sound[:4] == b"RIFF"
    with pytest.raises(openai.BadRequestError):
        client.audio.speech.create(model="tts-1", voice="nova", input="x" * 4097)
    simulator.respond("moderate", lambda body: {"violence": 0.9} if "fight" in str(body) else None)
    parts: Any = [{"type": "image_url", "image_url": {"url": picture()}}]
    calm = client.moderations.create(model="omni-moderation-latest", input=parts).results[0]
    assert not calm.flagged and calm.category_applied_input_types.sexual_minors == []
    assert client.moderations.create(input="a fight").results[0].categories.violence


def claude(simulator: Simulator) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-ant-x", base_url=simulator.base_urls()["ANTHROPIC_BASE_URL"], max_retries=0)


def tell(client: anthropic.Anthropic, **more: Any) -> Any:
    given = {"model": "claude-sonnet-5", "max_tokens": 900, "messages": [{"role": "user", "content": PROMPT}]}
    return client.messages.create(**{**given, **more})


def test_anthropic_fills_schemas_and_tools(simulator: Simulator) -> None:
    client = claude(simulator)
    answer = tell(client, output_config={"format": {"type": "json_schema", "schema": STORY}})
    assert Draft202012Validator(STORY).is_valid(json.loads(answer.content[0].text))
    tool = {"name": "save", "description": "Saves.", "input_schema": STORY, "strict": True}
    used = tell(client, tools=[tool], tool_choice={"type": "tool", "name": "save"})
    assert used.stop_reason == "tool_use" and Draft202012Validator(STORY).is_valid(used.content[0].input)


def test_anthropic_refuses_in_a_200_and_errors_in_its_own_shape(simulator: Simulator) -> None:
    client = claude(simulator)
    simulator.script("moderation", provider="anthropic")
    refused = tell(client)
    assert refused.stop_reason == "refusal" and refused.stop_details.category == "general_harms"
    simulator.script("server_error", status=529)
    with pytest.raises(anthropic.APIStatusError) as caught:
        tell(client)
    assert caught.value.type == "overloaded_error"
    limited = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}},
        "required": ["n"],
        "additionalProperties": False,
    }
    for wrong in (
        {"extra_body": {"temperature": 0.5}},
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]},
        {"output_config": {"format": {"type": "json_schema", "schema": limited}}},
    ):
        with pytest.raises(anthropic.BadRequestError):
            tell(client, **wrong)


NODE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "code": {"type": "string", "pattern": "^[a-z]{2}-[0-9]+$"},
        "when": {"type": "string", "format": "date"},
        "count": {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 3},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "name": {"type": ["string", "null"], "minLength": 40, "maxLength": 50},
        "tags": {"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 2, "uniqueItems": True},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
    },
    "required": ["kind", "code", "when", "count", "share", "name", "tags", "next"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("number", range(12))
def test_the_default_model_fills_hard_schemas(number: int) -> None:
    form = {"$defs": {"node": NODE}, "$ref": "#/$defs/node"}
    assert Draft202012Validator(form).is_valid(filled(form, f"{PROMPT} {number}"))
