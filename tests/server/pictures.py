"""Pictures to send: as phones take them, and as nobody should."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms

RED, GREEN, BLUE, YELLOW = (220, 40, 30), (30, 160, 60), (40, 60, 200), (240, 220, 60)
ORIENTATION = 0x0112
# 64 × 48 as stored (red, green over blue, yellow), to be shown turned by 90° clockwise: 48 × 64, blue over yellow left.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAAB7AABAAAAAAAAALAAAgAAAAACnAABAAAAAAAAADYAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAA"
    "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
    "5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xh"
    "cAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEA"
    "AQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAO5tZGF0AAAArCgBrwngITip/+44//ywdl7eip5Wnv1j/+78vvJO"
    "P/ilbdH6PE8w5PDv+t/52Wa2RkjC//jVZfYVQssggBnRddd6BPZHoXJDel3AXMN739AAIbHP3w2RpDLYMKZADpPLUcTOs+AHBYBk"
    "MMPKX7wmTdfuaURJ4Sjv4YD1ZFvSgtg5blhnQ3cXaSMSiVqD5x+fjmKJ04h+mHnQO0vumPZH1aHYk9e1F2dU4SyS2RwAAAAGRXhp"
    "ZgAATU0AKgAAAAgAAgEPAAIAAAAGAAAAJgESAAMAAAABAAYAAAAAAABQaG9uZQA="
)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red and green over blue and yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, YELLOW
    return Image.fromarray(pixels)


def written(image: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **how)
    return out.getvalue()


def jpeg(**how: Any) -> bytes:
    return written(quarters(), "JPEG", quality=95, **how)


def png(image: Image.Image | None = None) -> bytes:
    return written(image or quarters(), "PNG")


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "A phone"
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    return jpeg(exif=exif)


def wide_gamut() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return written(quarters().convert("LAB"), "TIFF", icc_profile=profile.tobytes())


def deep() -> bytes:
    """16 bits of grey, from black to white."""
    return png(Image.fromarray(np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)))


def animated(kind: str) -> bytes:
    others = [Image.new("RGB", (64, 48), colour) for colour in (GREEN, BLUE)]
    return written(Image.new("RGB", (64, 48), RED), kind, save_all=True, append_images=others, duration=50)


# --- Hostile ------------------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG with this header, whatever follows."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(size: int) -> bytes:
    """So many zero bytes, deflated."""
    packer = zlib.compressobj(9)
    piece = b"\0" * (1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(size >> 20)), packer.flush()])


def many_scans(number: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    whole = written(quarters(2000, 2000), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * number + b"\xff\xd9"


def bad_exif() -> bytes:
    """An EXIF block that says that it goes on beyond its end."""
    tiff = b"II*\x00\x08\x00\x00\x00" + b"\xff\xff" + b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + b"\x01"
    body = b"Exif\x00\x00" + tiff
    whole = jpeg()
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + whole[2:]


def flipped(data: bytes, every: int) -> bytes:
    spoiled = bytearray(data)
    for place in range(len(data) // 3, len(data), every):
        spoiled[place] ^= 0x5A
    return bytes(spoiled)


def hostile() -> dict[str, bytes]:
    """By name: what is to be refused."""
    noise = Image.effect_noise((256, 256), 80).convert("RGB")
    text = b"Comment\0\0" + zeros(64 << 20)
    return {
        "nothing": b"",
        "one byte": b"\xff",
        "text": b"Once upon a time there was a bell.",
        "zeros": bytes(4096),
        "html": b"<!DOCTYPE html><html><img src=x onerror=alert(1)></html>",
        "html behind a PNG's signature": b"\x89PNG\r\n\x1a\n<html></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "svg with a file in it": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
        "zip": b"PK\x03\x04" + bytes(200),
        "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) run",
        "mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64),
        "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
        "python pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "png of 60,000 × 60,000": png_of(60_000, 60_000, chunk(b"IDAT", zeros(1 << 20))),
        "png of 60,000 × 1": png_of(60_000, 1, chunk(b"IDAT", zlib.compress(bytes(180_001)))),
        "png bomb, 7,200 × 7,200": png_of(7_200, 7_200, chunk(b"IDAT", zeros(200 << 20))),
        "png of 0 × 0": png_of(0, 0, chunk(b"IDAT", zlib.compress(b""))),
        "png of 2³¹ × 2³¹": png_of((1 << 31) - 1, (1 << 31) - 1),
        "png with a text bomb": png_of(8, 8, chunk(b"zTXt", text), chunk(b"IDAT", zlib.compress(bytes(200)))),
        "png without data": png_of(64, 48),
        "png with too little data": png_of(64, 48, chunk(b"IDAT", zlib.compress(bytes(100)))),
        "png with a bad checksum": png_of(64, 48)[:29] + bytes(4) + png_of(64, 48)[33:],
        "png cut in half": png(noise)[: len(png(noise)) // 2],
        "png of an unknown depth": png_of(64, 48, chunk(b"IDAT", zlib.compress(bytes(9_300))), depth=7),
        "jpeg cut in half": written(noise, "JPEG")[: len(written(noise, "JPEG")) // 2],
        "jpeg cut in its header": jpeg()[:100],
        "jpeg of 65,500 × 65,500": jpeg().replace(b"\x00\x30\x00\x40\x03", b"\xff\xdc\xff\xdc\x03"),
        "jpeg with bad EXIF": bad_exif(),
        "jpeg, only its signature": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
        "gif cut": animated("GIF")[:60],
        "gif of 65,535 × 65,535": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x00\x00\x00",
        "webp cut": written(noise, "WEBP")[:200],
        "webp of 16,383 × 16,383": b"RIFF\x24\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"
        + b"\xfe\x3f\x00\xfe\x3f\x00"
        + bytes(12),
        "tiff cut": written(noise, "TIFF")[:100],
        "tiff of 4 thousand million pixels": b"II*\x00\x08\x00\x00\x00\x02\x00"
        + struct.pack("<HHII", 256, 4, 1, 65_000)
        + struct.pack("<HHII", 257, 4, 1, 65_000)
        + bytes(4),
        "tiff that points to itself": b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00",
        "bmp of 50,000 × 50,000": b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "heic cut": HEIC[:300],
        "heic spoiled": flipped(HEIC, 7),
        "avif of zeros": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + bytes(200),
        "ico with a bomb": b"\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x01\x00\x20\x00\xff\xff\xff\x7f\x16\x00\x00\x00",
        "ppm of 10⁹ pixels": b"P6 100000 10000 255\n" + bytes(100),
        "python source": b"import os\nos.system('true')\n",
    }
