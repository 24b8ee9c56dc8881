"""Keys stay where they are: no answer, no log line and no file of the data folder has one, whatever providers say."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from pipeline.runner import Runner
from pipeline.settings import Settings, load_settings
from pipeline.stage import Unit
from pipeline.store import open_store
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.runner.plain_stages import PlainStage

CANARY = "c4nary"
SECRETS = [name for name, info in Settings.model_fields.items() if "SecretStr" in str(info.annotation)]
ADDRESSES = [name for name in Settings.model_fields if name.endswith(("_base_url", "_endpoint_url"))]


class Parrot(BaseHTTPRequestHandler):
    """A provider that refuses, and repeats in its answer all that it was sent, the key too."""

    def refuse(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length).decode("utf-8", "replace")
        self.server.heard.append(str(self.headers))  # type: ignore[attr-defined]
        said = json.dumps({"error": {"message": f"Wrong key: {dict(self.headers)} {sent[:500]}"}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = refuse

    def log_message(self, *_: object) -> None:
        """Nothing to tell."""


@pytest.fixture
def parrot() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    server.daemon_threads = True
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def parts(tmp_path: Path, parrot: ThreadingHTTPServer) -> Iterator[Services]:
    secrets = {name: f"{CANARY}-{name}-5ecret" for name in SECRETS}
    address = f"http://127.0.0.1:{parrot.server_address[1]}"
    addresses = dict.fromkeys(ADDRESSES, address)
    names = {"openai_compatible_model": "some-model", "runpod_endpoint_id": "some-endpoint"}
    settings = load_settings(data_dir=tmp_path / "data", engine_workers=1, **secrets, **addresses, **names)
    assert all(isinstance(getattr(settings, name), SecretStr) for name in SECRETS)
    store = open_store(settings.data_dir)
    stage = PlainStage("script", [Unit("script/1", "one")])
    yield (services := Services(settings, store, Runner(store, settings, stages=(stage,)), Answers(store.db)))
    services.close(5)


def test_no_key_is_told_written_or_kept(
    parts: Services, parrot: ThreadingHTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every route is asked, logged in and not, with an empty body and with a wrong one; and work is sent to providers
    that repeat the key in their refusals."""
    caplog.set_level(logging.INFO)
    client = create_app(parts).test_client()
    said: list[str] = []

    def ask(method: str, path: str, **more: Any) -> Any:
        answer = client.open(path, method=method, **more)
        said.append(f"{path} {answer.headers} {answer.get_data().decode('utf-8', 'replace')}")
        return answer

    assert ask("POST", "/api/login", json={"passphrase": f"{CANARY} guess"}).status_code == 401
    said.clear()
    caplog.clear()
    assert client.post("/api/login", json={"passphrase": f"{CANARY}-app_passphrase-5ecret"}).status_code == 200
    project = ask("POST", "/api/projects", json={"story": "Mira ran. A bell rang."}).get_json()["id"]
    prop = ask("POST", f"/api/projects/{project}/props", json={"name": "Bell", "description": "Brass."}).get_json()[
        "id"
    ]
    for model in _models(client):
        ask("POST", f"/api/props/{prop}/generate", json={"model": model})
    ask("POST", f"/api/projects/{project}/yolo", json={})
    paths = ask("GET", "/api/openapi.json").get_json()["paths"]
    values = {"project_id": project, "entity_id": prop, "entity_type": "props", "entityType": "props"}
    for path, operations in paths.items():
        place = re.sub(r"{(\w+)}", lambda found: str(values.get(found[1], 1)), path)
        for method in sorted(operations, key=["get", "post", "put", "patch", "delete"].index):
            if "logout" in path or (method == "delete" and "{project_id}" in path):
                continue
            for body in ({}, {"model": 5, "unknown": "x"}):
                ask(method.upper(), place, **({} if method == "get" else {"json": body}))
    parts.close(5)
    assert len(said) > 150
    assert parrot.heard, "no provider was asked, so nothing was shown"  # type: ignore[attr-defined]
    assert any(CANARY in heard for heard in parrot.heard)  # type: ignore[attr-defined]
    assert any("Wrong key" in text and "[key]" in text for text in said), "no provider's words were shown"
    assert [text[:3000] for text in said if CANARY in text] == []
    assert [line for line in caplog.text.splitlines() if CANARY in line] == []
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [str(path) for path in kept if CANARY.encode() in path.read_bytes()] == []


def _models(client: FlaskClient) -> list[str]:
    """The image models that are ready."""
    items = client.get("/api/models").get_json()["items"]
    return [str(model["model"]) for model in items if model["kind"] == "image" and model["ready"]]
