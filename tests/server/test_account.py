"""The account overview and the models to choose from, over HTTP, with every provider simulated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Unit
from pipeline.store import Store, open_store
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.runner.plain_stages import PlainStage
from tests.simulator import Simulator

# Each can be told from every other word of an answer; "admin" and "management" are what the simulator goes by.
SECRETS = {
    "openrouter_api_key": "sk-or-v1-k3y0penrouter-management",
    "anthropic_api_key": "sk-ant-k3yanthropic",
    "openai_api_key": "sk-k3yopenai",
    "openai_compatible_api_key": "k3ycompatible",
    "replicate_api_token": "r8_k3yreplicate",
    "fal_key": "k3yfal:plain",
    "fal_admin_key": "k3yfal:admin",
    "wavespeed_api_key": "k3ywavespeed",
    "atlascloud_api_key": "k3yatlas",
    "runpod_api_key": "k3yrunpod",
    "aws_access_key_id": "AKIAK3YAWS",
    "aws_secret_access_key": "k3yaws-secret",
}
# Provider → (its name in the simulator, the operation that tells of the account).
ASKED = {
    "openrouter": ("openrouter", "key"),
    "anthropic": ("anthropic", "models"),
    "openai_compatible": ("compatible", "models"),
    "openai": ("openai", "models"),
    "replicate": ("replicate", "account"),
    "fal": ("fal", "billing"),
    "wavespeed": ("wavespeed", "billing"),
    "runpod": ("runpod", "health"),
    "aws": ("aws", "identity"),
}
WITH_BALANCE = ("openrouter", "fal", "wavespeed")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("account") / "data") as opened:
        yield opened


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        running.world.options["aws_secret"] = SECRETS["aws_secret_access_key"]
        yield running
        assert running.errors == []


Open = Callable[..., FlaskClient]


@pytest.fixture
def site(simulator: Simulator, store: Store, tmp_path: Path) -> Iterator[Open]:
    """Makes a server at the simulator; a key of None is not set."""
    runners = []

    def made(**keys: str | None) -> FlaskClient:
        bases = {name.lower(): address for name, address in simulator.base_urls().items()}
        values: dict[str, Any] = bases | SECRETS | {"runpod_endpoint_id": "wan-2-2-i2v-720"} | keys
        settings = load_settings(data_dir=tmp_path, engine_workers=1, **values)
        runner = Runner(store, settings, stages=(PlainStage("script", [Unit("script/1", "one")]),))
        runners.append(runner)
        return create_app(Services(settings, store, runner, Answers(store.db))).test_client()

    yield made
    for runner in runners:
        runner.close(1)


def overview(client: FlaskClient, *, refresh: bool = False) -> dict[str, dict[str, Any]]:
    """The providers by name. No answer ever holds a key, or the name that is not to be seen."""
    answer = client.get("/api/account/overview", query_string={"refresh": "1"} if refresh else None)
    assert answer.status_code == 200, answer.get_json()
    text = answer.get_data(as_text=True)
    assert not [secret for secret in SECRETS.values() if secret in text or secret.partition(":")[0] in text]
    assert "pulid" not in text.lower()
    return {one["name"]: one for one in answer.get_json()["providers"]}


def settled(client: FlaskClient) -> dict[str, dict[str, Any]]:
    """The overview when all have answered, however busy the machine is: whoever is late is taken then."""
    deadline = time.monotonic() + 60
    while True:
        found = overview(client)
        late = [name for name, one in found.items() if "in time" in (one["note"] or "")]
        if not late:
            return found
        assert time.monotonic() < deadline, late
        time.sleep(0.1)


def test_it_tells_what_each_provider_tells(site: Open) -> None:
    found = settled(site())
    assert [one["state"] for one in found.values()] == ["ready"] * len(found)
    full = {"micros": 100_000_000, "currency": "USD"}
    assert [found[name]["balance"] for name in WITH_BALANCE] == [full] * len(WITH_BALANCE)
    others = {name: one for name, one in found.items() if name not in WITH_BALANCE}
    assert all(one["balance"] is None and one["note"] for one in others.values()), others
    assert found["replicate"]["identity"] == "simulated" and "balance" in found["replicate"]["note"]
    assert found["fal"]["identity"] == "simulated"
    assert found["aws"]["identity"] == "user/simulated of account 123456789012"
    assert {one["kind"] for one in found["aws"]["models"]} == {"moderation"}
    assert found["openrouter"]["identity"] is None, "its label is a piece of the key"
    kinds = {one["kind"] for one in found["fal"]["models"]}
    assert kinds == {"image", "video", "lipsync", "speech", "upscale"}
    assert found["local"]["models"] and not found["local"]["missing"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unauthorised", "status": 401},
        {"kind": "unauthorised", "status": 403},
        {"kind": "html"},
        {"kind": "half_json"},
        {"kind": "wrong_types"},
        {"kind": "cut_body"},
        {"kind": "server_error"},
        {"kind": "reset_before"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_whatever_comes_back_there_is_no_number(simulator: Simulator, site: Open, fault: dict[str, Any]) -> None:
    for provider, operation in ASKED.values():
        simulator.script(fault["kind"], provider=provider, operation=operation, status=fault.get("status", 0), times=0)
    found = settled(site())
    asked = {(one.provider, one.operation) for one in simulator.requests()}
    assert asked >= set(ASKED.values())
    for name in ASKED:
        assert found[name]["balance"] is None and found[name]["note"], (name, found[name])
    if fault["kind"] == "wrong_types":
        assert found["replicate"]["identity"] is None
        return
    refused = {name: one["note"] for name, one in found.items() if name in ASKED and one["state"] == "ready"}
    # fal's prices were told, so its key is good: only the balance is not for it.
    assert set(refused) == ({"fal"} if fault["kind"] == "unauthorised" else set()), refused
    if fault["kind"] == "unauthorised":
        assert "REPLICATE_API_TOKEN" in found["replicate"]["note"]


def test_aws_is_asked_for_no_more_than_every_key_may(simulator: Simulator, site: Open) -> None:
    found = settled(site())["aws"]
    assert found["balance"] is None and "no balance" in found["note"] and "first check" in found["note"]
    assert [one.operation for one in simulator.requests("aws")] == ["identity"], "nothing that costs, or needs a right"
    simulator.world.options["aws_secret"] = "another"
    refused = settled(site())["aws"]
    assert (refused["state"], refused["identity"]) == ("error", None)
    assert "SignatureDoesNotMatch" in refused["note"] and "AWS_ACCESS_KEY_ID" in refused["note"]
    unused = settled(site(moderation_checkers="bundled", aws_secret_access_key="another"))["aws"]
    assert unused["state"] == "ready" and "MODERATION_CHECKERS" in unused["note"]


def test_a_bad_fal_key_is_told_from_one_that_may_not_see_the_balance(simulator: Simulator, site: Open) -> None:
    plain = overview(site(fal_admin_key=None))["fal"]
    assert plain["state"] == "ready" and plain["balance"] is None
    assert "ADMIN" in plain["note"] and "FAL_ADMIN_KEY" in plain["note"]
    simulator.script("unauthorised", provider="fal", times=0)
    bad = overview(site(fal_admin_key=None))["fal"]
    assert bad["state"] == "error" and "FAL_KEY" in bad["note"]


def test_a_key_that_does_not_manage_shows_what_it_may_spend(site: Open) -> None:
    found = overview(site(openrouter_api_key="sk-or-v1-k3y0penrouter-plain"))["openrouter"]
    assert found["balance"] == {"micros": 100_000_000, "currency": "USD"} and "this key" in found["note"]


def test_one_that_hangs_keeps_nobody_waiting_and_is_taken_late(simulator: Simulator, site: Open) -> None:
    simulator.script("drip", provider="replicate", operation="account", seconds=0.035)  # more than three seconds in all
    client = site()
    found = overview(client)
    assert not simulator.requests("replicate", "account")[0].delivered, "the answer came before its own did"
    assert found["replicate"]["balance"] is None and "in time" in found["replicate"]["note"]
    assert found["replicate"]["state"] == "error" and found["replicate"]["asked_at"] is None
    assert found["fal"]["balance"] and found["openrouter"]["balance"]
    deadline = time.monotonic() + 20
    while (late := overview(client)["replicate"])["identity"] is None:
        assert time.monotonic() < deadline, late
        time.sleep(0.1)
    assert late["state"] == "ready"
    assert len(simulator.requests("replicate", "account")) == 1, "the late answer was kept, and not asked for again"


def test_all_that_hang_are_waited_for_at_once(simulator: Simulator, site: Open) -> None:
    for provider, operation in ASKED.values():
        simulator.script("hang", provider=provider, operation=operation, times=0)
    client = site()
    begun = time.monotonic()
    found = overview(client)
    assert time.monotonic() - begun < 3 * len(ASKED) / 2, "one after the other would take longer than this"
    assert {name for name in ASKED if found[name]["balance"] is None and "in time" in found[name]["note"]} == set(ASKED)


def test_answers_are_kept_for_a_while_and_asked_for_again_on_demand(simulator: Simulator, site: Open) -> None:
    client = site()
    overview(client)
    overview(client)
    assert len(simulator.requests("wavespeed", "billing")) == 1
    simulator.script("no_credit", provider="replicate", operation="account")
    simulator.script("unauthorised", provider="wavespeed", operation="billing")
    assert overview(client)["wavespeed"]["state"] == "ready"
    assert overview(client, refresh=True)["wavespeed"]["state"] == "error"
    assert client.get("/api/account/overview?refresh=perhaps").status_code == 422


def test_without_keys_nobody_is_asked(simulator: Simulator, site: Open) -> None:
    client = site(**dict.fromkeys(SECRETS), openai_compatible_base_url=None)
    found = overview(client)
    local = found.pop("local")
    assert local["state"] == "ready"
    assert {one["state"] for one in found.values()} == {"needs_key"}
    assert found["replicate"]["missing"] == "REPLICATE_API_TOKEN"
    assert found["openai_compatible"]["missing"] == "OPENAI_COMPATIBLE_BASE_URL"
    assert all(one["missing"] in one["note"] for one in found.values())
    assert simulator.requests() == []
    models = client.get("/api/models").get_json()["items"]
    assert {one["label"] for one in models if one["ready"]} == {
        "Built-in drawing", "Built-in voice", "Built-in camera motion", "Built-in lip motion",
    }  # fmt: skip


def test_anthropic_alone_is_shown_as_degraded(site: Open) -> None:
    alone = site(**dict.fromkeys(SECRETS) | {"anthropic_api_key": SECRETS["anthropic_api_key"]},
                 openai_compatible_base_url=None)  # fmt: skip
    found = overview(alone)["anthropic"]
    assert found["state"] == "degraded" and "OPENROUTER_API_KEY" in found["note"]
    assert overview(site())["anthropic"]["state"] == "ready"


def test_the_models_show_where_they_are_to_be_had(site: Open) -> None:
    answer = site(replicate_api_token=None).get("/api/models")
    assert "pulid" not in answer.get_data(as_text=True).lower()
    items = answer.get_json()["items"]
    assert {one["kind"] for one in items} == {"text", "speech", "image", "video", "lipsync", "upscale"}
    images = [one for one in items if one["kind"] == "image"]
    assert (images[0]["model"], images[0]["label"]) == ("", "Default (FLUX.2 Pro)")
    places = {one["provider"]: one for one in images[0]["places"]}
    assert places["replicate"]["missing"] == "REPLICATE_API_TOKEN" and not places["replicate"]["ready"]
    assert places["fal"]["ready"] and places["fal"]["price"][0] == {"micros": 15_000, "per": "result"}
    caps = {one["label"]: one["reference_cap"] for one in images}
    wanted = {
        "Reve": 1, "Qwen": 1, "FLUX.1 Kontext": 1, "Qwen Pro Edit": 3, "Nano Banana": 4, "FLUX.2 Pro": 8,
        "FLUX.2 Edit": 9, "Nano Banana 2": 14, "Nano Banana Pro": 14,
    }  # fmt: skip
    assert {label: caps[label] for label in wanted} == wanted
