"""What the drawing tests share: briefs in a line, and pictures read back as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.contracts import FrameBrief, Look
from pipeline.drawn import Face

Picture = np.ndarray[Any, Any]

ROSE = Look(
    kind="character", name="Rose", age_group="adult", gender="female",
    appearance="a young woman with pale skin, long red hair and a green dress",
)  # fmt: skip
TOM = Look(
    kind="character", name="Tom", age_group="child", gender="male",
    appearance="a boy with short black hair, a yellow shirt and blue trousers",
)  # fmt: skip
FOX = Look(kind="character", name="Fox", appearance="a red fox")
OWL = Look(kind="character", name="Owl", appearance="a wise brown owl")
KEY = Look(kind="prop", name="old key")


def place(name: str, time: Any = "day", weather: Any = "clear", description: str = "") -> Look:
    return Look(kind="set", name=name, appearance=description, time_of_day=time, weather=weather)


def frame(
    framing: Any, *characters: Look, at: Look | None = None, props: tuple[Look, ...] = (), **more: Any
) -> FrameBrief:
    subjects = tuple(look.name for look in (*characters, *props))
    return FrameBrief(
        framing=framing, subjects=subjects, characters=characters, props=props, place=at or place("village green"),
            **more
    )  # fmt: skip


def read(path: Path) -> Picture:
    """The picture as height x width x RGB, 0..255."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels[:, :, ::-1].astype(np.float32)


def brightness(picture: Picture) -> float:
    return float((picture @ np.array([0.299, 0.587, 0.114], np.float32)).mean())


def share_near(picture: Picture, colour: str, reach: float = 40) -> float:
    """The share of pixels whose colour is near the given one, lighter or darker not counted."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    near = np.linalg.norm(picture - wanted, axis=2) < reach
    return float(near.mean())


def around_mouth(picture: Picture, face: Face) -> Picture:
    """The median colour just left and right of a mouth (where there is skin, fur or feather, and no lip)."""
    height, width = picture.shape[:2]
    x, y, reach = face.mouth_x * width, face.mouth_y * height, face.mouth_width * width
    size = max(1, int(reach * 0.08))
    spots = []
    for dy in (-0.30, 0.30):
        cx, cy = int(x), int(y + dy * reach)
        spots.append(picture[cy - size : cy + size + 1, cx - size : cx + size + 1].reshape(-1, 3))
    median: Picture = np.median(np.concatenate(spots), axis=0)
    return median
