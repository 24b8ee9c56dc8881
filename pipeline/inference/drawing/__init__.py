"""The embedded drawing engine: storybook pictures in layered paper, from words alone.

Pure functions of their arguments: the same request gives the same bytes. They run on one core, without fonts,
network or a graphics card, in about a tenth of a second for a 1600 x 900 frame.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts import FrameBrief, ReferenceBrief
from pipeline.drawn import DrawnMeta
from pipeline.inference.drawing import compose, portraits

__all__ = ["draw_frame", "draw_reference", "sheets_of"]


def draw_reference(brief: ReferenceBrief, width: int, height: int, seed: int, out: Path) -> DrawnMeta:
    """Draws an entity's reference picture into `out` (PNG or JPEG by suffix), `width` x `height` pixels.

    A character's portrait, a set's empty place in its hour and weather, or a prop alone. Looks follow from the
    words alone, never from `seed`, so that frames agree. Raises NeedsSetup where Skia cannot be loaded.
    """
    del seed
    return portraits.reference(brief, width, height, out)


def draw_frame(brief: FrameBrief, images: dict[str, Path], width: int, height: int, seed: int, out: Path) -> DrawnMeta:
    """Composes a shot's first frame into `out` (PNG or JPEG by suffix), `width` x `height` pixels.

    `images` maps entity names to their reference pictures; one that a user supplied (its meta names another engine
    or none) becomes the background, or lends a character its colours. `seed` varies the camera's place only.
    Raises NeedsSetup where Skia cannot be loaded.
    """
    return compose.frame(brief, images, width, height, seed, out)


def sheets_of(picture: Path, meta: DrawnMeta, size: tuple[int, int], page: tuple[int, int]) -> compose.Apart | None:
    """A frame that this engine drew, of `size` (width, height) pixels, as the sheets of paper that it consists of.

    What falls in front of it comes in the size of the `page` that a clip shows. None for any other picture.
    """
    return compose.apart(picture, size, page) if meta.engine == portraits.ENGINE else None
