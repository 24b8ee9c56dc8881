"""A picture that somebody else made, read once, by a process that has nothing to lose, into one that we made.

Hides decoders and their dangers: bombs, damaged data, formats inside formats. What comes out is upright sRGB of eight
bits, at most `KEPT_SIDE` pixels long, without metadata. Run it in a fresh process of a pool: it sets the process's own
limits on memory and time, and dies of them.
"""

from __future__ import annotations

import io
import math
import resource
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pi_heif
from PIL import Image, ImageCms, ImageFile, ImageOps

from pipeline.errors import BadMedia, InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF", "BMP", "TIFF", "MPO")
# The extensions of pictures that are published, and what their content is then.
FORMATS_OF = {"jpg": ("JPEG", "MPO"), "jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "gif": ("GIF",)}
MOST_PIXELS = 50_000_000
MOST_SIDE = 20_000
KEPT_SIDE = 4096
# Private memory that reading a picture may take, beside what the process has before.
MOST_MEMORY = 420 << 20
# Processor time: enough for the slowest honest picture of its size on a slow machine.
SECONDS = 0.5
SECONDS_PER_MEGAPIXEL = 0.25
_JPEG_QUALITY = 92
_HINT = "Send it as a JPEG, PNG, WebP or HEIC picture; of a very large one a smaller copy."

pi_heif.register_heif_opener(thumbnails=False)


def take_in(source: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """(file, {"width", "height", "format"}): the picture in `source` as a JPEG, or a PNG where it is see-through.

    Raises BadMedia (no picture, damaged) and InvalidInput (too large).
    """
    _limit_memory()
    with _refusing():
        return _taken_in(source, folder)


def measure(files: Sequence[tuple[Path, str]]) -> list[tuple[int, int]]:
    """(width, height) of each picture, read whole and left as it is. With each goes the extension that it has to fit.

    Raises BadMedia (another content, damaged) and InvalidInput (too large), which name the file.
    """
    _limit_memory()
    sizes = []
    for source, ext in files:
        try:
            with _refusing():
                sizes.append(_measured(source, ext))
        except (BadMedia, InvalidInput) as failure:
            said = failure.detail.replace("The picture", f"The picture {source.name}", 1)
            raise type(failure)(said, hint=failure.hint, field=failure.field, code=failure.code) from None
    return sizes


@contextmanager
def _refusing() -> Iterator[None]:
    """One picture is read: whatever its decoder meets becomes a refusal."""
    _limit_time(SECONDS)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            # What Pillow reads on after: an orientation that cannot be trusted, a picture larger than we take.
            warnings.filterwarnings("error", message=".*EXIF.*")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (BadMedia, InvalidInput):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(f"more than {MOST_PIXELS // 1_000_000} million pixels") from None
    except MemoryError:
        raise InvalidInput("The picture takes too much memory.", hint="Send a smaller copy.", field="file") from None
    except Exception as error:  # decoders raise whatever damaged data leads them to
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadMedia("The picture is damaged, or of a kind that is not taken.", hint=_HINT) from error


def _taken_in(source: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    with Image.open(source, formats=FORMATS) as opened:
        width, height = _checked_size(opened)
        scale = min(1.0, KEPT_SIDE / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if opened.format in ("JPEG", "MPO"):
            opened.draft(None, size)
        opened.load()
        orientation = _orientation(opened)
        profile = opened.info.get("icc_profile")
        picture = _eight_bits(opened)
        # Made small before anything copies it: a large picture is held once.
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0) if scale < 1 else picture.copy()
        said = {"format": str(opened.format)}
    picture = _upright(_in_srgb(picture, profile), orientation)
    return _written(picture, folder, said)


def _measured(source: Path, ext: str) -> tuple[int, int]:
    with Image.open(source, formats=FORMATS_OF.get(ext, ())) as opened:
        size = _checked_size(opened)
        opened.load()
        return size


def _checked_size(opened: Image.Image) -> tuple[int, int]:
    """The picture's size, and the time to read a picture of that size. Raises InvalidInput."""
    width, height = opened.size
    if max(width, height) > MOST_SIDE:
        raise _too_large(f"{width} × {height} pixels")
    if width * height > MOST_PIXELS:
        raise _too_large(f"{width * height / 1_000_000:.0f} million pixels")
    _limit_time(SECONDS + SECONDS_PER_MEGAPIXEL * width * height / 1_000_000)
    return width, height


def _too_large(how: str) -> InvalidInput:
    most = f"at most {MOST_PIXELS // 1_000_000} million pixels, and {MOST_SIDE} on a side"
    return InvalidInput(f"The picture has {how}.", hint=f"Send a copy with {most}.", field="file", code="too_large")


def _orientation(opened: Image.Image) -> int:
    """As the camera was held (1 to 8). HEIC and AVIF decoders turn the picture themselves."""
    value = opened.getexif().get(0x0112, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 and opened.format not in ("HEIF", "AVIF") else 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.info = {"exif": exif.tobytes()}
    return ImageOps.exif_transpose(picture)


def _eight_bits(opened: Image.Image) -> Image.Image:
    """The first frame in a mode of eight bits that can be resized: L, RGB, RGBA or CMYK."""
    mode = opened.mode
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _from_deep(opened)
    if mode in ("L", "RGB", "RGBA", "CMYK"):
        return opened
    see_through = mode in ("LA", "PA", "La", "RGBa") or "transparency" in opened.info
    return opened.convert("RGBA" if see_through else "L" if mode == "1" else "RGB")


def _from_deep(opened: Image.Image) -> Image.Image:
    import numpy as np  # it starts threads, which the process that all others are forked from must not have

    values = np.asarray(opened)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
        span = 1.0 if float(values.max(initial=0)) <= 1.0 else 255.0
        return Image.fromarray((values.clip(0, span) * (255.0 / span)).astype(np.uint8))
    deep = int(values.max(initial=0)) > 255
    return Image.fromarray((values >> 8 if deep else values).clip(0, 255).astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """The colours that the picture's own profile means, for the one profile that pictures without one have."""
    target = "RGBA" if picture.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            bands = picture.convert("RGB") if target == "RGBA" else picture
            done = ImageCms.profileToProfile(bands, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if done is not None:
                if target == "RGBA":
                    done.putalpha(picture.getchannel("A"))
                return done
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that does not fit: the picture's plain values are the best there is
    return picture.convert(target)


def _written(picture: Image.Image, folder: Path, said: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    picture.info = {}
    said |= {"width": picture.width, "height": picture.height}
    if picture.mode == "RGBA":
        if picture.getchannel("A").getextrema()[0] != 255:
            path = folder / "picture.png"
            picture.save(path, format="PNG")
            return path, said
        picture = picture.convert("RGB")
    path = folder / "picture.jpg"
    picture.save(path, format="JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=False)
    return path, said


def _limit_memory() -> None:
    if sys.platform == "linux":  # elsewhere the limit does not hold for what decoders allocate
        fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
        most = int(fields["VmData"].split()[0]) * 1024 + MOST_MEMORY
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _limit_time(seconds: float) -> None:
    """Ends the process after so much more processor time, in the middle of native code too."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, math.ceil(seconds * 1000) / 1000)
