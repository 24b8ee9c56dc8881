"""Reading a story out of a file: which files are text, in which encoding, and what to say of those that are not."""

from __future__ import annotations

import codecs
import stat
import sys
from pathlib import Path

from pipeline.errors import InvalidInput

_LARGEST = 64 << 20  # nothing that large is a story; the word limit gives the exact answer for all below
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS_OF_TEXT = ".,;:!?'\"()-_*/&%‘’“”–—…«»„‚·¡¿"
_KNOWN = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a Word document or another packed file"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a packed file"),
)


def read_story(place: str) -> str:
    """The text of a file ("-": standard input). Raises InvalidInput: no such file, a folder, unreadable, no text."""
    raw = _raw(place)
    if not raw.strip():
        raise InvalidInput(f"The story file {place} is empty.", hint="Write a story into it.", field="story")
    return _decoded(raw, place)


def _raw(place: str) -> bytes:
    if place == "-":
        raw = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        path = Path(place)
        try:
            if stat.S_ISDIR(path.stat().st_mode):
                raise InvalidInput(f"{place} is a folder.", hint="Name the story's text file.", field="story")
            with path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            raise InvalidInput(f"There is no file {place}.", hint="Check the name.", field="story") from None
        except PermissionError:
            raise InvalidInput(
                f"The file {place} may not be read.", hint="Check its permissions.", field="story"
            ) from None
        except (OSError, ValueError) as failure:
            why = getattr(failure, "strerror", None) or "the name cannot be one"
            raise InvalidInput(f"The file {place} cannot be read: {why}.", field="story") from None
    if len(raw) > _LARGEST:
        raise InvalidInput(f"{place} is far too large for a story ({_LARGEST >> 20} MB or more).", field="story")
    return raw


def _decoded(raw: bytes, place: str) -> str:
    for start, what in _KNOWN:
        if raw.startswith(start):
            raise _no_text(place, f"{place} is {what}, not a text file.")
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw, encoding, place)
    if b"\x00" in raw:
        return _strictly(raw, _unmarked_utf16(raw, place), place)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = _one_byte(raw, place)
    if sum(char < " " and char not in "\t\n\r\f" for char in text) * 10 > len(text):
        raise _no_text(place, f"{place} holds control characters, not text.")
    return text


def _unmarked_utf16(raw: bytes, place: str) -> str:
    """Text in a script of one byte per letter, saved as UTF-16 without a mark, has its zeros on one side."""
    even, odd = raw[0:4096:2].count(0), raw[1:4096:2].count(0)
    half = min(len(raw), 4096) // 2
    if len(raw) % 2 == 0 and half and max(even, odd) > 0.6 * half and min(even, odd) == 0:
        return "utf-16-le" if odd > even else "utf-16-be"
    raise _no_text(place, f"{place} is not a text file.")


def _strictly(raw: bytes, encoding: str, place: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise _no_text(place, f"{place} is damaged, or not a text file.") from None


def _one_byte(raw: bytes, place: str) -> str:
    """Western text of the days before UTF-8; anything with many odd bytes is no text at all."""
    text = raw.decode("cp1252", "replace")
    plain = sum(char.isalnum() or char.isspace() or char in _MARKS_OF_TEXT for char in text)
    if plain < 0.9 * len(text) or sum(byte >= 0x80 for byte in raw) > 0.4 * len(raw):
        raise _no_text(place, f"{place} is not a text file, or its encoding is not known.")
    return text


def _no_text(place: str, detail: str) -> InvalidInput:
    return InvalidInput(detail, hint="Save the story as plain text in UTF-8 and try again.", field="story")
