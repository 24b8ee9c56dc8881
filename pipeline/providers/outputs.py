"""What providers return, whatever shape they return it in: addresses of files, word times, signs of a refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pipeline.contracts import Capability, RemoteMedia, WordTime

MediaKind = Literal["image", "video", "audio"]
KINDS: dict[Capability, MediaKind] = {
    "image": "image",
    "upscale": "image",
    "video": "video",
    "lipsync": "video",
    "speech": "audio",
}
_PLACES = ("images", "image", "video", "audio", "video_url", "image_url", "audio_url", "url", "output", "outputs")


def media(found: Any, capability: Capability) -> tuple[RemoteMedia, ...]:
    """Every file in an output: an address, a list of them, or an object that holds either."""
    kind = KINDS[capability]
    if isinstance(found, str):
        return (RemoteMedia(url=found, kind=kind),) if found.startswith(("http://", "https://")) else ()
    if isinstance(found, (list, tuple)):
        return tuple(one for item in found for one in media(item, capability))
    if not isinstance(found, dict):
        return ()
    url = found.get("url")
    if isinstance(url, str):
        return (
            RemoteMedia(
                url=url,
                kind=kind,
                content_type=_text(found.get("content_type")),
                size=_size(found.get("file_size")),
                meta={side: found[side] for side in ("width", "height") if isinstance(found.get(side), int)},
            ),
        )
    return next((files for place in _PLACES if (files := media(found.get(place), capability))), ())


def flagged(found: Any) -> bool:
    """Whether a result says of itself that it was withheld: a success all the same, with a blackened picture."""
    if not isinstance(found, dict):
        return False
    marks = [found.get(name) for name in ("has_nsfw_concepts", "has_nsfw_contents")]
    return any(any(mark) if isinstance(mark, list) else bool(mark) for mark in marks)


def details(found: Any, text: str | None) -> dict[str, Any]:
    """What else an output tells: seed, a sound's length, and the times of `text`'s words."""
    if not isinstance(found, dict):
        return {}
    told = {key: found[key] for key in ("seed", "duration_ms", "description") if found.get(key) is not None}
    if text is not None and isinstance(found.get("timestamps"), list):
        told["words"] = [word.model_dump() for word in word_times(found["timestamps"], text)]
    return told


def word_times(stamps: Sequence[Any], text: str) -> tuple[WordTime, ...]:
    """Times of words laid onto their places in the text, in order. A word that is not found there is left out."""
    words: list[WordTime] = []
    at, folded = 0, _folded(text)
    for stamp in stamps:
        if not isinstance(stamp, dict):
            continue
        said = _folded(_text(stamp.get("word") or stamp.get("text")).strip())
        start, end = _number(stamp.get("start")), _number(stamp.get("end"))
        if not re.search(r"\w", said) or start is None or end is None:
            continue
        place = folded.find(said, at)
        # Far ahead it is another word that sounds the same, and everything between would lose its time.
        if place < 0 or place - at > 60:
            continue
        start_ms = max(round(start * 1000), words[-1].start_ms if words else 0)
        words.append(
            WordTime(start=place, end=place + len(said), start_ms=start_ms, end_ms=max(start_ms, round(end * 1000)))
        )
        at = place + len(said)
    return tuple(words)


def _folded(text: str) -> str:
    """Lower case, character by character, so that places in it are places in the text."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
