"""Sizes that image and video models draw at, told by aspect, megapixels or names. Facts about sizes only."""

from __future__ import annotations

import math

FAL_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}


def by_area(ratio: float, megapixels: float, step: int = 16) -> tuple[int, int]:
    """Sides of that ratio (width : height) and about that area, in whole steps."""
    height = math.sqrt(megapixels * 1024 * 1024 / ratio)
    return max(step, round(height * ratio / step) * step), max(step, round(height / step) * step)


def ratio_of(aspect: str, otherwise: float = 1.0) -> float:
    """width : height of `16:9` and the like; `otherwise` for names such as `auto`."""
    width, colon, height = aspect.partition(":")
    return int(width) / int(height) if colon and width.isdigit() and height.isdigit() else otherwise


def wan_size(size: tuple[int, int], resolution: str) -> tuple[int, int]:
    """What WAN makes of a picture: its orientation, at the resolution's usual sides."""
    long, short, square = {
        "480p": (832, 480, 624),
        "580p": (1024, 576, 768),
        "720p": (1280, 720, 960),
    }[resolution]
    ratio = size[0] / size[1]
    if 0.8 < ratio < 1.25:
        return square, square
    return (long, short) if ratio > 1 else (short, long)
