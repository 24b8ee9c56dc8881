"""What the built-in engines say of the pictures and clips they make: who is where in them, and how they move."""

from __future__ import annotations

from typing import Literal

from pipeline.contracts import CameraMove, Value


class Face(Value):
    """Where a drawn face is in its picture, for lip motion. Fractions of width/height; `tilt` in degrees, clockwise."""

    name: str
    mouth_x: float
    mouth_y: float
    mouth_width: float  # fraction of the picture's width
    tilt: float = 0.0
    skin: str = "#e0b090"
    lip: str = "#a05050"


Gait = Literal["rest", "walk", "run", "fly", "bob", "sleep"]


class Figure(Value):
    """Where a drawn figure stands in its picture, and how it moves in a clip of it. Fractions of width and height.

    `rise` is from its foot up to its head's middle, `head` its head's height, `leg` that of a leg. `depth` is 1 where
    figures stand, more in front of it. `reach` is how far it can go before it meets something, negative to the left,
    and `stride` how far a double step takes it. Those who go together have one `pace`, a share of the width a second.
    """

    name: str
    foot_x: float
    foot_y: float
    rise: float
    head: float
    leg: float = 0.0
    depth: float = 1.0
    gait: Gait = "rest"
    reach: float = 0.0
    stride: float = 0.0
    pace: float = 0.0


class DrawnMeta(Value):
    """What the drawing engine says about a picture it drew (kept as the media's `meta`)."""

    engine: str
    faces: tuple[Face, ...] = ()
    figures: tuple[Figure, ...] = ()
    focus_x: float = 0.5
    focus_y: float = 0.5


class ClipMeta(Value):
    """What the motion engine says about a clip it made: enough to find every face in every frame again."""

    engine: str
    move: CameraMove
    seed: int
    image_width: int
    image_height: int
    picture: DrawnMeta
    frames: int = 0  # how long the camera's path is, whatever the clip was cut to since; 0: as long as the clip
