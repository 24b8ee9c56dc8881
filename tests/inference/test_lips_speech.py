"""Mouths to real speech: open on every word, closed in every pause, whoever speaks; lips meet where a word says so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.inference import speech
from pipeline.inference.lip_timing import mouths
from pipeline.inference.pool import EnginePool
from pipeline.inference.speech import Spoken

FORM = FilmForm(width=640, height=360)
TEXT = "Are you far away? No. I saw the dark path above our barn."


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(2)
    yield pool
    pool.close()


def opening(pool: EnginePool, text: str, voice: str, out: Path) -> tuple[Spoken, NDArray[np.float64]]:
    """How far the mouth is open in each frame."""
    told = pool.run(speech.speak, text, voice, out, fresh=True, timeout_s=120)
    frames = told.duration_ms * FORM.fps // 1000
    return told, np.array([mouth.open for mouth in mouths(out, FORM, frames)])


@pytest.mark.parametrize("name", ["Arthur", "Boris", "Alice", "Mia", "Agnes"])
def test_the_mouth_opens_on_words_and_closes_in_pauses(pool: EnginePool, tmp_path: Path, name: str) -> None:
    voice = next(voice.id for voice in speech.voices("en") if voice.name == name)
    told, mouth = opening(pool, TEXT, voice, tmp_path / "a.wav")
    at = (np.arange(len(mouth)) + 0.5) * 1000 / FORM.fps
    open_on = {
        TEXT[word.start : word.end]: float(mouth[(at >= word.start_ms) & (at < word.end_ms + 40)].max())
        for word in told.words
    }
    assert min(open_on.values()) > 0.25, open_on
    assert float(np.mean([open_on[vowel] for vowel in ("Are", "far", "saw", "dark", "path", "barn")])) > 0.6
    pauses = [(one, other) for one, other in pairwise(told.words) if other.start_ms - one.end_ms > 250]
    assert len(pauses) == 2
    for before, after in pauses:
        assert not mouth[(at > before.end_ms + 150) & (at < after.start_ms - 60)].any()
    assert not mouth[at > told.words[-1].end_ms + 150].any()


def test_lips_meet_between_the_vowels_of_papa(pool: EnginePool, tmp_path: Path) -> None:
    """A sound of the lips is a dip between two vowels; a sound of the tongue is a lesser one."""
    voice = speech.voices("en")[0].id
    dips = {}
    for word in ("papa", "Dada"):
        told, mouth = opening(pool, f"{word} {word} {word}.", voice, tmp_path / "a.wav")
        inner = mouth[3 : told.words[-1].end_ms * FORM.fps // 1000 - 2]
        dips[word] = float(np.percentile(inner, 10) / inner.max())
    assert dips["papa"] < 0.3
    assert 0 <= dips["papa"] <= dips["Dada"] + 0.15
