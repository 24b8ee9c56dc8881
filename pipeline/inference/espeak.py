"""espeak-ng, through the library that comes as a package.

Hides the C library and its events, and how a voice's id is made up. `synthesise` has to run in a process that has not
spoken before: the library keeps a state, and its second utterance differs from its first.
"""

from __future__ import annotations

import ctypes
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Voice
from pipeline.errors import EngineFailed, InvalidInput, NeedsSetup
from pipeline.inference.alignment import Mark

RATE = 22_050
_CAST = Path(__file__).with_name("voices.toml")
_VOICE_ID = re.compile(r"espeak:([a-z0-9-]+)\+([\w ]+):p(\d{1,2}):s(\d{2,3})")
_LANGUAGES = {
    "en": "en-us",
    "en-gb": "en",
    "zh": "cmn",
    "no": "nb",
    "nn": "nb",
    "iw": "he",
    "ji": "de",
    "fil": "id",
    "tl": "id",
}
_WITHOUT_DICTIONARY = {"fo", "kaa", "xex"}
# Who can read a script that Latin-script languages cannot, the likeliest first (names as Unicode has them).
_READERS = {
    "CJK": ("cmn", "yue", "hak", "ja"),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "HANGUL": ("ko",),
    "ARABIC": ("ar", "fa", "ur", "ug", "sd", "ku"),
    "HEBREW": ("he",),
    "CYRILLIC": ("ru", "uk", "bg", "be", "mk", "sr", "bs", "kk", "ky", "tt", "ba", "cv", "nog", "ru-lv", "ru-cl"),
    "GREEK": ("el", "grc"),
    "DEVANAGARI": ("hi", "mr", "ne", "kok"),
    "BENGALI": ("bn", "as", "bpy"),
    "GURMUKHI": ("pa",),
    "GUJARATI": ("gu",),
    "ORIYA": ("or",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "SINHALA": ("si",),
    "THAI": ("th",),
    "MYANMAR": ("my", "shn"),
    "ETHIOPIC": ("am", "ti"),
    "GEORGIAN": ("ka",),
    "ARMENIAN": ("hy", "hyw"),
}


def voices(language: str) -> tuple[Voice, ...]:
    """Every voice for an ISO 639-1 code or language tag ("de", "pt-BR"); English ones for an unknown language."""
    base = _base(language)
    return tuple(
        Voice.model_validate(
            {
                "id": f"espeak:{base}+{role['variant']}:p{role['pitch']}:s{role['speed']}",
                "name": name,
                "language": "en" if base == "en-us" else language,
                "gender": gender,
                "age_group": age,
            }
        )
        for age, genders in _cast().items()
        for gender, roles in genders.items()
        for name, role in roles.items()
    )


@cache
def _cast() -> Mapping[str, Any]:
    return tomllib.loads(_CAST.read_text(encoding="utf-8"))


def _base(language: str) -> str:
    """espeak-ng's own name for a language."""
    tag = language.strip().lower().replace("_", "-")
    for name in (tag, tag.split("-")[0]):
        name = _LANGUAGES.get(name, name)
        if name in _known():
            return name
    return "en-us"


@cache
def _known() -> frozenset[str]:
    names = {path.name.lower() for path in _data_folder().glob("lang/**/*") if path.is_file()}
    return frozenset(names - _WITHOUT_DICTIONARY)


def base_for(text: str, base: str) -> str:
    """`base`, or a language that can read the text's script where that one cannot (it would spell every letter)."""
    scripts = Counter(unicodedata.name(c, "").split(" ")[0] for c in text if c.isalpha())
    script = scripts.most_common(1)[0][0] if scripts else ""
    readers = _READERS.get(script, (base,))
    return base if base in readers else readers[0]


def _data_folder() -> Path:
    try:
        import espeakng_loader
    except ImportError as error:
        raise NeedsSetup("The speech engine is missing.", hint="Run `make setup` again.") from error
    return Path(espeakng_loader.get_data_path())


@dataclass(frozen=True, slots=True)
class _Setting:
    base: str
    variant: str
    pitch: int
    speed: int


def _parsed(voice: str) -> _Setting:
    found = _VOICE_ID.fullmatch(voice)
    if found is None or found[1] not in _known():
        raise InvalidInput(f"There is no voice {voice!r}.", hint="Choose another voice.", field="voice")
    return _Setting(found[1], found[2], int(found[3]), int(found[4]))


# --- espeak-ng's C interface (speak_lib.h) ------------------------------------------------------------

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x1
_DONT_EXIT = 0x8000
_UTF8 = 1
_IPA = 0x2
_OTHER_LANGUAGE = re.compile(r"\([a-z-]+\)")
_SPEED, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_LIST_END, _WORD, _PHONEME = 0, 1, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, the first is 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def synthesise(text: str, voice: str) -> tuple[NDArray[np.float32], list[Mark]]:
    """The raw sound of a text (-1..1 at RATE), and what is heard when. Raises InvalidInput for an unknown voice."""
    setting = _parsed(voice)
    library = _library()
    heard = bytearray()
    marks: list[Mark] = []

    def take(wav: int | None, count: int, events: Any) -> int:
        if wav and count:
            heard.extend(ctypes.string_at(wav, 2 * count))
        at = 0
        while events[at].type != _LIST_END:
            event = events[at]
            kind = _kind(event)
            if kind is not None:
                marks.append(Mark(kind, event.text_position - 1, event.sample * 1000 / RATE))
            at += 1
        return 0

    callback = _Callback(take)  # has to outlive the call
    library.espeak_SetSynthCallback(callback)
    name = f"{base_for(text, setting.base)}+{setting.variant}"
    if library.espeak_SetVoiceByName(name.encode()) != 0:
        raise EngineFailed(f"espeak-ng has no voice {name!r}.", hint="Choose another voice.")
    # At its usual volume of 100 several variants clip.
    for parameter, value in ((_SPEED, setting.speed), (_VOLUME, 50), (_PITCH, setting.pitch), (_RANGE, 58)):
        library.espeak_SetParameter(parameter, value, 0)
    encoded = text.encode("utf-8")
    if library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None) != 0:
        raise EngineFailed("espeak-ng could not speak the text.")
    library.espeak_Synchronize()
    return (np.frombuffer(heard, "<i2") / 32768).astype(np.float32), marks


def _kind(event: Any) -> Literal["word", "sound", "pause"] | None:
    if event.type == _WORD:
        return "word"
    if event.type == _PHONEME:
        return "pause" if event.id.string.startswith(b"_") else "sound"
    return None


def _library() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(_data_folder()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DONT_EXIT)
    if rate != RATE:
        raise EngineFailed(f"espeak-ng could not be started (it answered {rate}).", hint="Run `make setup` again.")
    return library


@dataclass(frozen=True, slots=True)
class Clause:
    """What is said in one breath: `sounds` in IPA, `text` with its punctuation, `position` of it in the whole."""

    sounds: str
    text: str
    position: int


def clauses(text: str, language: str) -> Iterator[Clause]:
    """A text as espeak-ng would pronounce it, clause by clause. `language` is its own name for one, e.g. "en-us"."""
    library = _library()
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    if library.espeak_SetVoiceByName(base_for(text, language).encode()) != 0:
        raise EngineFailed(f"espeak-ng does not know the language {language!r}.", hint="Choose another voice.")
    encoded = ctypes.create_string_buffer(text.encode("utf-8"))
    begin = ctypes.addressof(encoded)
    rest, position = ctypes.c_void_p(begin), 0
    while rest.value is not None:
        sounds = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA) or b""
        end = len(encoded.raw) - 1 if rest.value is None else rest.value - begin
        said = encoded.raw[:end].decode("utf-8", "ignore")[position:]
        yield Clause(_OTHER_LANGUAGE.sub("", sounds.decode("utf-8", "ignore")).strip(), said, position)
        position += len(said)
