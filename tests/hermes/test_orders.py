"""Orders: one request makes a project and starts its film, once, whatever is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.hermes.kit import BEARER, ORDERS, TOKEN, open_server, part, status_of
from tests.server.kit import SHORT, Answer, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with open_server(tmp_path_factory.mktemp("orders") / "data") as opened:
        yield opened


def ordered(server: ServerProcess, key: str | None = None, **body: Any) -> Answer:
    headers = {**BEARER, **({"Idempotency-Key": key} if key else {})}
    return server.ask("POST", ORDERS, body, headers)


def project_of(server: ServerProcess, **body: Any) -> dict[str, Any]:
    """The project of an order whose film nobody waits for."""
    made = ordered(server, **body)
    assert made.status == 202, made.body
    server.ask("POST", f"/api/projects/{made.json['project_id']}/yolo/cancel")
    project: dict[str, Any] = server.get(f"/api/projects/{made.json['project_id']}").json
    return project


def test_only_the_token_opens_the_routes(server: ServerProcess, tmp_path: Path) -> None:
    for token in ("", TOKEN[:-1], f"{TOKEN}x"):
        for method, path in (
            ("POST", ORDERS),
            ("GET", "/api/hermes/projects/1/status"),
            ("GET", "/api/hermes/projects/1/export"),
        ):
            body = {"story": SHORT} if method == "POST" else None
            answer = server.ask(method, path, body, {"Authorization": f"Bearer {token}"})
            assert (answer.status, answer.json["code"]) == (401, "wrong_token")
    assert server.get("/api/hermes/projects/1/status").status == 401
    with ServerProcess(tmp_path / "closed") as closed:
        answer = closed.ask("POST", ORDERS, {"story": SHORT}, BEARER)
        assert (answer.status, answer.json["code"]) == (403, "hermes_closed")


def test_what_an_order_leaves_open_has_its_own_defaults(server: ServerProcess) -> None:
    project = project_of(server, story=SHORT)
    wanted = {"aspect_ratio": "16:9", "reference_image_model": "qwen", "frame_image_model": "qwen"}
    assert {name: project[name] for name in wanted} == wanted
    assert project_of(server, story=SHORT, portrait=True)["aspect_ratio"] == "9:16"
    assert project_of(server, story=SHORT, aspect_ratio="9:16")["aspect_ratio"] == "9:16"
    idea = project_of(server, idea="A bell that nobody hears", frame_image_model="", style="woodcut")
    assert (idea["frame_image_model"], idea["reference_image_model"]) == ("", "qwen")
    assert (idea["idea"], idea["style"]) == ("A bell that nobody hears", "woodcut")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "story"),
        ({"story": "…"}, "story"),
        ({"story": SHORT, "portrait": True, "aspect_ratio": "16:9"}, "portrait"),
        ({"story": SHORT, "colour": "red"}, "colour"),
        ({"story": SHORT, "callback_url": "ftp://example.org/"}, "callback_url"),
        ({"story": SHORT, "callback_url": "http://example.org/"}, "callback_url"),
        ({"story": SHORT, "callback_url": "https://user:word@example.org/"}, "callback_url"),
        ({"story": SHORT, "callback_url": "https://127.0.0.1/hook"}, "callback_url"),
        ({"story": SHORT, "callback_url": "https://[::1]/hook"}, "callback_url"),
        ({"story": SHORT, "callback_url": "https://localhost/hook"}, "callback_url"),
        ({"story": SHORT, "callback_url": "https://[/"}, "callback_url"),
    ],
)
def test_an_order_that_cannot_be_made_leaves_nothing(server: ServerProcess, body: dict[str, Any], field: str) -> None:
    before = server.get("/api/projects?limit=100").json["items"]
    answer = ordered(server, key="refused", **body)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert server.get("/api/projects?limit=100").json["items"] == before


def test_one_order_is_one_film_in_a_race_and_after_a_kill(tmp_path: Path) -> None:
    """Fault 28. The kill comes right after the answers: the project and its run are there, or neither."""
    data = tmp_path / "data"
    with open_server(data) as server:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: ordered(server, key="order-1", story=SHORT), range(4)))
        server.kill_group()
    assert {answer.status for answer in answers} == {202}
    (project,) = {answer.json["project_id"] for answer in answers}
    with open_server(data) as server:
        again = ordered(server, key="order-1", story=SHORT)
        assert (again.status, again.json["project_id"]) == (202, project)
        assert again.headers["Location"] == again.json["status_url"]
        assert len(server.get("/api/projects").json["items"]) == 1
        now = status_of(server, project)
        assert now["state"] in ("running", "done")
        another = ordered(server, key="order-1", story=SHORT + " Ding.")
        assert (another.status, another.json["field"]) == (422, "Idempotency-Key")


def test_the_status_says_what_to_do_and_the_film_waits_for_its_end(server: ServerProcess) -> None:
    """No key is set, so a film that has to be paid for pauses and says what is missing."""
    project = ordered(server, story=SHORT, render_image="paid").json["project_id"]
    server.until(project, lambda status: status["state"] == "paused")
    now = status_of(server, project)
    assert (now["state"], now["code"], now["delivered_at"], now["film"]) == ("paused", "needs_setup", None, None)
    assert any(one["code"] == "needs_setup" and "FAL_KEY" in one["text"] and one["hint"] for one in now["problems"])
    assert now["lines"] and 0 <= now["percent"] < 100 and now["ask_again_s"] >= 1
    refused = part(server, project)
    assert (refused.status, refused.json["code"], refused.json["state"]) == (409, "conflict", "paused")
    assert part(server, 10_000).status == 404
    answer = server.get(f"/api/hermes/projects/{project}/status", BEARER)
    headers = {**BEARER, "If-None-Match": answer.headers["Etag"]}
    assert server.get(f"/api/hermes/projects/{project}/status", headers).status == 304
