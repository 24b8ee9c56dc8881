"""The process that reads pictures from outside: what it may use, and that it dies alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import BadMedia, InvalidInput, ProductError
from pipeline.inference.intake import take_in
from pipeline.inference.pool import EnginePool

LARGEST_MEMORY_KB = 512 << 10


def read(source: Path, folder: Path) -> tuple[str, int]:
    """What became of it, and the most memory that the process ever held, in kB."""
    try:
        outcome = take_in(source, folder)[0].suffix
    except ProductError as failure:
        outcome = failure.code
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return outcome, int(status["VmHWM"].split()[0])


@pytest.mark.parametrize(
    ("mode", "ext", "outcome"),
    [("RGB", "png", ".jpg"), ("RGBA", "png", None), ("RGB", "webp", None), ("I;16", "png", ".jpg")],
)
def test_the_largest_picture_stays_within_the_memory(tmp_path: Path, mode: str, ext: str, outcome: str | None) -> None:
    """Some kinds take more than there is for the largest size: they are refused, and no more is used."""
    source = tmp_path / f"large.{ext}"
    how = {"lossless": True, "method": 0, "quality": 0} if ext == "webp" else {"compress_level": 1}
    Image.new(mode, (8000, 6000)).save(source, **how)
    pool = EnginePool(1)
    try:
        got, memory_kb = pool.run(read, source, tmp_path, fresh=True, timeout_s=60)
    finally:
        pool.close()
    assert memory_kb <= LARGEST_MEMORY_KB
    assert got == outcome if outcome else got in (".png", ".jpg", BadMedia.code, InvalidInput.code)
