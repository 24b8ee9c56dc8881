"""Language models on the wire: what is sent, and what each provider's own way of failing is told apart as."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.contracts import ChatRequest, ShownImage
from pipeline.providers import CHAT_ADAPTERS, load_chat_adapter
from pipeline.providers.anthropic import Anthropic
from pipeline.providers.chat import Limits
from pipeline.providers.failures import BadAnswer, ProviderFailure
from pipeline.providers.openai_compatible import OpenAICompatible
from pipeline.providers.openrouter import OpenRouter
from pipeline.settings import Settings, load_settings
from tests.simulator import Reply, Simulator

SIMULATED = {"openrouter": "openrouter", "anthropic": "anthropic", "openai_compatible": "compatible"}
KINDS = {"openrouter": OpenRouter, "anthropic": Anthropic, "openai_compatible": OpenAICompatible}
SCHEMA = {
    "type": "object",
    "properties": {"colours": {"type": "array", "items": {"type": "string"}}, "count": {"type": "integer"}},
    "required": ["colours", "count"],
    "additionalProperties": False,
}
QUESTION = ChatRequest(
    purpose="colours",
    system="You name colours.",
    prompt="Which colours has a rainbow?",
    schema_name="colours",
    answer_schema=SCHEMA,
    max_output_tokens=900,
)
ANSWER = {"colours": ["red", "green"], "count": 2}


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    running.world.reset()
    running.respond("chat", lambda request: ANSWER)
    return running


def settings_for(simulator: Simulator, **more: Any) -> Settings:
    return load_settings(**({name.lower(): value for name, value in simulator.env().items()} | more))


@pytest.fixture(params=list(CHAT_ADAPTERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(name: str, simulator: Simulator) -> Iterator[Callable[[], Any]]:
    limits = Limits(connect_s=2.0, read_s=0.6, total_s=1.5)
    adapter = KINDS[name](settings_for(simulator), limits=limits)
    yield lambda: adapter.complete(QUESTION)
    adapter.close()


def failure_of(ask: Callable[[], Any]) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        ask()
    return caught.value


def test_an_answer_is_read_with_its_cost(ask: Callable[[], Any], name: str, simulator: Simulator) -> None:
    reply = ask()
    assert reply.data == ANSWER
    assert reply.provider == name
    assert reply.input_tokens > 0 and reply.output_tokens > 0
    if name == "openrouter":  # it tells what it charges; the others' cost is by the list price
        assert reply.cost_micros == simulator.bill.total()
    elif name == "anthropic":
        assert reply.cost_micros > 0
    else:
        assert reply.cost_micros == 0


def test_one_question_is_one_request(ask: Callable[[], Any], simulator: Simulator) -> None:
    simulator.script("server_error", operation="chat", status=503)
    failure_of(ask)
    assert len(simulator.requests(operation="chat")) == 1


def test_what_is_sent(ask: Callable[[], Any], name: str, simulator: Simulator) -> None:
    ask()
    body = simulator.requests(SIMULATED[name], "chat")[0].body
    if name == "anthropic":
        assert body["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
        assert (body["system"], body["max_tokens"]) == (QUESTION.system, 900)
        return
    form = body["response_format"]
    assert form["json_schema"] == {"name": "colours", "strict": True, "schema": SCHEMA}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    if name == "openrouter":
        assert body["provider"]["require_parameters"] is True
        assert body["max_completion_tokens"] == 900


@pytest.mark.parametrize(
    ("fault", "where", "kind", "charged"),
    [
        ("unauthorised", {}, "auth", False),
        ("no_credit", {}, "billing", False),
        ("rate_limit", {"retry_after": 7}, "rate_limit", False),
        ("server_error", {"status": 500}, "transient", True),
        ("server_error", {"status": 502, "html": True}, "transient", True),
        ("html", {}, "transient", True),
        ("reset_before", {}, "transient", True),
        ("reset_after", {}, "transient", True),
        ("embedded_error", {}, "transient", True),
        ("malformed_json", {}, "transient", True),
        ("half_json", {}, "transient", True),
        ("hang", {"seconds": 3}, "transient", True),
        ("moderation", {}, "moderation", None),
        ("refusal", {}, "moderation", True),
    ],
)
def test_failures_are_told_apart(
    ask: Callable[[], Any], name: str, simulator: Simulator, fault: str, where: dict[str, Any], kind: str, charged: bool
) -> None:
    simulator.script(fault, operation="chat", **where)
    failure = failure_of(ask)
    assert failure.kind == kind
    assert failure.provider == name
    if charged is not None:
        assert failure.accepted is charged
    if kind == "rate_limit":
        assert failure.retry_after_s == 7
    assert "simulated" not in f"{failure.detail} {failure.raw} {failure.hint}".lower().replace("provider", "")


def test_an_error_in_the_whole_body_of_an_answer(simulator: Simulator) -> None:
    simulator.script("embedded_error", provider="openrouter", content="top")
    adapter = OpenRouter(settings_for(simulator))
    assert failure_of(lambda: adapter.complete(QUESTION)).kind == "transient"


def test_nobody_there_is_told_from_an_answer_that_was_lost(name: str, simulator: Simulator) -> None:
    adapter = KINDS[name](settings_for(simulator), limits=Limits(connect_s=1.0, read_s=1.0, total_s=2.0))
    with simulator.unreachable():
        failure = failure_of(lambda: adapter.complete(QUESTION))
    assert (failure.kind, failure.accepted) == ("transient", False)


def test_a_server_that_drips_is_given_up(ask: Callable[[], Any], simulator: Simulator) -> None:
    simulator.script("drip", operation="chat", seconds=0.3)
    assert failure_of(ask).kind == "transient"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        ("I would say red and green.", "not valid JSON"),
        ('{"colours": ["red", ', "not valid JSON"),
        ("[1, 2]", "not a JSON object"),
        ("[" * 60_000, "nested|not valid"),
        (Reply(json.dumps(ANSWER)[:10], "length"), "cut off"),
    ],
)
def test_answers_that_are_no_object(ask: Callable[[], Any], simulator: Simulator, said: Any, reason: str) -> None:
    simulator.respond("chat", lambda request: said)
    with pytest.raises(BadAnswer, match=reason):
        ask()


def test_a_fenced_answer_is_read(ask: Callable[[], Any], simulator: Simulator) -> None:
    simulator.respond("chat", lambda request: f"```json\n{json.dumps(ANSWER)}\n```")
    assert ask().data == ANSWER


def test_without_a_key_it_says_what_to_set() -> None:
    settings = load_settings()
    said = {name: load_chat_adapter(name, settings).ready() for name in CHAT_ADAPTERS}
    assert said == {
        "openrouter": "Set OPENROUTER_API_KEY.",
        "anthropic": "Set ANTHROPIC_API_KEY.",
        "openai_compatible": "Set OPENAI_COMPATIBLE_BASE_URL.",
    }


def test_a_local_model_needs_no_key(simulator: Simulator) -> None:
    adapter = OpenAICompatible(settings_for(simulator, openai_compatible_api_key=None))
    assert adapter.ready() is None
    assert adapter.complete(QUESTION).data == ANSWER


# --- Pictures beside the question -----------------------------------------------------------------------


def shown(folder: Path, number: int = 1, size: tuple[int, int] = (64, 48), form: str = "JPEG") -> list[ShownImage]:
    found = []
    for at in range(number):
        path = folder / f"{at}.jpg"
        Image.new("RGB", size, (9 * at, 90, 200)).save(path, form)
        found.append(ShownImage(path=path))
    return found


def test_pictures_come_after_the_words_as_they_are(name: str, simulator: Simulator, tmp_path: Path) -> None:
    seen: list[Any] = []
    simulator.respond("chat", lambda request: seen.append(request) or ANSWER)
    images = shown(tmp_path, 2)
    adapter = KINDS[name](settings_for(simulator))
    assert adapter.complete(QUESTION.model_copy(update={"images": images})).data == ANSWER
    assert seen[0].images == tuple(image.path.read_bytes() for image in images)
    assert seen[0].prompt == QUESTION.prompt
    content = seen[0].raw["messages"][-1]["content"]
    kind = "image" if name == "anthropic" else "image_url"
    assert [part["type"] for part in content] == ["text", kind, kind]
    encoded = base64.b64encode(images[0].path.read_bytes()).decode()
    if name == "anthropic":
        assert content[1]["source"] == {"type": "base64", "media_type": "image/jpeg", "data": encoded}
    else:
        assert content[1]["image_url"] == {"url": f"data:image/jpeg;base64,{encoded}"}
    adapter.close()


@pytest.mark.parametrize("wrong", ["of another type", "damaged"])
def test_a_picture_that_a_provider_cannot_take_is_our_mistake(
    name: str, simulator: Simulator, tmp_path: Path, wrong: str
) -> None:
    """Sending it again would not help, and nothing is on the bill."""
    images = shown(tmp_path, form="PNG" if wrong == "of another type" else "JPEG")
    if wrong == "damaged":
        images[0].path.write_bytes(images[0].path.read_bytes()[:300])
    adapter = KINDS[name](settings_for(simulator))
    failure = failure_of(lambda: adapter.complete(QUESTION.model_copy(update={"images": images})))
    assert (failure.kind, failure.accepted) == ("invalid_input", False)
    assert simulator.bill.charges() == []
    adapter.close()
