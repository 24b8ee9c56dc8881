"""Stand-ins for ffmpeg: small programs that hang, fail or die, put in place by the door's own setting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.film import ffmpeg

Faulty = Callable[[str], Path]


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Faulty]:
    """Makes a program out of Python lines and has it used for both ffmpeg and ffprobe until the test ends."""

    def make(lines: str, *, memory_bytes: int = 6 << 30) -> Path:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!{sys.executable} -IS\nimport os, sys, time, signal\n{lines}\n")
        program.chmod(0o755)
        ffmpeg.configure(ffmpeg.Tools(program, program, memory_bytes))
        return program

    yield make
    ffmpeg.configure(None)
