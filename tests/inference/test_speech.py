"""Speech: reproducible, equally loud, told apart by ear, and timed word by word."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contracts import AgeGroup, Gender, Voice, WordTime
from pipeline.errors import InvalidInput
from pipeline.inference import speech
from pipeline.inference.alignment import Mark, aligned, words
from pipeline.inference.pool import EnginePool
from pipeline.inference.speech import Spoken

TEXT = "The old keeper climbed the stairs, and looked out over the grey water."
NARRATOR = speech.voices("en")[0].id


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(2)
    yield pool
    pool.close()


def spoken(pool: EnginePool, text: str, out: Path, voice: str = NARRATOR) -> Spoken:
    return pool.run(speech.speak, text, voice, out, fresh=True, timeout_s=120)


def samples(wav: Path) -> NDArray[np.float64]:
    with wave.open(str(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def pitch(sound: NDArray[np.float64]) -> float:
    """The median fundamental in Hz of the voiced parts, by autocorrelation."""
    window = np.hanning(2048)
    fall = np.fft.irfft(np.abs(np.fft.rfft(window, 8192)) ** 2)[:2048]
    found = []
    for at in range(0, len(sound) - 2048, 960):
        part = sound[at : at + 2048]
        if part.std() < 0.04:
            continue
        likeness = np.fft.irfft(np.abs(np.fft.rfft(part * window, 8192)) ** 2)[:1000] / fall[:1000]
        lag = 100 + int(likeness[100:800].argmax())
        if likeness[lag] > 0.6 * likeness[0]:
            found.append(48_000 / lag)
    return float(np.median(found))


def level(sound: NDArray[np.float64]) -> float:
    """Loudness of the sounding parts in dB."""
    blocks = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800)
    power = (blocks**2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 30].mean()))


def test_the_same_text_gives_the_same_bytes_every_time(pool: EnginePool, tmp_path: Path) -> None:
    told = [spoken(pool, TEXT, tmp_path / f"{n}.wav") for n in range(3)]
    assert told[0] == told[1] == told[2]
    assert len({(tmp_path / f"{n}.wav").read_bytes() for n in range(3)}) == 1


def test_a_sound_is_whole_milliseconds_and_begins_and_ends_in_silence(pool: EnginePool, tmp_path: Path) -> None:
    told = spoken(pool, TEXT, tmp_path / "a.wav")
    sound = samples(tmp_path / "a.wav")
    assert len(sound) == told.duration_ms * 48
    assert 3_500 < told.duration_ms < 6_500
    assert abs(sound[0]) < 1e-3 and abs(sound[-1]) < 1e-3
    assert np.abs(np.diff(sound)[:240]).max() < 0.02  # no click
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    assert loud[0] < 0.12 * 48_000 and len(sound) - loud[-1] < 0.35 * 48_000
    assert np.abs(sound).max() < 0.9


def silent_ms_at_the_end(sound: NDArray[np.float64]) -> float:
    return (len(sound) - 1 - int(np.flatnonzero(np.abs(sound) > 0.003)[-1])) / 48


def test_a_sentence_ends_in_a_pause_and_half_a_sentence_does_not(pool: EnginePool, tmp_path: Path) -> None:
    """The film's narration adds 150 ms; between two sentences of one text the engine's own pause is about 350."""
    pauses = {}
    for text in ("The boat came back.", "“Did the boat come back?”", "The boat came back,", "从前有一座山。"):
        voice = speech.voices("zh" if text[0] == "从" else "en")[0].id
        told = spoken(pool, text, tmp_path / "a.wav", voice)
        pauses[text] = silent_ms_at_the_end(samples(tmp_path / "a.wav"))
        assert told.words[-1].end_ms <= told.duration_ms - pauses[text] + 90
    *sentences, clause, other = pauses.values()
    assert all(190 <= pause <= 330 for pause in (*sentences, other))
    assert clause < 130


def melody(sound: NDArray[np.float64]) -> float:
    """How much higher the last voiced part is than the one before it, as a ratio."""
    loud = np.flatnonzero(np.abs(sound) > 0.05)
    end = int(loud[-1])
    return pitch(sound[max(0, end - 12_000) : end]) / pitch(sound[max(0, end - 40_000) : end - 12_000])


def test_a_question_rises_and_an_exclamation_is_not_a_statement(pool: EnginePool, tmp_path: Path) -> None:
    heard = {}
    for mark in ".?!":
        spoken(pool, f"“You have seen my brother{mark}”", tmp_path / "a.wav")
        heard[mark] = samples(tmp_path / "a.wav")
    assert melody(heard["?"]) > 1.15 * melody(heard["."])
    assert len({sound.tobytes() for sound in heard.values()}) == 3


def test_every_word_is_timed_where_it_is_heard(pool: EnginePool, tmp_path: Path) -> None:
    text = '"Well," said Mr. Smith, in 1984, "I can\'t go to the old house, & it\'s <b>cold</b>" Did you? Yes — he ran.'
    told = spoken(pool, text, tmp_path / "a.wav")
    check_times(text, told.words, told.duration_ms)
    said = {text[word.start : word.end]: word for word in told.words}
    assert {"Well", "Mr", "1984", "can't", "it's", "Yes", "ran"} <= said.keys()
    sound = samples(tmp_path / "a.wav")
    for name in ("Well", "Smith", "house", "cold", "Did", "ran"):
        part = sound[said[name].start_ms * 48 : said[name].end_ms * 48]
        assert part.std() > 0.03, name
    pause = sound[(said["Well"].end_ms + 60) * 48 : (said["said"].start_ms - 60) * 48]
    assert len(pause) > 0 and pause.std() < 0.01


def check_times(text: str, timed: tuple[WordTime, ...], duration_ms: int) -> None:
    assert [(word.start, word.end) for word in timed] == list(words(text))
    assert all(word.start_ms <= word.end_ms for word in timed)
    ends = [0, *(word.end_ms for word in timed)]
    starts = [*(word.start_ms for word in timed), duration_ms]
    assert all(end <= start for end, start in zip(ends, starts, strict=True))


@pytest.mark.parametrize("text", ["", " ", "...", "🐶🐶 ✨", "\x00\x07\x1b", "—", "\ud800"])
def test_what_has_no_sound_is_a_short_silence(pool: EnginePool, tmp_path: Path, text: str) -> None:
    told = spoken(pool, text, tmp_path / "a.wav")
    assert told.duration_ms == speech.NO_SOUND_MS
    assert not samples(tmp_path / "a.wav").any()


@pytest.mark.parametrize(
    "text",
    [
        '<speak><break time="20s"/>Hi</speak>',
        "[[h@l@U]] hello",
        "&amp; &lt;audio src='file:///etc/passwd'/&gt;",
        "\u202eright to left\u202c",
        "\U0001d4d7\U0001d4ee ಠ_ಠ (╯°□°)╯ ┻━┻",
        "从前有一座山",
        "%s %n {0} $(reboot) `x`",
        "A.\r\n\r\n\tB.",
        "a\x00b",
    ],
)
def test_odd_texts_are_spoken_plainly(pool: EnginePool, tmp_path: Path, text: str) -> None:
    told = spoken(pool, text, tmp_path / "a.wav")
    assert 250 < told.duration_ms < 12_000
    assert told.duration_ms * 48 == len(samples(tmp_path / "a.wav"))
    check_times(text, told.words, told.duration_ms)


def test_a_very_long_text_is_spoken_to_its_end(pool: EnginePool, tmp_path: Path) -> None:
    text = "The boat came back in the morning. " * 140
    told = spoken(pool, text, tmp_path / "a.wav")
    check_times(text, told.words, told.duration_ms)
    assert told.words[-1].end_ms > told.duration_ms - 500
    assert told.duration_ms > 140 * 1_000


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Es war einmal."),
        ("zh", "从前有一座山"),
        ("ar", "كان يا ما كان"),
        ("hi", "एक समय की बात"),
        ("no", "Det var en gang"),
    ],
)
def test_other_languages_have_voices_and_are_spoken(pool: EnginePool, tmp_path: Path, language: str, text: str) -> None:
    voice = speech.voices(language)[0]
    assert voice.language == language
    told = spoken(pool, text, tmp_path / "a.wav", voice.id)
    assert 500 < told.duration_ms < 4_000
    check_times(text, told.words, told.duration_ms)


def test_another_script_is_read_by_who_can_read_it(pool: EnginePool, tmp_path: Path) -> None:
    by_narrator = spoken(pool, "Жил-был старик", tmp_path / "a.wav").duration_ms
    by_russian = spoken(pool, "Жил-был старик", tmp_path / "b.wav", speech.voices("ru")[0].id).duration_ms
    assert by_narrator == by_russian


def test_there_is_a_cast_for_every_gender_and_age() -> None:
    voices = speech.voices("en")
    assert len({voice.id for voice in voices}) == len({voice.name for voice in voices}) == len(voices)
    groups = {(voice.gender, voice.age_group) for voice in voices}
    assert groups == {(gender, age) for gender in get_args(Gender) for age in get_args(AgeGroup)}
    for gender in ("female", "male"):
        assert sum(voice.gender == gender for voice in voices) >= 12
    assert speech.voices("xx") == speech.voices("") == voices
    assert speech.voices("pt-BR")[0].id.startswith("espeak:pt-br+")


def test_an_unknown_voice_is_refused(pool: EnginePool, tmp_path: Path) -> None:
    for voice in ("", "alloy", "espeak:xx+m3:p50:s150", "espeak:en-us+../../x:p1:s150"):
        with pytest.raises(InvalidInput):
            spoken(pool, "Hello", tmp_path / "a.wav", voice)


def test_voices_sound_different_and_equally_loud(pool: EnginePool, tmp_path: Path) -> None:
    def first(gender: Gender, age: AgeGroup, count: int) -> list[Voice]:
        return [v for v in speech.voices("en") if (v.gender, v.age_group) == (gender, age)][:count]

    cast = [*first("male", "adult", 3), *first("female", "adult", 3), *first("female", "child", 1)]
    heard = {}
    for voice in cast:
        spoken(pool, TEXT, tmp_path / "v.wav", voice.id)
        heard[voice.name] = samples(tmp_path / "v.wav")
    levels = [level(sound) for sound in heard.values()]
    assert max(levels) - min(levels) < 3.0
    pitches = [pitch(sound) for sound in heard.values()]
    men, women, child = pitches[:3], pitches[3:6], pitches[6]
    assert max(men) < min(women) and max(women) < child
    for group in (men, women):
        ordered = sorted(group)
        assert all(high / low > 1.1 for low, high in pairwise(ordered))


spellings = st.text(alphabet=st.sampled_from("abé'-., 1?\n我のकी🐶"), max_size=40)


@settings(max_examples=80)
@given(spellings)
def test_words_lie_in_order_and_hold_every_letter(text: str) -> None:
    spans = list(words(text))
    assert all(start < end for start, end in spans)
    assert [place for span in spans for place in span] == sorted(place for span in spans for place in span)
    inside = {place for start, end in spans for place in range(start, end)}
    assert all((place in inside) >= character.isalnum() for place, character in enumerate(text))


marks = st.builds(Mark, st.sampled_from(["word", "sound", "pause"]), st.integers(-2, 60), st.floats(-50, 3000))


@settings(max_examples=80)
@given(spellings, st.lists(marks, max_size=12), st.integers(1, 2500))
def test_times_keep_their_order_whatever_the_engine_tells(text: str, told: list[Mark], duration_ms: int) -> None:
    check_times(text, aligned(text, told, duration_ms), duration_ms)
