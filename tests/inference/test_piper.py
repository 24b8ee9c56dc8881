"""The user's own voice files: found, spoken with, the same every time, and named where they cannot be used."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import EngineFailed, InvalidInput, ProductError
from pipeline.inference import piper, speech
from pipeline.inference.alignment import words
from pipeline.inference.pool import EnginePool
from pipeline.inference.speech import Spoken
from tests.inference.voice_file import RATE, SAMPLES, voice_file

TEXT = "Once there was a lamp. “Who lit it?” asked the boy, and nobody knew!"


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(2)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "voices"
    voice_file(folder, "lamplighter")
    voice_file(folder, "choir", num_speakers=3, gender="female", age_group="child")
    voice_file(folder, "kantor", language={"code": "de_DE"}, espeak={"voice": "de"})
    return folder


def spoken(pool: EnginePool, text: str, out: Path, voice: str, folder: Path) -> Spoken:
    return pool.run(speech.speak, text, voice, out, folder, fresh=True, timeout_s=120)


def samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def test_voice_files_come_before_the_built_in_voices_of_their_language(folder: Path) -> None:
    english, german = speech.voices("en-GB", folder), speech.voices("de", folder)
    own = [voice for voice in english if piper.is_voice(voice.id)]
    assert english[: len(own)] == tuple(own)
    assert [voice.id for voice in own] == ["piper:choir#0", "piper:choir#1", "piper:choir#2", "piper:lamplighter"]
    assert {(voice.gender, voice.age_group) for voice in own} == {("female", "child"), ("neutral", "adult")}
    assert german[0].id == "piper:kantor"
    assert speech.voices("fr", folder) == speech.voices("fr")
    assert speech.voices("en", folder / "none") == speech.voices("en")


def test_a_voice_file_speaks_and_its_words_are_timed(pool: EnginePool, tmp_path: Path, folder: Path) -> None:
    told = spoken(pool, TEXT, tmp_path / "a.wav", "piper:lamplighter", folder)
    sound = samples(tmp_path / "a.wav")
    assert len(sound) == told.duration_ms * 48
    assert [(word.start, word.end) for word in told.words] == list(words(TEXT))
    assert all(one.end_ms <= other.start_ms for one, other in zip(told.words, told.words[1:], strict=False))
    said = {TEXT[word.start : word.end]: word for word in told.words}
    before = sound[said["lamp"].end_ms * 48 : said["Who"].start_ms * 48]
    assert len(before) > 48 * 150  # two sentences, a pause between them
    assert np.abs(before[48 * 30 : -48 * 60]).max() < 0.01
    assert np.abs(sound[said["Who"].start_ms * 48 :][: 48 * 200]).max() > 0.05


def test_the_sounds_are_those_that_espeak_gives(pool: EnginePool, tmp_path: Path, folder: Path) -> None:
    """Each sound of the test's voice lasts as long as another, so length tells how many there were."""
    lengths = []
    for text in ("Go", "Go.", "Goat."):
        told = spoken(pool, text, tmp_path / "a.wav", "piper:lamplighter", folder)
        pause = 190 if text.endswith(".") else 0
        lengths.append(round((told.duration_ms - pause) * RATE / 1000 / SAMPLES))
    # ^ _ ɡ _ ˈ _ o _ ʊ _ $, then a full stop with its padding, then a t with its padding
    assert lengths == [11, 13, 15]


def test_the_same_text_gives_the_same_bytes(pool: EnginePool, tmp_path: Path, folder: Path) -> None:
    for name in ("a", "b"):
        spoken(pool, TEXT, tmp_path / f"{name}.wav", "piper:lamplighter", folder)
    spoken(pool, TEXT, tmp_path / "c.wav", "piper:choir#2", folder)
    a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("text", ["...", "🐶", "“—”"])
def test_what_has_no_sound_is_quiet_or_short(pool: EnginePool, tmp_path: Path, folder: Path, text: str) -> None:
    assert spoken(pool, text, tmp_path / "a.wav", "piper:lamplighter", folder).duration_ms <= 1_000


def test_a_voice_that_is_not_there_is_refused(pool: EnginePool, tmp_path: Path, folder: Path) -> None:
    for voice in ("piper:nobody", "piper:../voices/lamplighter", "piper:", "piper:choir#x"):
        with pytest.raises(InvalidInput) as refused:
            spoken(pool, "Hello.", tmp_path / "a.wav", voice, folder)
        assert refused.value.field == "voice"
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    ("model", "about"),
    [(b"no model", None), (b"", None), (None, "{"), (None, '{"audio": {"sample_rate": 1}}'), (None, None)],
)
def test_a_file_that_cannot_be_used_is_named(
    pool: EnginePool, tmp_path: Path, model: bytes | None, about: str | None
) -> None:
    file = voice_file(tmp_path, "broken")
    described = file.with_name("broken.onnx.json")
    if model is not None:
        file.write_bytes(model)
    elif about is not None:
        described.write_text(about)
    else:
        described.unlink()
    with pytest.raises(EngineFailed, match=r"broken\.onnx"):
        spoken(pool, "Hello.", tmp_path / "a.wav", "piper:broken", tmp_path)
    if model is None:
        assert speech.voices("en", tmp_path) == speech.voices("en")
        assert "broken.onnx" in str(dict(piper.files(tmp_path))["broken"])


def test_the_description_is_checked_before_the_model_is_read(tmp_path: Path) -> None:
    voice_file(tmp_path, "odd", phoneme_type="pinyin")
    with pytest.raises(ProductError, match=r"odd\.onnx\.json"):
        piper.synthesise("Hello.", "piper:odd", tmp_path)


def test_sentences_are_found_where_espeak_reads_ahead(pool: EnginePool, tmp_path: Path, folder: Path) -> None:
    """Only between two sentences there is a pause: not after a title, nor at a comma."""
    for text, pauses in (("Dr. Brown saw J. Smith, and ran.", 0), ("He saw Tom! Did you? “Yes.” So be it", 3)):
        spoken(pool, text, tmp_path / "a.wav", "piper:lamplighter", folder)
        loud = np.abs(samples(tmp_path / "a.wav")).reshape(-1, 48).max(axis=1) > 0.01
        edges = np.flatnonzero(np.diff(loud.astype(int)))
        assert sum(gap > 180 for gap in np.diff(edges)[1::2]) == pauses, text
