"""Uploads when the disk for temporary files is full: refused in words, and the server goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.test_disk_full_store import MEGABYTE, disk
from tests.server import pictures
from tests.server.kit import Answer, ServerProcess

pytestmark = pytest.mark.root


def upload(server: ServerProcess, address: str, content: bytes) -> Answer:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return server.ask("POST", address, head + content + b"\r\n--b--\r\n", kind)


def test_an_upload_that_finds_no_room_is_refused(tmp_path: Path) -> None:
    """It is kept on the disk twice: as it arrives, and as the files of its form."""
    with disk(tmp_path / "disk", "8m") as place, ServerProcess(tmp_path / "data", env={"TMPDIR": str(place)}) as server:
        project = server.ask("POST", "/api/projects", {"story": "A bell rang."}).json["id"]
        prop = server.ask("POST", f"/api/projects/{project}/props", {"name": "Bell"}).json["id"]
        there = f"/api/props/{prop}/guide-images"
        for size in (12 * MEGABYTE, 5 * MEGABYTE):
            answer = upload(server, there, os.urandom(size))
            assert (answer.status, answer.json["code"]) == (507, "disk_full"), size
            assert answer.json["hint"]
        assert upload(server, there, pictures.png()).status == 201
        assert len(server.get(there).json["items"]) == 1
