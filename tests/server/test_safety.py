"""What a page of another site, a wrong name or a wrong method gets; and what every answer says to the browser."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from pipeline.errors import ProductError
from pipeline.settings import load_settings
from server.app import create_damaged_app
from server.process import refused_address
from server.safety import is_loopback


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "a b"]
)
def test_a_name_that_is_not_ours_gets_nothing(client: FlaskClient, host: str) -> None:
    for path in ("/", "/api/projects", "/healthz", "/media/x"):
        answer = client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.get_json()["code"]) == (421, "wrong_host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:81", "127.0.0.1:8000", "127.3.2.1", "[::1]:8000", "story.localhost"]
)
def test_our_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(client: FlaskClient, project: int, headers: dict[str, str]) -> None:
    for method, path in (
        ("post", "/api/projects"),
        ("post", f"/api/projects/{project}/yolo"),
        ("patch", f"/api/projects/{project}"),
        ("delete", f"/api/projects/{project}"),
    ):
        answer = getattr(client, method)(path, json={"story": "Stolen."}, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    items = client.get("/api/projects").get_json()["items"]
    assert [(item["id"], item["state"]) for item in items] == [(project, "idle")]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_builds_nothing_of_ours_into_itself(client: FlaskClient, project: int, site: str) -> None:
    """It could not see the answer; but streams and films would keep the server busy."""
    there = [f"/api/projects/{project}/archive", "/api/events", f"/media/{'0' * 64}.png"]
    elsewhere = {"Sec-Fetch-Site": site}
    for said in ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "cors"}, {}):
        for path in there:
            answer = client.get(path, headers=elsewhere | said)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden"), (path, said)
    framed = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert client.get(there[0], headers=elsewhere | framed).status_code == 403
    followed = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get(there[0], headers=elsewhere | followed).status_code == 200
    assert client.get("/", headers=elsewhere | followed).status_code == 200
    assert client.get(there[0], headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_our_own_page_and_programs_may_change_things(client: FlaskClient) -> None:
    for headers in ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        assert client.post("/api/projects", json={"story": "Ours."}, headers=headers).status_code == 201


def test_every_answer_tells_the_browser_to_be_careful(client: FlaskClient) -> None:
    for path in ("/", "/page/app.js", "/api/projects", "/api/nothing", "/healthz"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers


def test_methods_and_addresses_that_are_none_are_problems(client: FlaskClient) -> None:
    answer = client.put("/api/projects")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
    for path in (
        "/api/nothing",
        "/nothing",
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/nothing.js",
        "/api/projects/",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), path


def test_the_page_is_whole(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.mimetype == "text/html" and b"<title>Video Story</title>" in page.data
    for name, kind in (
        ("app.js", "javascript"),
        ("api.js", "javascript"),
        ("live.js", "javascript"),
        ("login.js", "javascript"),
        ("style.css", "css"),
    ):
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200 and kind in answer.mimetype
        assert b"http://" not in answer.data and b"https://" not in answer.data
    assert client.get("/favicon.ico").mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "0" * 64 + ".png",
        "..%2f..%2fvideo-story.db",
        "%2e%2e/video-story.db",
        "A" * 64 + ".png",
        "0" * 64,
        "a\x00.png",
    ],
)
def test_only_published_files_are_shown(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/media/{name}")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_only_loopback_is_listened_on_without_a_login() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        assert refused_address(load_settings(host=host)) is None
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org", "127.evil.example"):
        refusal = refused_address(load_settings(host=host))
        assert refusal is not None and "APP_PASSPHRASE" in refusal.sentence
        assert refused_address(load_settings(host=host, app_passphrase="open sesame")) is None
    assert not is_loopback("")


def test_health_is_told(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["status"] == "ready"


def test_beyond_loopback_addresses_and_this_machines_names_are_ours(tmp_path: Path) -> None:
    """A browser that names an address went there; only names can be made to point here by somebody else."""
    settings = load_settings(host="192.168.1.4", data_dir=tmp_path, app_passphrase="open sesame")
    client = create_damaged_app(settings, ProductError("Damaged."), []).test_client()
    own = socket.gethostname()
    for host in (
        "192.168.1.4:8000",
        "10.0.0.9",
        "[2001:db8::1]:8000",
        own,
        f"{own.partition('.')[0]}.local",
        "localhost",
    ):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "192.168.1.4.evil.example", "0xc0.168.1.4.evil", ""):
        assert client.get("/healthz", headers={"Host": host}).status_code == 421, host
