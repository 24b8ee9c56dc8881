"""Files over HTTP: ranges, versions, and names that are safe on any system."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from pipeline.generation.moderation.clearances import assembled
from server.files import download_name
from server.wiring import Services
from tests.naughty import STRINGS

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def url(parts: Services) -> str:
    with parts.store.media.draft(".mp4") as draft:
        draft.write_bytes(CONTENT)
        return parts.store.media.publish(draft, ext="mp4", verdict=assembled()).url


@pytest.fixture
def film(parts: Services, project: int, url: str) -> str:
    """The address of a project whose film is there."""
    from pipeline.store.models import Project

    with parts.store.db.write() as session:
        row = session.get_one(Project, project)
        row.film_url, row.title = url, 'It\'s "Ça": 雪/\n\\..'
    return f"/api/projects/{project}"


def test_a_file_by_its_content_may_be_kept_forever(client: FlaskClient, url: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, CONTENT, "video/mp4")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert client.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.head(url).headers["Content-Length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-0", 206, CONTENT[:1], "bytes 0-0/10240"),
        ("bytes=100-199", 206, CONTENT[100:200], "bytes 100-199/10240"),
        ("bytes=10000-", 206, CONTENT[10000:], "bytes 10000-10239/10240"),
        ("bytes=-5", 206, CONTENT[-5:], "bytes 10235-10239/10240"),
        ("bytes=0-99999", 206, CONTENT, "bytes 0-10239/10240"),
        ("bytes=0-1,5-6", 200, CONTENT, None),
        ("bytes=10240-", 416, None, "bytes */10240"),
    ],
)
def test_ranges(
    client: FlaskClient, film: str, asked: str, status: int, content: bytes | None, said: str | None
) -> None:
    answer = client.get(f"{film}/film", headers={"Range": asked})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, said)
    if content is not None:
        assert answer.data == content
    else:
        assert answer.get_json()["code"] == "range_not_satisfiable"


def test_a_range_of_an_older_film_gives_the_whole_new_one(client: FlaskClient, film: str) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"older"'}
    assert client.get(f"{film}/download-video", headers=headers).status_code == 200
    same = client.get(f"{film}/film").headers["ETag"]
    assert client.get(f"{film}/film", headers={"Range": "bytes=0-9", "If-Range": same}).status_code == 206


def test_a_download_is_named_after_the_film(client: FlaskClient, film: str) -> None:
    shown = client.get(f"{film}/film").headers
    assert "Content-Disposition" not in shown or shown["Content-Disposition"].startswith("inline")
    answer = client.get(f"{film}/download-video")
    assert (answer.status_code, answer.data) == (200, CONTENT)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "filename*=UTF-8''It%27s%20%C3%87a%20%E9%9B%AA.mp4" in disposition
    assert client.get(f"{film}/film").headers["Cache-Control"] == "no-cache"


def test_no_title_makes_a_name_that_a_system_cannot_take() -> None:
    for title in (*STRINGS, "", "..", "/", "CON", "a/b", "\u202egpj.exe", "字" * 400, "👍🏿" * 100):
        name = download_name(title, "mp4")
        assert name.endswith(".mp4") and len(name.encode()) <= 130
        assert not set(name) & set('/\\:*?"<>|\r\n\x00\u202e')
        assert name.strip(". ") == name and name != ".mp4"


def test_a_file_that_has_gone_is_named(client: FlaskClient, parts: Services, film: str, url: str) -> None:
    parts.store.media.path(url).unlink()
    answer = client.get(f"{film}/film")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "media_missing")
    assert url.rsplit("/", 1)[1] in answer.get_json()["detail"]
