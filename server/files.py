"""Files as answers: byte ranges, versions by content, names for downloads."""

from __future__ import annotations

import re

from flask import Response, request, send_file

from pipeline.contracts import MediaRef
from pipeline.store import MediaStore

_TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_TYPES |= {"wav": "audio/wav", "m4a": "audio/mp4", "aac": "audio/aac", "mp3": "audio/mpeg"}
_TYPES |= {"vtt": "text/vtt; charset=utf-8", "srt": "application/x-subrip; charset=utf-8", "json": "application/json"}
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff/\\:*?"<>|]+')
_LONGEST_NAME = 120  # bytes; file systems take 255, and downloads get " (1)" and the like added


def send_media(media: MediaStore, url: str, *, name: str | None = None, forever: bool = False) -> Response:
    """A published file, whole or in ranges. `name` makes it a download; `forever` is for addresses by content.

    Raises InvalidInput (no address of ours) and MediaMissing.
    """
    ref = media.ref(url)
    path = media.path(ref)
    if "," in request.headers.get("Range", ""):
        # Several ranges at once may be answered with the whole file, and no player needs them.
        request.environ.pop("HTTP_RANGE", None)
    response = send_file(
        path,
        mimetype=media_type(ref),
        as_attachment=name is not None,
        download_name=name,
        conditional=True,
        etag=ref.sha256,
        max_age=31_536_000 if forever else None,
    )
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if forever else "no-cache"
    return response


def media_type(ref: MediaRef) -> str:
    return _TYPES.get(ref.ext, "application/octet-stream")


def download_name(title: str, ext: str) -> str:
    """A file name for a title: readable in any script, safe on any system."""
    kept = " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(" .")
    while len(kept.encode("utf-8")) > _LONGEST_NAME:
        kept = kept[:-1]
    return f"{kept.strip(' .') or 'film'}.{ext}"
