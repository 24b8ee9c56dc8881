"""What a film's sound is made from: who speaks when, and where and in what mood it plays. Pure."""

from __future__ import annotations

from pipeline.contracts import TimeOfDay, Value, Weather


class Speech(Value):
    """Somebody is heard from `start_ms` to `end_ms`. `speaker` only tells speakers apart."""

    start_ms: int
    end_ms: int
    speaker: str = ""


class Setting(Value):
    """One scene. `place` and `about` are its set's name and description, `mood` a few words."""

    start_ms: int
    end_ms: int
    mood: str = ""
    place: str = ""
    about: str = ""
    time_of_day: TimeOfDay = "day"
    weather: Weather = "clear"


class Score(Value):
    """The film's whole sound. Times are the film's; its narration begins at `lead_ms`.

    `settings` tile the film where a bed is wanted, else there are none; `seed` picks the music's key and notes.
    """

    duration_ms: int
    lead_ms: int = 0
    speech: tuple[Speech, ...]
    settings: tuple[Setting, ...] = ()
    seed: int = 0
