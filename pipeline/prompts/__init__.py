"""The words that models are asked with, in one readable place. Pure text; no looks are invented here.

Here are those for picture and video models; those for language models are the `.md` files beside this one, filled in by
`writing`. `VERSION` is recorded with each generation; it is no part of any digest, so better wording never makes
finished work stale.
"""

from __future__ import annotations

VERSION = "3"

NO_PEOPLE = "No people, no animals, no figures, no text."

FRAMINGS = {
    "wide": "wide shot",
    "medium": "medium shot, waist up",
    "close_up": "close-up of the face",
    "over_shoulder": "over-the-shoulder shot",
    "insert": "insert shot of the object, filling the frame",
}
ANGLES = {"eye": "at eye level", "low": "from a low angle", "high": "from a high angle"}
MOVES = {
    "hold": "the camera holds still",
    "push_in": "the camera slowly pushes in",
    "pull_out": "the camera slowly pulls out",
    "pan_left": "the camera pans left",
    "pan_right": "the camera pans right",
    "tilt_up": "the camera tilts up",
    "tilt_down": "the camera tilts down",
}


def _sentences(*parts: str) -> str:
    return " ".join(part.strip().rstrip(".") + "." for part in parts if part.strip())


def character_reference(name: str, appearance: str, style: str) -> str:
    return _sentences(f"Portrait of {name}: {appearance or name}", "Plain background, alone, facing us", style)


def set_reference(name: str, description: str, mood: str, time_of_day: str, style: str) -> str:
    return _sentences(f"An empty place: {description or name}", mood, f"Time of day: {time_of_day}", NO_PEOPLE, style)


def prop_reference(name: str, description: str, style: str) -> str:
    return _sentences(f"{description or name}, the object alone on a plain background", NO_PEOPLE, style)


def frame(
    *, framing: str, angle: str, action: str, looking: str, place: str, light: str, looks: dict[str, str], style: str
) -> str:
    cast = "; ".join(f"{name}: {appearance}" for name, appearance in looks.items() if appearance)
    return _sentences(f"{FRAMINGS[framing]}, {ANGLES[angle]}", action, looking, place, light, cast, style)


def clip(*, action: str, move: str) -> str:
    return _sentences(action, MOVES[move])
