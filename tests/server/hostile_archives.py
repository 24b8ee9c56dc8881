"""Archives that are none, or not what they say: by name, made of the entries of a good one."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import tempfile
import warnings
import wave
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests.film.pictures import make_clip
from tests.server import pictures

Entries = dict[str, bytes]


def packed(entries: Entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def _data(change: Callable[[dict[str, Any]], None]) -> Callable[[Entries], bytes]:
    def make(entries: Entries) -> bytes:
        data = json.loads(entries["project.json"])
        change(data)
        return packed(entries | {"project.json": json.dumps(data).encode()})

    return make


def _extra(name: str, content: bytes = b"x") -> Callable[[Entries], bytes]:
    return lambda entries: packed({**entries, name: content})


def _nul(entries: Entries) -> bytes:
    return packed({**entries, "media/aaaa_nul.png": b"x"}).replace(b"aaaa_nul", b"aaaa\x00nul")


def _entry(entries: Entries, info: zipfile.ZipInfo, content: bytes) -> bytes:
    out = io.BytesIO(packed(entries))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(info, content)
    return out.getvalue()


def _symlink(entries: Entries) -> bytes:
    info = zipfile.ZipInfo(f"media/{'a' * 64}.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return _entry(entries, info, b"/etc/passwd")


def _twice(entries: Entries) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of the name
        return _entry(entries, zipfile.ZipInfo("project.json"), entries["project.json"])


def _deflated_bomb(entries: Entries) -> bytes:
    info = zipfile.ZipInfo(f"media/{'b' * 64}.png")
    info.compress_type = zipfile.ZIP_DEFLATED
    return _entry(entries, info, b"\0" * (8 << 20))


def _data_bomb(entries: Entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("project.json", "w") as entry:
        for _ in range(70):
            entry.write(b" " * (1 << 20))
    return out.getvalue()


def _lying_size(entries: Entries) -> bytes:
    """An entry that says that it is three gigabytes long."""
    data = bytearray(packed(entries))
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 3 << 30)
    return bytes(data)


def _overlapping(entries: Entries) -> bytes:
    """Many names for the same bytes, as in a bomb of overlapping files."""
    data = packed(entries)
    place = data.rfind(b"PK\x01\x02")
    end = data.rfind(b"PK\x05\x06")
    entry, tail = data[place:end], bytearray(data[end:])
    copies = [entry.replace(b"media/", b"media/", 1)[:-68] + (f"{at:064x}.png").encode() for at in range(200)]
    number = len(entries) + len(copies)
    tail[8:12] = struct.pack("<HH", number, number)
    tail[12:16] = struct.pack("<I", end - data.find(b"PK\x01\x02") + sum(map(len, copies)))
    return data[:end] + b"".join(copies) + bytes(tail)


def with_file(ext: str, make: Callable[[], bytes], **meta: Any) -> Callable[[Entries], bytes]:
    """The project's poster is this file, whatever it is."""

    def added(entries: Entries) -> bytes:
        content = make()
        name = f"{hashlib.sha256(content).hexdigest()}.{ext}"
        data = json.loads(entries["project.json"])
        data["media"][f"/media/{name}"] = {"size": len(content), "meta": meta}
        data["project"]["poster_url"] = f"/media/{name}"
        return packed(entries | {"project.json": json.dumps(data).encode(), f"media/{name}": content})

    return added


@cache
def a_clip() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "a.mp4", range(8), size=(64, 48), extra=("-movflags", "+faststart"))
        return clip.read_bytes()


def _sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(48_000)
        track.writeframes(bytes(96_000))
    return out.getvalue()


def _bomb() -> bytes:
    return pictures.png_of(60_000, 60_000, pictures.chunk(b"IDAT", pictures.zeros(1 << 20)))


def _contents(number: int, name: bytes) -> Callable[[Entries], bytes]:
    """So many names in the table of contents, without files."""

    def made(entries: Entries) -> bytes:
        data = packed(entries)
        end = data.rfind(b"PK\x05\x06")
        one = bytearray(data[data.find(b"PK\x01\x02") :][:46])
        one[28:34] = struct.pack("<HHH", len(name), 0, 0)
        table = (bytes(one) + name) * number
        tail = data[end : end + 8] + struct.pack("<HHIIH", 0xFFFF, 0xFFFF, len(table), end, 0)
        return data[:end] + table + tail

    return made


def _elsewhere(place: int, form: str, offset: int) -> Callable[[Entries], bytes]:
    """A number of the table of contents that leads out of the file."""

    def made(entries: Entries) -> bytes:
        data = bytearray(packed(entries | {f"media/{'d' * 64}.png": bytes(600_000)}))
        at = data.rfind(b"PK\x01\x02" if place < 46 else b"PK\x05\x06") + place % 46
        data[at : at + struct.calcsize(form)] = struct.pack(form, offset)
        return bytes(data)

    return made


def _values(entries: Entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", b"[" + b"[]," * 4_000_000 + b"[]]")
    return out.getvalue()


def _nested(data: dict[str, Any]) -> None:
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"a": deep}
    data["project"]["options"] = deep
    next(iter(data["media"].values()))["meta"] = {"deep": deep}


def _damaged(entries: Entries) -> bytes:
    name = next(name for name in entries if name.startswith("media/"))
    return packed(entries | {name: entries[name][:-1] + b"!"})


def _without_a_file(entries: Entries) -> bytes:
    name = next(name for name in entries if name.startswith("media/"))
    return packed({key: value for key, value in entries.items() if key != name})


_HUGE = {"width": 10**6, "height": 10**6}
HOSTILE: dict[str, Callable[[Entries], bytes]] = {
    "no zip": lambda entries: b"GIF89a, not a zip",
    "nothing": lambda entries: b"",
    "an empty zip": lambda entries: packed({}),
    "cut off": lambda entries: packed(entries)[:-40],
    "a way out": _extra("../../evil.png"),
    "a way out, encoded": _extra("media/..%2f..%2fevil.png"),
    "a way out, backwards": _extra("..\\evil.png"),
    "an absolute name": _extra("/etc/cron.d/evil"),
    "a drive": _extra("C:\\evil.png"),
    "a device": _extra("CON"),
    "a device among media": _extra("media/NUL.png"),
    "a NUL in a name": _nul,
    "a folder": _extra("media/"),
    "another file": _extra("readme.txt"),
    "a link": _symlink,
    "a file twice": _twice,
    "a packed bomb": _deflated_bomb,
    "a bomb of data": _data_bomb,
    "a size that is a lie": _lying_size,
    "overlapping files": _overlapping,
    "a page named as a picture": with_file("png", lambda: b"<html><script>alert(1)</script></html>"),
    "a page named as a clip": with_file("mp4", lambda: b"<html><script>alert(1)</script></html>"),
    "a JPEG named as a PNG": with_file("png", pictures.jpeg),
    "half a picture": with_file("png", lambda: pictures.png()[:-200]),
    "a picture of 60,000 × 60,000": with_file("png", _bomb),
    "a picture that says so and ends": with_file("jpg", lambda: b"\xff\xd8\xff\xe0" + bytes(99)),
    "a picture named as a clip": with_file("mp4", pictures.png),
    "a playlist named as a clip": with_file("mp4", lambda: b"#EXTM3U\nfile:///etc/passwd\n"),
    "an empty clip": with_file("mp4", lambda: b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64)),
    "a sound named as a clip": with_file("mp4", _sound),
    "a clip named as a sound": with_file("m4a", a_clip),
    "half a clip": with_file("mp4", lambda: a_clip()[:-700]),
    "captions that are no text": with_file("srt", lambda: b"1\n00:00:00,000 --> \xff\xfe\n"),
    "captions with a NUL": with_file("vtt", lambda: b"WEBVTT\n\0"),
    "a text of nine megabytes": with_file("txt", lambda: b"word " * (9 << 20 >> 2)),
    "a program": with_file("exe", lambda: b"MZ"),
    "a picture with a script": with_file("svg", lambda: b"<svg onload='alert(1)'/>"),
    "60,000 names": _contents(60_000, b"x"),
    "eleven megabytes of names": _contents(200, b"media/" + b"x" * 60_000),
    "contents beyond the end": _elsewhere(46 + 16, "<I", 0x7FFFFFFF),
    "contents before the beginning": _elsewhere(46 + 12, "<I", 0x7FFFFFFF),
    "a file beyond the end": _elsewhere(42, "<I", 0x7FFFFFFF),
    "four million values": _values,
    "deep rows": _data(_nested),
    "a damaged file": _damaged,
    "a missing file": _without_a_file,
    "no JSON": lambda entries: packed(entries | {"project.json": b"{"}),
    "deep JSON": lambda entries: packed(entries | {"project.json": b"[" * 100_000}),
    "another format": _data(lambda data: data.update(format="x")),
    "a later version": _data(lambda data: data.update(version=2)),
    "no tables": _data(lambda data: data.pop("tables")),
    "an unknown table": _data(lambda data: data["tables"].update(settings=[{"key": "a", "value": 1}])),
    "an unknown column": _data(lambda data: data["tables"]["shots"][0].update(extra=1)),
    "a column too few": _data(lambda data: data["tables"]["shots"][0].pop("start_ms")),
    "a wrong type": _data(lambda data: data["tables"]["shots"][0].update(start_ms="0")),
    "a huge number": _data(lambda data: data["tables"]["shots"][0].update(start_ms=10**30)),
    "an unknown state": _data(lambda data: data["tables"]["shots"][0].update(video_status="odd")),
    "an unknown framing": _data(lambda data: data["tables"]["shots"][0].update(framing="odd")),
    "a character of an unknown age": _data(lambda data: data["tables"]["characters"][0].update(age_group="ancient")),
    "a number that is a list": _data(lambda data: data["tables"]["guide_images"][0].update(id=[])),
    "a number twice": _data(lambda data: data["tables"]["shots"][1].update(id=data["tables"]["shots"][0]["id"])),
    "a version from nowhere": _data(lambda data: data["tables"]["versions"][0].update(source="")),
    "words that are none": _data(lambda data: data["tables"]["script_segments"][0].update(words=[{"a": 1}])),
    "gaps": _data(lambda data: data["tables"]["script_segments"][0].update(idx=7)),
    "scenes beyond the script": _data(lambda data: data["tables"]["scenes"][1].update(last_segment_idx=10**9)),
    "a speaker who is not there": _data(lambda data: data["tables"]["shots"][1].update(speaker_id=4711)),
    "half a character": _data(lambda data: data["tables"]["characters"][0].update(name="\ud83d")),
    "a NUL": _data(lambda data: data["project"].update(title="a\0b")),
    "an unknown shape": _data(lambda data: data["project"].update(aspect_ratio="4:3")),
    "a file of somebody else": _data(lambda data: data["project"].update(film_url=f"/media/{'c' * 64}.mp4")),
    "a film of a form of its own": _data(lambda data: data["project"].update(options={"form": _HUGE})),
    "options that are none": _data(lambda data: data["project"].update(options={"removed": [1]})),
    "captions at a number": _data(lambda data: data["project"].update(film_meta={"srt_url": 7})),
    "a film at another address": _data(lambda data: data["project"].update(film_url="https://example.org/film.mp4")),
    "a frame at a path": _data(lambda data: data["tables"]["shots"][0].update(first_frame_url="/etc/passwd")),
    "a pinned picture at a path": _data(
        lambda data: data["tables"]["shots"][0].update(pinned_references=["file:///etc/passwd"])
    ),
    "finished work at a path": _data(lambda data: data["tables"]["steps"][0]["output"].update(media=["/etc/passwd"])),
    "a film of a thousand years": _data(lambda data: data["project"].update(narration_ms=10**15)),
    "a shot of a thousand years": _data(lambda data: data["tables"]["shots"][2].update(end_ms=10**15)),
    "a story too long": _data(lambda data: data["project"].update(story="word " * 500)),
}
