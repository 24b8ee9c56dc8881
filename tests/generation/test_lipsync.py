"""What lip sync takes and costs, and how its engines stand in for each other."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import pytest

from pipeline.contracts import FilmForm, LipsyncRequest
from pipeline.film.clips import card
from pipeline.generation.lipsync import estimate_micros, pad_with_silence, sent_ms
from pipeline.generation.moderation.clearances import assembled
from pipeline.generation.outcomes import Unresolved
from pipeline.providers.failures import ProviderFailure
from tests.generation.kit import Bench

WIDE = FilmForm(width=1280, height=720)


def request(desk: Bench, frames: int = 72, form: FilmForm = WIDE) -> LipsyncRequest:
    with desk.store.media.draft(".mp4") as mp4, desk.store.media.draft(".wav") as wav:
        card(frames, form, mp4)
        with wave.open(str(wav), "wb") as sound:
            sound.setparams((1, 2, 48_000, 0, "NONE", ""))
            sound.writeframes(bytes(2 * 48 * frames * 1000 // form.fps))
        clip = desk.store.media.publish(mp4, ext="mp4", verdict=assembled())
        audio = desk.store.media.publish(wav, ext="wav", verdict=assembled())
    return LipsyncRequest(clip=clip, audio=audio, speaker="Mira", form=form, frames=frames)


def test_seven_shots_of_22_seconds_are_estimated_at_31_cents():
    slots = [3000, 3500, 2800, 3200, 3100, 3400, 3000]
    assert sum(slots) == 22_000
    assert round(estimate_micros(slots) / 1e6, 2) == 0.31


def test_a_slot_under_two_seconds_is_sent_as_two():
    assert [sent_ms(ms) for ms in (300, 1999, 2000, 7500)] == [2000, 2000, 2000, 7500]
    assert estimate_micros([500]) == estimate_micros([2000])


@pytest.mark.parametrize("had_ms", [1200, 2000, 2500])
def test_silence_is_added_only_where_it_is_missing(tmp_path: Path, had_ms: int):
    wav = tmp_path / "words.wav"
    words = b"\x01\x02" * 48 * had_ms
    with wave.open(str(wav), "wb") as sound:
        sound.setparams((1, 2, 48_000, 0, "NONE", ""))
        sound.writeframes(words)
    pad_with_silence(wav, 2000)
    with wave.open(str(wav)) as sound:
        heard = sound.readframes(sound.getnframes())
    assert len(heard) == 2 * 48 * max(2000, had_ms)
    assert heard.startswith(words) and not any(heard[len(words) :])


def test_the_first_engine_is_kling_and_the_estimate_its_price(desk: Bench):
    made = desk.make(request(desk), unit="lipsync/1")
    [row] = desk.rows()
    assert row.model == "kling-lipsync" and row.estimate_micros == pytest.approx(42_000, rel=0.05)
    assert made.details["frames"] > 0


@pytest.mark.parametrize("kind", ["job_failed", "moderation", "wrong_type_output"])
def test_another_engine_stands_in(desk: Bench, kind: str):
    """FAULT 25: whatever the first fails of, so long as nothing is bought twice by it."""
    desk.simulator.script(kind, operation="submit", model="*kling*", times=0)
    desk.make(request(desk), unit="lipsync/1")
    assert desk.rows()[-1].model == "sync-lipsync-2"
    assert desk.statuses()[-1] == "finished"


def test_a_small_clip_goes_to_the_engine_that_takes_it(desk: Bench):
    desk.make(request(desk, form=FilmForm(width=320, height=180)), unit="lipsync/1")
    assert desk.submits() == 1 and desk.rows()[-1].model == "sync-lipsync-2"


def test_it_is_said_when_no_engine_can(desk: Bench):
    desk.simulator.script("job_failed", operation="submit", times=0)
    with pytest.raises(ProviderFailure):
        desk.make(request(desk), unit="lipsync/1")


def test_a_lost_answer_is_not_asked_of_another_engine(desk: Bench):
    desk.simulator.script("reset_after", operation="submit")
    desk.simulator.script("server_error", operation="list", times=0)
    with pytest.raises(Unresolved):
        desk.make(request(desk), unit="lipsync/1")
    assert desk.submits() == 1


class Noting:
    """A slot that says when it was held."""

    def __init__(self) -> None:
        self.held = True
        self.calls: list[str] = []

    def let_go(self) -> None:
        self.held = False
        self.calls.append("let go")

    def take_back(self, cancel: threading.Event) -> None:
        if not self.held:
            self.calls.append("taken back")
        self.held = True


def test_another_engine_is_asked_with_a_slot_taken_back(desk: Bench):
    desk.simulator.script("wrong_type_output", operation="submit", model="*kling*", times=0)
    slot = Noting()
    desk.make(request(desk), unit="lipsync/1", slot=slot)
    assert desk.submits() == 2
    assert slot.calls == ["let go", "taken back", "let go"]


def test_our_own_engine_keeps_its_slot(desk: Bench):
    slot = Noting()
    desk.make(desk.clip(), unit="videos/1", render="preview", slot=slot)
    assert slot.held and slot.calls == []
