"""The film's sound: as loud as films online are, every speaker alike, and a bed that gives way to what is said."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import BadMedia
from pipeline.film import sound
from pipeline.inference import soundtrack, speech
from pipeline.inference.pool import EnginePool
from pipeline.inference.soundtrack import Score, Setting, Speech
from tests.ears import PER_MS, RATE, Sound, heard, largest_jump, level, metered

SAID = (
    ("narrator", "The ferry left the quay before dawn, while the town was still asleep."),
    ("Hanna", "“Did you count the crates?”"),
    ("Jon", "“Twice! There is one too many.”"),
    ("narrator", "Nobody spoke for a while. Rain ran down the windows, and the lamps swung."),
    ("Hanna", "“Then we open it.”"),
    ("narrator", "Inside lay a small brass bell, wrapped in a sailor's shirt."),
)
QUIETER = {"Hanna": 0.3, "Jon": 1.5}  # how voices from elsewhere may come in
PAUSE_MS = 2_500  # before the last sentence


@dataclass(frozen=True)
class Told:
    """A narration with uneven voices and one long pause."""

    wav: Path
    score: Score
    samples: Sound


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(2)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def told(pool: EnginePool, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("told")
    voices = dict(zip(("narrator", "Hanna", "Jon"), (speech.voices("en")[at].id for at in (0, 10, 1)), strict=True))
    parts: list[Path] = []
    for number, (who, text) in enumerate(SAID):
        part = folder / f"{number}.wav"
        pool.run(speech.speak, text, voices[who], part, fresh=True, timeout_s=120)
        write(part, heard(part) * QUIETER.get(who, 1.0))
        parts.append(part)
    pause = write(folder / "pause.wav", np.zeros(PAUSE_MS * PER_MS))
    times = sound.join_narration([*parts[:-1], pause, parts[-1]], out_wav=folder / "n.wav", out_aac=folder / "n.m4a")
    spans = [*times.spans[:-2], times.spans[-1]]
    speeches = tuple(
        Speech(start_ms=start, end_ms=end, speaker=who) for (start, end), (who, _) in zip(spans, SAID, strict=True)
    )
    third = spans[3][0]
    settings = (
        Setting(start_ms=0, end_ms=third, mood="tense", place="the harbour", time_of_day="dawn"),
        Setting(start_ms=third, end_ms=times.duration_ms, mood="warm", place="a ferry's cabin", weather="rain"),
    )
    score = Score(duration_ms=times.duration_ms, speech=speeches, settings=settings, seed=7)
    return Told(folder / "n.wav", score, heard(folder / "n.wav"))


@pytest.fixture(scope="module")
def mixed(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(told, tmp_path_factory.mktemp("mixed") / "film.wav")


@pytest.fixture(scope="module")
def dry(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(told, tmp_path_factory.mktemp("dry") / "film.wav", settings=())


def made(told: Told, out: Path, **other: object) -> Path:
    soundtrack.make(told.wav, told.score.model_copy(update=other), out)
    return out


def write(path: Path, samples: Sound) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setframerate(RATE)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def bed_of(mixed: Sound, dry: Sound) -> Sound:
    """What the mix has besides the voices: in each 50 ms the voices are taken away as loud as they are in it."""
    size = 50 * PER_MS
    rest = mixed.copy()
    for at in range(0, len(mixed), size):
        voice, both = dry[at : at + size], mixed[at : at + size]
        share = float(np.dot(voice, both) / np.dot(voice, voice)) if np.dot(voice, voice) > 1e-6 else 0.0
        rest[at : at + size] = both - share * voice
    return rest


@pytest.mark.parametrize("which", ["mixed", "dry"])
def test_the_film_has_the_loudness_and_the_peaks_of_films_online(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    wav: Path = request.getfixturevalue(which)
    sound.encode_aac(wav, tmp_path / "film.m4a", bitrate="192k")
    as_played = metered(tmp_path / "film.m4a")
    assert abs(as_played.loudness + 14) <= 0.5
    assert as_played.peak <= -1.0


def test_speakers_are_equally_loud(told: Told, dry: Path) -> None:
    before, after = told.samples, heard(dry)

    def levels(samples: Sound) -> dict[str, float]:
        found: dict[str, list[Sound]] = {}
        for one in told.score.speech:
            found.setdefault(one.speaker, []).append(samples[one.start_ms * PER_MS : one.end_ms * PER_MS])
        return {who: level(np.concatenate(parts)) for who, parts in found.items()}

    was, now = levels(before), levels(after)
    assert max(was.values()) - min(was.values()) > 8
    assert max(now.values()) - min(now.values()) < 3


def test_speech_stays_clear_of_the_bed(told: Told, mixed: Path, dry: Path) -> None:
    both, voices = heard(mixed), heard(dry)
    rest = bed_of(both, voices)
    for one in told.score.speech:
        span = slice(one.start_ms * PER_MS, one.end_ms * PER_MS)
        assert level(both[span]) - level(rest[span]) >= 15
    last = told.score.speech[-1].start_ms
    pause = rest[(last - 1_700) * PER_MS : (last - 900) * PER_MS]
    under = rest[told.score.speech[-1].start_ms * PER_MS : told.score.speech[-1].end_ms * PER_MS]
    assert level(pause) - level(under) > 5  # it comes up where nobody speaks for long
    assert -45 < level(pause) < -22


def test_the_bed_fades_from_scene_to_scene_and_never_clicks(tmp_path: Path) -> None:
    """The bed by itself, under nobody: nothing jumps, and nothing falls away, where one scene becomes the next."""
    write(tmp_path / "n.wav", np.zeros(RATE))
    cuts = (0, 7_000, 13_000, 20_000)
    scenes = zip(pairwise(cuts), ("joyful", "sad", "angry"), ("a forest", "a bedroom", "the open sea"), strict=True)
    settings = tuple(Setting(start_ms=start, end_ms=end, mood=mood, place=at) for (start, end), mood, at in scenes)
    score = Score(duration_ms=cuts[-1], speech=(), settings=settings, seed=3)
    soundtrack.make(tmp_path / "n.wav", score, tmp_path / "bed.wav")
    samples = heard(tmp_path / "bed.wav")
    usual = largest_jump(samples[2_000 * PER_MS : -2_000 * PER_MS])
    for cut in cuts:
        around = samples[max(0, cut - 50) * PER_MS : (cut + 50) * PER_MS]
        assert largest_jump(around) < 0.75 * usual
    assert abs(samples[0]) < 1e-3 and abs(samples[-1]) < 1e-3
    size = 400 * PER_MS
    levels = [level(samples[at : at + size]) for at in range(2_000 * PER_MS, len(samples) - 2_500 * PER_MS, size)]
    assert max(abs(one - other) for one, other in pairwise(levels)) < 6
    assert max(levels) - min(levels) < 9


def test_joins_do_not_click(told: Told, mixed: Path) -> None:
    samples = heard(mixed)
    for one in told.score.speech:
        own = largest_jump(samples[(one.start_ms + 60) * PER_MS : (one.end_ms - 60) * PER_MS])
        for edge in (one.start_ms, one.end_ms):
            around = samples[max(0, (edge - 5) * PER_MS) : (edge + 5) * PER_MS]
            assert largest_jump(around) < 0.25 * own


def test_the_same_score_gives_the_same_bytes(pool: EnginePool, told: Told, mixed: Path, tmp_path: Path) -> None:
    pool.run(soundtrack.make, told.wav, told.score, tmp_path / "again.wav", fresh=True, timeout_s=120)
    assert (tmp_path / "again.wav").read_bytes() == mixed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.wav"]
    other = made(told, tmp_path / "other.wav", seed=8)
    assert other.read_bytes() != mixed.read_bytes()


def test_without_a_bed_pauses_are_silent(told: Told, dry: Path) -> None:
    samples = heard(dry)
    assert len(samples) == told.score.duration_ms * PER_MS
    between = slice((told.score.speech[-2].end_ms + 20) * PER_MS, (told.score.speech[-1].start_ms - 20) * PER_MS)
    assert not samples[between].any()


def test_the_narration_keeps_its_place_between_cards(told: Told, dry: Path, tmp_path: Path) -> None:
    later = tuple(
        one.model_copy(update={"start_ms": one.start_ms + 3_000, "end_ms": one.end_ms + 3_000})
        for one in told.score.speech
    )
    length = told.score.duration_ms + 5_000
    carded = made(told, tmp_path / "a.wav", settings=(), speech=later, lead_ms=3_000, duration_ms=length)
    samples = heard(carded)
    assert len(samples) == length * PER_MS
    assert not samples[: 3_000 * PER_MS].any() and not samples[-2_000 * PER_MS :].any()
    np.testing.assert_allclose(samples[3_000 * PER_MS : -2_000 * PER_MS], heard(dry), atol=0.03)


def brightness(samples: Sound) -> float:
    """The share of power above 1.5 kHz."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    return float(power[np.fft.rfftfreq(len(samples), 1 / RATE) > 1_500].sum() / power.sum())


def test_place_weather_and_mood_are_heard(told: Told, tmp_path: Path) -> None:
    last = told.score.speech[-1].start_ms
    heard_in = {}
    for name, setting in {
        "rain": Setting(start_ms=0, end_ms=told.score.duration_ms, place="a meadow", weather="rain"),
        "dry": Setting(start_ms=0, end_ms=told.score.duration_ms, place="an office"),
        "space": Setting(start_ms=0, end_ms=told.score.duration_ms, place="the moon's surface", mood="joyful"),
    }.items():
        samples = heard(made(told, tmp_path / f"{name}.wav", settings=(setting,)))
        heard_in[name] = samples[(last - 2_300) * PER_MS : (last - 500) * PER_MS]
    assert brightness(heard_in["rain"]) > 0.1 > 20 * brightness(heard_in["dry"])
    assert len({part.tobytes() for part in heard_in.values()}) == 3
    assert all(part.any() for part in heard_in.values())


def test_silence_stays_silent_and_is_as_long_as_asked(tmp_path: Path) -> None:
    write(tmp_path / "n.wav", np.zeros(RATE // 3))
    for length in (1, 333, 10_001):
        soundtrack.make(tmp_path / "n.wav", Score(duration_ms=length, speech=()), tmp_path / "film.wav")
        samples = heard(tmp_path / "film.wav")
        assert len(samples) == length * PER_MS and not samples.any()


def test_a_damaged_narration_is_named(tmp_path: Path) -> None:
    (tmp_path / "n.wav").write_bytes(b"RIFF....WAVE")
    for name in ("n.wav", "gone.wav"):
        with pytest.raises(BadMedia, match=name):
            soundtrack.make(tmp_path / name, Score(duration_ms=500, speech=()), tmp_path / "film.wav")
    assert not (tmp_path / "film.wav").exists()
