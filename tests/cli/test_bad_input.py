"""What cannot be used is refused before any work, in a sentence, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.cli.exits import UNAVAILABLE, USAGE
from tests.naughty import CONTROLS

STORY = "Mira found a bell. It rang."


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command takes Ctrl-C and SIGTERM for itself; here they belong to pytest."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and what was said; checks that nothing was begun."""
    before = sorted(tmp_path.rglob("*"))
    code = main(["film", *arguments, "--data-dir", str(tmp_path / "data")])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("video-story: ") and "Traceback" not in said.err and len(said.err) < 900
    assert sorted(tmp_path.rglob("*")) == before
    return code, said.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"  \n\t\r\n ", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("\u2026 \u2014 ?! \U0001f600".encode(), "no words"),
        (CONTROLS.encode("utf-8") * 20, "control characters"),
        (b"word " * 30_001, "limit is 30,000 words"),
        ("字".encode() * 30_001, "limit is 30,000 words"),
        (b"x" * 700_000, "limit is 30,000 words"),
        (os.urandom(4096) + b"\x00", "not a text file"),
        (bytes(range(1, 256)) * 8, "not a text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04" + bytes(50), "Word document"),
        (b"\x7fELF" + bytes(50), "a program"),
        (b"\xff\xfe\x00\xd8\x20\x00", "damaged"),
    ],
)
def test_stories_that_cannot_be_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    story = tmp_path / "story.txt"
    story.write_bytes(content)
    code, said = refused(capsys, tmp_path, str(story), "-o", str(tmp_path / "film.mp4"))
    assert code == USAGE and words in said


@pytest.mark.parametrize("name", ["missing.txt", "", ".", "a\x00b", "x" * 300, "~nobody/x.txt"])
def test_story_files_that_are_none(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    story = str(tmp_path) if name == "." else f"{tmp_path}/{name}"
    assert refused(capsys, tmp_path, story, "-o", str(tmp_path / "film.mp4"))[0] == USAGE


def test_outputs_that_cannot_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text(STORY)
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "device.mp4").symlink_to("/dev/null")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "link.mp4")
    for name, code, words in (
        (tmp_path, USAGE, "is a folder"),
        (tmp_path / "folder.mp4", USAGE, "is a folder"),
        (tmp_path / "no" / "film.mp4", USAGE, "no folder"),
        (tmp_path / "film.avi", USAGE, "MP4"),
        (tmp_path / "film", USAGE, "MP4"),
        (tmp_path / "device.mp4", USAGE, "not a file"),
        (tmp_path / "link.mp4", USAGE, "cannot be"),
        (tmp_path / "story.txt" / "film.mp4", UNAVAILABLE, "cannot be written"),
        (tmp_path / f"{'x' * 300}.mp4", USAGE, "cannot be"),
    ):
        got, said = refused(capsys, tmp_path, str(story), "-o", str(name))
        assert (got, words in said) == (code, True), (name, said)


def test_a_film_never_overwrites_its_story(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("tale.mp4", "tale.srt", "tale.vtt"):
        story = tmp_path / name
        story.write_text(STORY)
        code, said = refused(capsys, tmp_path, str(story), "-o", str(tmp_path / "tale.mp4"))
        assert code == USAGE and "overwrite the story" in said
        story.unlink()


def test_settings_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = tmp_path / "story.txt"
    story.write_text(STORY)
    monkeypatch.setenv("ENGINE_WORKERS", "many")
    code, said = refused(capsys, tmp_path, str(story), "-o", str(tmp_path / "film.mp4"))
    assert code == USAGE and "ENGINE_WORKERS" in said


@pytest.mark.parametrize(
    "arguments", [[], ["film"], ["film", "s.txt"], ["film", "s.txt", "-o", "f.mp4", "--aspect", "4:3"], ["fly"]]
)
def test_wrong_use_says_how_it_is_used(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == USAGE
    assert "usage: python -m pipeline" in capsys.readouterr().err


@pytest.mark.parametrize(
    "raw",
    [
        "Café, “niño”.".encode(),
        b"\xef\xbb\xbf" + "Café, “niño”.".encode(),
        "Café, “niño”.".encode("utf-16"),
        "Café, “niño”.".encode("utf-32"),
        "Café, “niño”.".encode("cp1252"),
        b"\xfe\xff" + "Café, “niño”.".encode("utf-16-be"),
    ],
)
def test_text_is_read_in_the_encodings_that_people_have(tmp_path: Path, raw: bytes) -> None:
    from pipeline.cli.story_file import read_story

    (tmp_path / "story.txt").write_bytes(raw)
    assert read_story(str(tmp_path / "story.txt")) == "Café, “niño”."


def test_utf16_without_a_mark_is_read_too(tmp_path: Path) -> None:
    from pipeline.cli.story_file import read_story

    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "story.txt").write_bytes(STORY.encode(encoding))
        assert read_story(str(tmp_path / "story.txt")) == STORY
