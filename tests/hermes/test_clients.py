"""The client, the shell example and what their page promises, against a real server."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.hermes.kit import TOKEN, finished, open_server, status_of
from tests.server.kit import ROOT, ServerProcess

CLIENTS = ROOT / "hermes"
STORY = 'The Bell\n\nMira ran to the "old" harbour\\pier.\n\n"Ding!" cried Mira.\n'
SIZE = 700_000


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("client", CLIENTS / "client.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["client"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clients") / "data"


@pytest.fixture(scope="module")
def ready(folder: Path) -> list[int]:
    return [finished(folder, SIZE) for _ in range(3)]


@pytest.fixture(scope="module")
def server(folder: Path, ready: list[int]) -> Iterator[ServerProcess]:
    with open_server(folder) as opened:
        yield opened


class CutLine:
    """A way to the server that lets so many answers through whole, and of the next one only a part."""

    def __init__(self, server: ServerProcess, after: int) -> None:
        self._to = int(server.url.rsplit(":", 1)[1])
        self._after = after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> CutLine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)
        self._listener.close()

    def _carry(self) -> None:
        for number in range(self._after + 1):
            near, _ = self._listener.accept()
            with near, socket.create_connection(("127.0.0.1", self._to)) as far:
                far.sendall(near.recv(65536))
                left = 1 << 30 if number < self._after else 50_000
                while left > 0 and (block := far.recv(min(left, 65536))):
                    near.sendall(block)
                    left -= len(block)


def run(server: ServerProcess, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HERMES_TOKEN": TOKEN, "VIDEO_STORY_URL": server.url}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
def test_both_examples_bring_the_same_film_home(server: ServerProcess, tmp_path: Path) -> None:
    """The second run, by the other client, is another order of the same story; repeated, each is its own again."""
    (tmp_path / "story.txt").write_text(STORY)
    python = (sys.executable, str(CLIENTS / "client.py"), "story.txt", "film.mp4")
    first = run(server, *python, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    said = first.stdout.splitlines()
    project = int(said[0].split()[1])
    assert said[-1] == f"delivered {status_of(server, project)['delivered_at']}"
    assert server.get(f"/api/projects/{project}").json["story"] == STORY
    film = (tmp_path / "film.mp4").read_bytes()
    assert film[4:8] == b"ftyp" and sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "story.txt"]
    assert run(server, *python, cwd=tmp_path).stdout.splitlines()[0] == said[0]
    shell = ("sh", str(CLIENTS / "order.sh"), "story.txt", "by-curl.mp4")
    second = run(server, *shell, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    other = int(second.stdout.splitlines()[0].split()[1])
    assert other != project and second.stdout.splitlines()[-1].startswith("delivered 2")
    assert server.get(f"/api/projects/{other}").json["story"] == STORY
    assert (tmp_path / "by-curl.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_download_goes_on_where_it_was_broken_off(
    server: ServerProcess, client: ModuleType, ready: list[int], tmp_path: Path
) -> None:
    """The first reader dies after some parts; the second asks for the rest alone, and the film is delivered."""
    out = tmp_path / "film.mp4"
    with CutLine(server, after=3) as line, pytest.raises((OSError, HTTPException)):
        client.Hermes(line.url, TOKEN, breaks_s=()).download(ready[0], out, part=100_000)
    assert not out.exists() and (tmp_path / "film.mp4.part").stat().st_size == 300_000
    assert status_of(server, ready[0])["delivered_at"] is None
    delivered_at = client.Hermes(server.url, TOKEN).download(ready[0], out, part=100_000)
    assert delivered_at == status_of(server, ready[0])["delivered_at"]
    assert out.read_bytes() == server.get(f"/api/projects/{ready[0]}/film").body
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_half_of_another_film_is_thrown_away(
    server: ServerProcess, client: ModuleType, ready: list[int], tmp_path: Path
) -> None:
    out = tmp_path / "film.mp4"
    (tmp_path / "film.mp4.part").write_bytes(bytes(250_000))
    (tmp_path / "film.mp4.etag").write_text('"older"')
    client.Hermes(server.url, TOKEN).download(ready[1], out, part=100_000)
    assert out.read_bytes() == server.get(f"/api/projects/{ready[1]}/film").body


def test_what_stands_in_the_way_is_said(server: ServerProcess, client: ModuleType, tmp_path: Path) -> None:
    hermes = client.Hermes(server.url, TOKEN)
    with pytest.raises(client.Refused) as refused:
        hermes.create_and_run(story="")
    assert (refused.value.status, refused.value.code) == (422, "invalid_input")
    with pytest.raises(client.Refused, match="token"):
        client.Hermes(server.url, "wrong").status(1)
    order = hermes.create_and_run(story=STORY, render_image="paid", key="a")
    assert hermes.create_and_run(story=STORY, render_image="paid", key="a") == order
    with pytest.raises(client.NotFinished, match="FAL_KEY") as stopped:
        hermes.wait(order.project_id)
    assert stopped.value.status["state"] == "paused"
    with pytest.raises(client.Refused) as early:
        hermes.download(order.project_id, tmp_path / "film.mp4")
    assert (early.value.status, early.value.state) == (409, "paused")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_for_a_moment_is_asked_again(client: ModuleType, tmp_path: Path) -> None:
    with open_server(tmp_path / "data") as first:
        port = int(first.url.rsplit(":", 1)[1])
        order = client.Hermes(first.url, TOKEN).create_and_run(story=STORY, render_image="paid")
        first.kill_group()
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(client.Hermes(first.url, TOKEN).status(order.project_id)))
    asking.start()
    again = open_server(tmp_path / "data")
    again.port = port
    with again:
        asking.join(60)
    assert found and found[0]["project_id"] == order.project_id


def test_the_skill_names_what_there_is() -> None:
    """Every route, code and file that the skill speaks of exists."""
    from pipeline.problems import PROBLEMS

    page = (CLIENTS / "SKILL.md").read_text()
    assert page.startswith("---\nname: ") and "\ndescription: " in page.split("---")[1]
    table = page.split("## Problems", 1)[1].split("\n## ", 1)[0]
    named = {
        name for line in table.splitlines()[4:] if "|" in line for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert len(named) >= 8 and named <= set(PROBLEMS)
    for name in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (CLIENTS / name).is_file(), name
    assert shutil.which("curl") is not None
