"""The program of its own with its control API, and what the simulator must not know."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import tests.simulator
from tests.simulator.simulator import BASES, KEYS

FOLDER = Path(tests.simulator.__file__).parent


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--scale", "0"]
    with subprocess.Popen(command, cwd=FOLDER.parent.parent, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        found: dict[str, str] = {}
        while len(found) < len(BASES) + len(KEYS):
            name, _, value = program.stdout.readline().strip().partition("=")
            found[name] = value
        yield found
        program.terminate()
        assert program.wait(10) == 0


def test_it_is_driven_over_http(env: dict[str, str]) -> None:
    root = env["REPLICATE_BASE_URL"].removesuffix("/replicate")
    control = f"{root}/_control"
    key = {"Authorization": f"Bearer {env['REPLICATE_API_TOKEN']}"}
    with httpx.Client(trust_env=False) as http:
        url = f"{env['REPLICATE_BASE_URL']}/v1/models/black-forest-labs/flux-2-pro/predictions"
        http.post(f"{control}/faults", json={"kind": "rate_limit", "provider": "replicate"})
        statuses = [http.post(url, json={"input": {"prompt": "x"}}, headers=key).status_code for _ in range(3)]
        assert statuses == [429, 201, 201]
        bill = http.get(f"{control}/bill", params={"provider": "replicate"}).json()
        assert len(bill["charges"]) == 2
        assert len(http.get(f"{control}/bill/duplicates").json()[0]) == 2
        log = http.get(f"{control}/requests", params={"operation": "submit"}).json()
        assert log[0]["body"] == {"input": {"prompt": "x"}} and log[0]["faults"] == ["rate_limit"]
        assert log[0]["headers"]["authorization"] == "Bearer …ated"
        http.post(f"{control}/respond", json={"operation": "chat", "content": "Hello.", "match": "Hi"})
        chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        answer = http.post(f"{env['OPENAI_COMPATIBLE_BASE_URL']}/chat/completions", json=chat).json()
        assert answer["choices"][0]["message"]["content"] == "Hello."
        http.post(f"{control}/storm", json={"p": 1.0, "kinds": ["server_error"]})
        assert http.post(url, json={"input": {"prompt": "x"}}, headers=key).status_code >= 500
        http.delete(f"{control}/storm")
        assert http.post(f"{control}/settings", json={"latency": {"chat": 1}}).json()["latency"]["chat"] == 1
        http.post(f"{control}/advance", json={"seconds": 7200})
        for _ in range(500):
            states = {job["state"] for job in http.get(f"{control}/jobs").json()}
            if states == {"succeeded"}:
                break
            time.sleep(0.01)
        assert states == {"succeeded"}
        assert http.post(f"{control}/faults", json={"kind": "earthquake"}).status_code == 400
        assert http.get(f"{control}/errors").json() == []
        http.post(f"{control}/reset")
        assert http.get(f"{control}/bill").json() == {"total_micro_dollars": 0, "charges": []}


def test_every_base_url_has_its_provider(env: dict[str, str]) -> None:
    assert set(BASES) <= set(env)
    assert len({env[name] for name in BASES}) == len(BASES)


def test_it_shares_nothing_with_the_program_it_tests() -> None:
    found = []
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [f"{path.name}: {name}" for name in modules if name.split(".")[0] in ("pipeline", "server")]
    assert found == []
