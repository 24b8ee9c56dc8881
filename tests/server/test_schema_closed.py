"""The description of a server with a passphrase: every route asked by a stranger, then by somebody who has logged in.
No answer is other than described, and strangers get nothing but what is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Unit
from pipeline.store import open_store
from server.answers import Answers
from server.app import create_app
from server.auth import COOKIE
from server.wiring import Services
from tests.runner.plain_stages import PlainStage
from tests.server.test_schema import CHECKS

PASSPHRASE = "four words and a bell"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("closed")
    secrets = {"app_passphrase": PASSPHRASE, "hermes_token": "a-token-for-tests"}
    read = load_settings(data_dir=folder / "data", engine_workers=1, max_story_words=200, env_files=[], **secrets)
    store = open_store(read.data_dir)
    stage = PlainStage("script", [Unit("script/1", "one")])
    services = Services(read, store, Runner(store, read, stages=(stage,)), Answers(store.db))
    yield create_app(services)
    services.close(5)


@pytest.fixture(scope="module")
def cookie(closed: Flask) -> dict[str, str]:
    """That of somebody who has logged in."""
    answer = closed.test_client().post("/api/login", json={"passphrase": PASSPHRASE})
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert name == COOKIE
    return {name: value}


@pytest.fixture(scope="module")
def schema(closed: Flask) -> Any:
    client = closed.test_client()
    client.post("/api/login", json={"passphrase": PASSPHRASE})
    found = schemathesis.openapi.from_dict(client.get("/api/openapi.json").get_json())
    found.app = closed
    return found


def test_the_description_itself_is_for_those_who_have_logged_in(closed: Flask, schema: Any) -> None:
    assert closed.test_client().get("/api/openapi.json").status_code == 401
    described = {
        scheme: sum(scheme in said for place in schema.raw_schema["paths"].values() for said in _security(place))
        for scheme in ("login", "hermes")
    }
    assert described["login"] > 60 and described["hermes"] == 3


def _security(place: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for operation in place.values() for one in operation.get("security", [{"": []}])]


@pytest.mark.parametrize("who", ["a stranger", "somebody with a wrong cookie", "somebody who has logged in"])
def test_every_route_answers_as_described(schema: Any, cookie: dict[str, str], who: str) -> None:
    cookies = {
        "a stranger": {},
        "somebody with a wrong cookie": {COOKIE: "WyJ4IiwxXQ.aaaa.bbbb"},
        "somebody who has logged in": cookie,
    }[who]
    refused = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        (scheme,) = next(iter(operation.definition.raw.get("security", [{"": []}])))
        if operation.label != "POST /api/logout":  # it would end the login of those after it
            refused[operation.label, scheme] = _asked(operation, cookies) in (401, 403)
    known = who == "somebody who has logged in"
    expected = {"": False, "login": not known, "hermes": True}
    open_to_all = {("POST /api/login", "")}  # it refuses a wrong passphrase
    wrong = {one for one, was in refused.items() if was is not expected[one[1]]}
    assert wrong - open_to_all == set()


def _asked(operation: Any, cookies: dict[str, str]) -> int:
    """The status of one request that is as described, but for who sends it."""
    statuses: list[int] = []

    @settings(
        max_examples=1,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Case) -> None:
        case.cookies = {}
        response = case.call(cookies=cookies)
        case.validate_response(response, checks=CHECKS)
        statuses.append(response.status_code)

    ask()
    return statuses[0]
