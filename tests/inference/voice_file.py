"""A tiny voice with the interface of a Piper voice file, made by code: each sound is a short tone of its own pitch.

Two of its sounds differ by their number alone; `noise_scale` lays chance over them, `sid` makes a speaker quieter.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
SAMPLES = 1_280  # of one number: 80 ms
SOUNDS = {
    sign: [number] for number, sign in enumerate("_^$ .,?!;:abcdefghijklmnopqrstuvwxyzæçðøħŋœɐɑɒɔəɚɛɜɡɪɫɬɹɾʃʊʌʒʔˈˌː̩θᵻ")
}
_FLOAT, _INT64 = 1, 7
_NODE_FLOAT, _NODE_INT = 1, 2  # kinds of attributes


def voice_file(folder: Path, name: str, **about: Any) -> Path:
    """Writes name.onnx and name.onnx.json; `about` goes into the description."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{name}.onnx"
    model.write_bytes(_model())
    described = {
        "audio": {"sample_rate": RATE, "quality": "x_low"},
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": SOUNDS,
        "num_symbols": 256,
        "num_speakers": 1,
        "speaker_id_map": {},
    }
    model.with_name(f"{name}.onnx.json").write_text(json.dumps(described | about), encoding="utf-8")
    return model


def _model() -> bytes:
    """tone(number) = sin(time × (180 + 9 × number) Hz) × 0.3, with a little chance, over all numbers."""
    time = np.arange(SAMPLES, dtype=np.float32) / RATE
    edge = np.minimum(1, np.minimum(np.arange(SAMPLES), np.arange(SAMPLES)[::-1]) / 80).astype(np.float32)
    nodes = [
        _node("Cast", ["input"], ["numbers"], to=_FLOAT),
        _node("Unsqueeze", ["numbers", "last"], ["column"]),
        _node("Mul", ["column", "step"], ["above"]),
        _node("Add", ["above", "lowest"], ["hertz"]),
        _node("Mul", ["hertz", "time"], ["turns"]),
        _node("Sin", ["turns"], ["tones"]),
        _node("RandomNormalLike", ["tones"], ["chance"], scale=0.02),
        _node("Gather", ["scales", "first"], ["noise_scale"]),
        _node("Mul", ["chance", "noise_scale"], ["noise"]),
        _node("Add", ["tones", "noise"], ["voiced"]),
        _node("Mul", ["voiced", "edge"], ["softened"]),
        _node("Cast", ["sid"], ["speaker"], to=_FLOAT),
        _node("Add", ["speaker", "one"], ["quieter"]),
        _node("Div", ["softened", "quieter"], ["spoken"]),
        _node("Reshape", ["spoken", "flat"], ["output"]),
    ]
    constants = [
        _constant("last", np.array([2], np.int64)),
        _constant("first", np.array(0, np.int64)),
        _constant("flat", np.array([1, 1, 1, -1], np.int64)),
        _constant("step", np.array(2 * np.pi * 9, np.float32)),
        _constant("lowest", np.array(2 * np.pi * 180, np.float32)),
        _constant("one", np.array(1, np.float32)),
        _constant("time", time),
        _constant("edge", 0.3 * edge),
    ]
    inputs = [
        _place("input", _INT64, ["batch", "sounds"]),
        _place("input_lengths", _INT64, ["batch"]),
        _place("scales", _FLOAT, [3]),
        _place("sid", _INT64, [1]),
    ]
    graph = b"".join(_part(1, node) for node in nodes) + _part(2, b"voice")
    graph += b"".join(_part(5, constant) for constant in constants)
    graph += b"".join(_part(11, place) for place in inputs)
    graph += _part(12, _place("output", _FLOAT, ["batch", 1, 1, "time"]))
    return _number(1, 8) + _part(8, _part(1, b"") + _number(2, 17)) + _part(7, graph)


# --- ONNX is protocol buffers: a field's number with its kind, then a number or so many bytes ------------


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: float) -> bytes:
    made = b"".join(_part(1, name.encode()) for name in inputs) + b"".join(_part(2, name.encode()) for name in outputs)
    for name, value in attributes.items():
        whole = isinstance(value, int)
        said = _number(3, value) if whole else _varint(2 << 3 | 5) + struct.pack("<f", value)
        kind_of = _number(20, _NODE_INT if whole else _NODE_FLOAT)
        made += _part(5, _part(1, name.encode()) + said + kind_of)
    return made + _part(4, kind.encode())


def _constant(name: str, value: np.ndarray[Any, Any]) -> bytes:
    sizes = b"".join(_number(1, size) for size in value.shape)
    kind = _number(2, _FLOAT if value.dtype == np.float32 else _INT64)
    return sizes + kind + _part(8, name.encode()) + _part(9, value.tobytes())


def _place(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = b"".join(_part(1, _number(1, size) if isinstance(size, int) else _part(2, size.encode())) for size in shape)
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, kind) + _part(2, sizes)))
