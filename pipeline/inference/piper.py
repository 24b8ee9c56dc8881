"""The user's own voices: Piper voice files (`name.onnx` with `name.onnx.json`) in a folder.

Hides the files' form, how a text becomes the numbers that a voice was trained on (espeak-ng pronounces it), and the
runtime. A voice file draws random numbers to sound alive; they are the same in every fresh process.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from pipeline.contracts import AgeGroup, Gender, Voice
from pipeline.errors import EngineFailed, InvalidInput, NeedsSetup
from pipeline.inference import espeak
from pipeline.inference.alignment import Mark

_ID = re.compile(r"piper:([^/\\#]+?)(?:#(\d{1,5}))?")
_MOST_SPEAKERS = 24  # of one file that are offered; some have hundreds, which differ little
_BEGIN, _PAD, _END = "^", "_", "$"
_SENTENCE_ENDS = ".!?"
_PUNCTUATION = ".!?,;:"
# espeak-ng has read up to two characters of the next clause when it gives one back.
_MARK = re.compile(r"([.!?,;:…。！？，、；：؟।])[^\w]*\w?$")
_ABBREVIATED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Prof|Capt|Col|Gen|Rev|Sr|Jr|No|vs|[A-Z])\.$")
_GAP_S = 0.22  # between two sentences
_SEED = 1
_PUNCTUATED = {
    "。": ".",
    "！": "!",
    "？": "?",
    "؟": "?",
    "…": ".",
    "।": ".",
    "，": ",",
    "、": ",",
    "；": ";",
    "：": ":",
}

Sound = NDArray[np.float32]


class _Audio(BaseModel):
    sample_rate: int = Field(ge=4_000, le=192_000)


class _Language(BaseModel):
    code: str = ""


class _Espeak(BaseModel):
    voice: str = "en-us"


class _Inference(BaseModel):
    noise_scale: float = 0.667
    length_scale: float = Field(1.0, gt=0, le=10)
    noise_w: float = 0.8


class VoiceFile(BaseModel):
    """The description beside a voice. `gender` and `age_group` are ours: who the voice may be given to."""

    audio: _Audio
    phoneme_id_map: Mapping[str, list[int]]
    phoneme_type: Literal["espeak", "text"] = "espeak"
    espeak: _Espeak = _Espeak()
    language: _Language = _Language()
    inference: _Inference = _Inference()
    num_speakers: int = Field(1, ge=1)
    gender: Gender = "neutral"
    age_group: AgeGroup = "adult"

    @property
    def spoken(self) -> str:
        """The language as an ISO 639-1 code."""
        return (self.language.code or self.espeak.voice).replace("_", "-").partition("-")[0].lower()


def is_voice(voice: str) -> bool:
    """Whether an id is of this module's making."""
    return voice.startswith("piper:")


def voices(folder: Path, language: str) -> tuple[Voice, ...]:
    """The voices of the folder's files that speak a language, in the files' order by name."""
    wanted = language.strip().lower().replace("_", "-").partition("-")[0]
    found = []
    for name, about in files(folder):
        if isinstance(about, VoiceFile) and about.spoken == wanted:
            several = about.num_speakers > 1
            for speaker in range(min(about.num_speakers, _MOST_SPEAKERS)):
                found.append(
                    Voice(
                        id=f"piper:{name}#{speaker}" if several else f"piper:{name}",
                        name=f"{name} {speaker + 1}" if several else name,
                        language=language,
                        gender=about.gender,
                        age_group=about.age_group,
                    )
                )
    return tuple(found)


def files(folder: Path) -> Iterator[tuple[str, VoiceFile | str]]:
    """Each voice file's name with its description, or why it cannot be used, in words."""
    try:
        models = sorted(folder.glob("*.onnx"))
    except OSError:
        return
    for model in models:
        try:
            yield model.stem, _described(model)
        except EngineFailed as failure:
            yield model.stem, failure.detail


def _described(model: Path) -> VoiceFile:
    about = model.with_name(f"{model.name}.json")
    if not about.is_file():
        raise EngineFailed(
            f"{model.name} has no description beside it.", hint=f"Put {about.name} into the same folder."
        )
    try:
        return VoiceFile.model_validate(json.loads(about.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise EngineFailed(
            f"{about.name} does not describe a Piper voice.", hint="Fetch it again from where the voice comes from."
        ) from error


def synthesise(text: str, voice: str, folder: Path) -> tuple[Sound, int, list[Mark]]:
    """The raw sound of a text (-1..1), its rate, and where each sentence begins.

    Raises InvalidInput for a voice that is not in the folder, EngineFailed for a file that cannot be used.
    """
    found = _ID.fullmatch(voice)
    model = folder / f"{found[1]}.onnx" if found else folder
    if found is None or not model.is_file():
        raise InvalidInput(
            f"There is no voice {voice!r}.",
            hint=f"Put its files back into {folder.name}, or choose another.",
            field="voice",
        )
    about = _described(model)
    run = _Runtime(model, about, int(found[2] or 0))
    parts: list[Sound] = []
    marks: list[Mark] = []
    length = 0
    gap = np.zeros(round(_GAP_S * about.audio.sample_rate), np.float32)
    for position, sounds in _sentences(text, about):
        numbers = _numbers(sounds, about.phoneme_id_map)
        if parts:
            parts.append(gap)
            marks.append(Mark("pause", position, length * 1000 / about.audio.sample_rate))
            length += len(gap)
        marks.append(Mark("word", position, length * 1000 / about.audio.sample_rate))
        parts.append(run.spoken(numbers))
        length += len(parts[-1])
    return np.concatenate([*parts, np.zeros(0, np.float32)]), about.audio.sample_rate, marks


def _sentences(text: str, about: VoiceFile) -> Iterator[tuple[int, str]]:
    """Where each sentence's first word begins, and its sounds with the punctuation that shapes its melody."""
    begins, sounds = 0, ""
    for clause in _clauses(text, about):
        found = _MARK.search(clause.text)
        mark = (
            _PUNCTUATED.get(found[1], found[1])
            if found and not _ABBREVIATED.search(text[: clause.position + found.end(1)])
            else ""
        )
        if clause.sounds:
            sounds += f"{clause.sounds}{mark} "
        if mark and mark in _SENTENCE_ENDS and sounds:
            yield _next_word(text, begins), sounds.strip()
            begins, sounds = clause.position + (found.end(1) if found else 0), ""
    if sounds:
        yield _next_word(text, begins), sounds.strip()


def _next_word(text: str, start: int) -> int:
    found = re.compile(r"\w").search(text, start)
    return found.start() if found else start


def _clauses(text: str, about: VoiceFile) -> Iterator[espeak.Clause]:
    if about.phoneme_type == "espeak":
        yield from espeak.clauses(text, about.espeak.voice)
        return
    for match in re.finditer(r"[^.!?]+[.!?]*\s*", text):
        yield espeak.Clause(match[0].strip().rstrip(_PUNCTUATION).lower(), match[0], match.start())


def _numbers(sounds: str, table: Mapping[str, list[int]]) -> list[int]:
    """The sounds as the voice's own numbers, padded as it was trained; what it does not know is left out."""
    pad = table.get(_PAD, [])
    numbers = [*table.get(_BEGIN, []), *pad]
    for sign in unicodedata.normalize("NFD", sounds):
        if sign in table:
            numbers += [*table[sign], *pad]
    return [*numbers, *table.get(_END, [])]


class _Runtime:
    """A loaded voice file, one speaker of it."""

    def __init__(self, model: Path, about: VoiceFile, speaker: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise NeedsSetup(
                "Voice files need the package onnxruntime.", hint="Run `pip install onnxruntime`."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        onnxruntime.set_seed(_SEED)
        self._name = model.name
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own errors share no base class
            raise self._unusable(error) from error
        taken = {one.name for one in self._session.get_inputs()}
        scales = (about.inference.noise_scale, about.inference.length_scale, about.inference.noise_w)
        given = {"scales": np.array(scales, np.float32), "sid": np.array([speaker], np.int64)}
        self._given: dict[str, Any] = {name: value for name, value in given.items() if name in taken}

    def spoken(self, numbers: list[int]) -> Sound:
        """The sound of one sentence."""
        given = {"input": np.array([numbers], np.int64), "input_lengths": np.array([len(numbers)], np.int64)}
        try:
            heard = np.asarray(self._session.run(None, given | self._given)[0], np.float32).reshape(-1)
        except Exception as error:
            raise self._unusable(error) from error
        if not np.isfinite(heard).all():
            raise EngineFailed(
                f"The voice file {self._name} made no sound that can be heard.", hint="Choose another voice."
            )
        made: Sound = np.clip(heard, -1, 1)
        return made

    def _unusable(self, error: Exception) -> EngineFailed:
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return EngineFailed(f"The voice file {self._name} cannot be used: {why}", hint="Choose another voice.")
