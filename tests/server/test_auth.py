"""Logging in: what is closed without it, how it is got, how long it holds, and how often one may guess."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient

from pipeline.errors import ProductError
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import open_store
from server.answers import Answers
from server.api import health
from server.app import create_app, create_damaged_app
from server.auth import COOKIE, IN_ALL, PER_ADDRESS, Attempts
from server.contract import Raw, api, declaration_of
from server.wiring import Services
from tests.runner.plain_stages import PlainStage

PASSPHRASE = "four words and Größe"
OPEN = {"/", "/favicon.ico", "/healthz", "/readyz", "/page/<path:name>", "/api/login", "/api/session"}
SIGNED = {"/api/webhooks/<provider>"}

Open = Callable[..., Services]


@pytest.fixture
def installation(tmp_path: Path, stage: PlainStage) -> Iterator[Open]:
    """Opens the installation in `tmp_path` with such settings; a second call is a restart."""
    opened: list[Services] = []

    def open_(**settings: Any) -> Services:
        while opened:
            opened.pop().close(5)
        known = load_settings(data_dir=tmp_path / "data", engine_workers=2, **settings)
        store = open_store(known.data_dir)
        opened.append(Services(known, store, Runner(store, known, stages=(stage,)), Answers(store.db)))
        return opened[-1]

    yield open_
    while opened:
        opened.pop().close(5)


@pytest.fixture
def closed(installation: Open) -> FlaskClient:
    """A server with a passphrase; the client is not logged in."""
    return create_app(installation(app_passphrase=PASSPHRASE)).test_client()


def enter(client: FlaskClient, passphrase: str = PASSPHRASE, **more: Any) -> Any:
    return client.post("/api/login", json={"passphrase": passphrase}, **more)


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def with_cookie(app: Any, value: str) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.set_cookie(COOKIE, value)
    return client


def test_without_a_login_every_route_is_closed_but_these(closed: FlaskClient) -> None:
    """SPEC 15.1. A new route is closed until somebody opens it here."""
    seen = set()
    for rule in closed.application.url_map.iter_rules():
        declaration = declaration_of(closed.application.view_functions[rule.endpoint])
        if rule.rule in OPEN | SIGNED or (declaration is not None and declaration.security == "hermes"):
            continue
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        path = re.sub(r"<any\(([^,)]+)[^>]*>", r"\1", path)
        path = re.sub(r"<[^>]*>", "x", path)
        for method in (rule.methods or set()) - {"HEAD"}:
            answer = closed.open(path, method=method)
            assert answer.status_code == 401, (method, path)
            if method != "HEAD":
                assert answer.get_json()["code"] == "login_required", (method, path)
            seen.add(rule.rule)
    assert len(seen) > 40
    for path in ("/api/nothing", "/nothing", "/api/projects/1/nothing", "/.env", "/media/x"):
        assert closed.get(path).status_code == 401
    for path in ("/", "/page/app.js", "/page/style.css", "/favicon.ico", "/healthz", "/readyz", "/api/session"):
        assert closed.get(path).status_code == 200


def test_a_login_opens_everything_and_a_logout_closes_it(closed: FlaskClient) -> None:
    assert closed.get("/api/session").get_json() == {"login_required": True, "logged_in": False, "expires_at": None}
    answer = enter(closed)
    assert answer.status_code == 200
    assert answer.get_json()["logged_in"] is True
    said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said and "SameSite=Strict" in said and "Path=/" in said and "Secure" not in said
    assert 29 * 86400 < int(re.findall(r"Max-Age=(\d+)", said)[0]) <= 30 * 86400
    session = closed.get("/api/session").get_json()
    assert session["login_required"] and session["logged_in"] and session["expires_at"].endswith("Z")
    assert closed.get("/api/projects").status_code == 200
    assert closed.post("/api/projects", json={"story": "Ours."}).status_code == 201
    taken = cookie_of(closed)
    assert closed.post("/api/logout").status_code == 204
    assert closed.get_cookie(COOKIE) is None
    for client in (closed, with_cookie(closed.application, taken)):
        assert client.get("/api/projects").get_json()["code"] == "login_required"
        assert client.post("/api/logout").status_code == 401


def test_one_logout_leaves_other_devices_alone_unless_it_is_told_not_to(closed: FlaskClient) -> None:
    phone, tablet = closed.application.test_client(), closed.application.test_client()
    for client in (closed, phone, tablet):
        enter(client)
    assert phone.post("/api/logout", json={}).status_code == 204
    assert (closed.get("/api/projects").status_code, tablet.get("/api/projects").status_code) == (200, 200)
    assert closed.post("/api/logout", json={"everywhere": True}).status_code == 204
    assert tablet.get("/api/projects").status_code == 401


def test_an_event_stream_ends_with_its_login(closed: FlaskClient) -> None:
    enter(closed)
    other = closed.application.test_client()
    enter(other)
    wire = {"waitress.client_disconnected": lambda: False}  # as the web server gives it
    asked = {"Accept": "text/event-stream"}
    stream = closed.get("/api/events", headers=asked, environ_overrides=wire, buffered=False)
    frames = iter(stream.response)
    assert b"retry" in next(frames)
    other.post("/api/projects", json={"story": "Seen."})
    assert b"data:" in next(frames)
    with_cookie(closed.application, cookie_of(closed)).post("/api/logout")
    other.post("/api/projects", json={"story": "Not seen."})
    assert list(frames) == []
    stream.close()


def test_a_login_outlives_a_restart_and_ends_with_its_passphrase(installation: Open, tmp_path: Path) -> None:
    first = create_app(installation(app_passphrase=PASSPHRASE)).test_client()
    enter(first)
    kept = cookie_of(first)
    left = first.application.test_client()
    enter(left)
    ended = cookie_of(left)
    left.post("/api/logout")
    again = create_app(installation(app_passphrase=PASSPHRASE))
    assert with_cookie(again, kept).get("/api/projects").status_code == 200
    assert with_cookie(again, ended).get("/api/projects").status_code == 401
    other = create_app(installation(app_passphrase="another one entirely"))
    assert with_cookie(other, kept).get("/api/projects").status_code == 401
    record = tmp_path / "data" / "login.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert PASSPHRASE not in record.read_text()
    record.write_text("{}")
    third = create_app(installation(app_passphrase=PASSPHRASE))
    assert with_cookie(third, kept).get("/api/projects").status_code == 401
    assert enter(third.test_client()).status_code == 200


def test_a_cookie_that_is_not_ours_is_none(closed: FlaskClient) -> None:
    enter(closed)
    real = cookie_of(closed)
    payload, stamp, signature = real.rsplit(".", 2)
    for forged in ("", "x", "a.b.c", f"{payload}x.{stamp}.{signature}", f"{payload}.{stamp}.", real[:-4], "é" * 9):
        client = closed.application.test_client()
        answer = client.get("/api/projects", headers={"Cookie": f"{COOKIE}={forged}"})
        assert answer.status_code == 401, forged


@pytest.mark.parametrize("given", [PASSPHRASE, f" {PASSPHRASE} ", PASSPHRASE.replace("ö", "o\u0308")])
def test_the_same_words_are_the_same_passphrase(closed: FlaskClient, given: str) -> None:
    assert enter(closed, given).status_code == 200


@pytest.mark.parametrize("given", ["", "four words", PASSPHRASE.upper(), PASSPHRASE + "x", "\u0000", "x" * 1000])
def test_other_words_are_not(closed: FlaskClient, given: str) -> None:
    answer = enter(closed, given)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "wrong_passphrase")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "body", [{}, {"passphrase": 5}, {"passphrase": None}, {"passphrase": "x" * 1001}, {"pass": "x"}]
)
def test_a_login_that_says_nothing_is_refused(closed: FlaskClient, body: dict[str, Any]) -> None:
    assert closed.post("/api/login", json=body).status_code == 422


def test_guessing_is_limited_for_an_address(closed: FlaskClient) -> None:
    enter(closed)
    guesser = closed.application.test_client()
    there = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    for _ in range(PER_ADDRESS):
        assert enter(guesser, "guess", **there).status_code == 401
    for passphrase in ("guess", PASSPHRASE):  # the right one is not told from a wrong one any more
        answer = enter(guesser, passphrase, **there)
        assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_attempts")
        assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert closed.get("/api/projects").status_code == 200
    assert enter(guesser, environ_base={"REMOTE_ADDR": "203.0.113.8"}).status_code == 200


def test_a_login_that_succeeds_takes_the_slips_back(closed: FlaskClient) -> None:
    for _ in range(3):
        for _ in range(PER_ADDRESS - 1):
            assert enter(closed, "slip").status_code == 401
        assert enter(closed).status_code == 200


def test_guessing_is_limited_in_all_and_what_is_remembered_is_bounded() -> None:
    attempts = Attempts()
    waits = [attempts.begin(f"198.51.{number // 250}.{number % 250}") for number in range(5000)]
    assert waits[:IN_ALL] == [0.0] * IN_ALL
    assert all(wait > 0 for wait in waits[IN_ALL:])
    assert len(attempts._made) == IN_ALL


def test_an_ipv6_client_does_not_get_a_try_for_each_of_its_addresses(closed: FlaskClient) -> None:
    for number in range(PER_ADDRESS + 1):
        answer = enter(closed, "guess", environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"})
    assert answer.status_code == 429


def test_another_sites_page_cannot_log_in_or_out(closed: FlaskClient) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert enter(closed, headers=headers).status_code == 403
        assert closed.post("/api/logout", headers=headers).status_code == 403


def test_behind_tls_the_cookie_is_secure_and_the_browser_is_told_to_stay(installation: Open) -> None:
    app = create_app(installation(app_passphrase=PASSPHRASE, public_url="https://films.example.org"))
    public = {"Host": "films.example.org"}
    answer = enter(app.test_client(), headers={**public, "Origin": "https://films.example.org"})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    here = enter(app.test_client())
    assert "Secure" not in here.headers["Set-Cookie"] and "Strict-Transport-Security" not in here.headers
    # The same name without TLS may be somebody on the way.
    assert enter(app.test_client(), headers={**public, "Origin": "http://films.example.org"}).status_code == 403


def test_what_is_shown_to_one_is_not_kept_for_all(closed: FlaskClient) -> None:
    """A cache between would hand a picture on to whoever knows its address."""
    enter(closed)

    with closed.application.test_request_context("/media/x"):
        shown = closed.application.process_response(Response(headers={"Cache-Control": "public, max-age=9, immutable"}))
    assert "private" in shown.headers["Cache-Control"] and "public" not in shown.headers["Cache-Control"]
    assert "Cookie" in shown.headers["Vary"]
    assert "Cookie" in closed.get("/api/projects").headers["Vary"]


def test_without_a_passphrase_there_is_nothing_to_log_in_to(client: FlaskClient) -> None:
    whole = {"login_required": False, "logged_in": True, "expires_at": None}
    assert client.get("/api/session").get_json() == whole
    answer = enter(client, "anything")
    assert (answer.status_code, answer.get_json()) == (200, whole)
    assert "Set-Cookie" not in answer.headers
    assert client.post("/api/logout").status_code == 204


def test_a_damaged_server_tells_strangers_that_alone(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, app_passphrase=PASSPHRASE)
    damage = ProductError("The database at /secret/place is damaged.")
    client = create_damaged_app(settings, damage, ["/secret/place/backups/1"]).test_client()
    assert client.get("/healthz").get_json() == {"status": "damaged", "code": "store_damaged"}
    assert client.get("/api/projects").status_code == 401
    assert client.get("/").status_code == 200
    assert enter(client).status_code == 200
    assert client.get("/healthz").get_json()["backups"] == ["/secret/place/backups/1"]
    assert client.get("/api/projects").get_json()["code"] == "store_damaged"


@pytest.mark.parametrize("token", [None, "the automation client's"])
def test_the_automation_client_takes_its_token_and_nothing_else(installation: Open, token: str | None) -> None:
    parts = installation(app_passphrase=PASSPHRASE, hermes_token=token)
    app = create_app(parts)

    @app.get("/api/hermes/bell")
    @api(answers={200: Raw(("text/plain",))}, security="hermes")
    def bell() -> Response:
        """Rings."""
        return Response("ding", mimetype="text/plain")

    client = app.test_client()
    enter(client)
    wrong = [{}, {"Authorization": "Bearer nope"}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {token}"}]
    for headers in wrong:
        answer = client.get("/api/hermes/bell", headers=headers)
        expected = (401, "wrong_token") if token else (403, "hermes_closed")
        assert (answer.status_code, answer.get_json()["code"]) == expected
        assert token is None or answer.headers["WWW-Authenticate"].startswith("Bearer")
    right = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/hermes/bell", headers=right).status_code == (200 if token else 403)
    assert app.test_client().get("/api/projects", headers=right).status_code == 401


def test_the_description_says_what_is_closed(closed: FlaskClient) -> None:
    enter(closed)
    described = closed.get("/api/openapi.json").get_json()
    assert described["components"]["securitySchemes"]["login"]["name"] == COOKIE
    assert "401" in described["paths"]["/api/projects"]["get"]["responses"]
    assert "401" not in described["paths"]["/healthz"]["get"]["responses"]
    assert {"401", "429"} <= set(described["paths"]["/api/login"]["post"]["responses"])
    assert declaration_of(health.healthz) is not None
