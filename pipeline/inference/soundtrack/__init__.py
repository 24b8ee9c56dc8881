"""A film's sound: the narration with all speakers equally loud, a quiet bed under it, at the loudness of films online.

Hides how the sound is measured, composed, mixed and limited. What it takes is loaded when a film's sound is made.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.inference.soundtrack.score import Score, Setting, Speech

__all__ = ["Score", "Setting", "Speech", "make"]


def make(narration: Path, score: Score, out: Path) -> None:
    """Writes the film's sound: 48 kHz mono 16-bit WAV, as long as the score says. Equal inputs give equal bytes.

    `narration` is a WAV of that form. Beside `out` a file of the same size comes and goes. Raises BadMedia.
    """
    from pipeline.inference.soundtrack import mix

    mix.make(narration, score, out)
