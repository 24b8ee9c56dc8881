"""docs/walk.md, run as a reader would: every command, in one shell, against a server that has nothing in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.hermes.kit import open_server
from tests.server.kit import ROOT

PAGE = ROOT / "docs" / "walk.md"


@pytest.mark.slow
def test_the_walk_leads_where_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == PAGE.read_text(encoding="utf-8").count("```") // 2
    with open_server(tmp_path / "data") as server:
        shell = ["sh", "-e", "-u", "-x", "-c", "".join(blocks)]
        env = {**os.environ, "URL": server.url}
        walked = subprocess.run(shell, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert walked.returncode == 0, walked.stdout[-3000:] + walked.stderr[-3000:]
        project = server.get("/api/projects").json["items"][0]
        base = f"/api/projects/{project['id']}"
        mira = server.get(f"{base}/characters").json["items"][0]
        guides = server.get(f"/api/characters/{mira['id']}/guide-images").json["items"]
        assert (len(guides), project["state"]) == (2, "done")
        assert len(server.get(f"/api/characters/{mira['id']}/versions").json["items"]) == 2
        assert "misty" in server.get(f"{base}/segments").json["items"][0]["text"]
        shot = server.get(f"{base}/shots").json["items"][0]
        assert len(server.get(f"/api/shots/{shot['id']}/versions").json["items"]) >= 2
        film = (tmp_path / "second.mp4").read_bytes()
        assert film == server.get(f"{base}/film").body != (tmp_path / "first.mp4").read_bytes()
        assert "misty" in (tmp_path / "second.srt").read_text(encoding="utf-8")
