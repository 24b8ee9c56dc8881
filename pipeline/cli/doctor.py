"""The command `doctor`: what works on this machine, what is missing, and what to do about it. Never shows a key.

Providers are asked about their accounts only where a key is set, and stand here as in the account overview.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from pipeline.errors import DataFolderInUse, ProductError
from pipeline.settings import Settings, load_settings, usable_cores

Level = Literal["ok", "note", "problem"]
_LEAST_FREE = 1 << 30
_PACKAGES = ("sqlalchemy", "alembic", "pydantic", "numpy", "cv2", "PIL", "flask", "waitress", "rich")


@dataclass(frozen=True)
class Finding:
    what: str
    level: Level
    said: str


def doctor(given: Namespace) -> int:
    """Prints a table of findings. Returns 0 when films can be made here, else 1."""
    settings = load_settings(data_dir=given.data_dir)
    findings = list(examine(settings))
    _print(findings)
    return 1 if any(finding.level == "problem" for finding in findings) else 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Looks at one thing after the other; each look that fails is a finding, not an error."""
    version = platform.python_version()
    yield Finding("Python", "ok" if sys.version_info >= (3, 11) else "problem", version)
    yield Finding("processor", "ok", f"{usable_cores()} cores, {settings.engine_workers} engine processes")
    for what, look in (
        ("packages", _packages),
        ("ffmpeg", lambda: _program("ffmpeg")),
        ("ffprobe", lambda: _program("ffprobe")),
        ("speech", lambda: _speech(settings.own_voices)),
        ("drawing", _drawing),
        ("data folder", lambda: _data_folder(settings.data_dir)),
        ("disk", lambda: _disk(settings.data_dir)),
        ("settings", lambda: _settings(settings)),
    ):
        yield _looked(what, look)
    yield from _keys(settings)
    yield from _providers(settings)


def _looked(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except ProductError as failure:
        return Finding(what, "problem", failure.sentence)
    except Exception as failure:
        return Finding(what, "problem", f"{type(failure).__name__}: {failure}")


def _packages() -> Finding:
    missing = []
    for name in _PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as failure:
            missing.append(f"{name} ({failure})")
    if missing:
        return Finding("packages", "problem", f"missing: {', '.join(missing)}. Run `make setup`.")
    return Finding("packages", "ok", f"{len(_PACKAGES)} of {len(_PACKAGES)} can be loaded")


def _program(name: str) -> Finding:
    from pipeline.film import ffmpeg

    tools = ffmpeg.tools()
    path = tools.ffmpeg if name == "ffmpeg" else tools.ffprobe
    if name == "ffprobe":
        return Finding(name, "ok" if os.access(path, os.X_OK) else "problem", str(path))
    banner = ffmpeg.run(["-version"], timeout_s=20).stdout.decode("utf-8", "replace")
    encoders = ffmpeg.run(["-encoders"], timeout_s=20).stdout.decode("utf-8", "replace")
    found = re.search(r"ffmpeg version (\S+)", banner)
    lacking = [codec for codec in ("libx264", "aac") if not re.search(rf"\s{codec}\s", encoders)]
    if lacking:
        return Finding(name, "problem", f"{path} cannot encode {', '.join(lacking)}. Set FFMPEG_BIN to one that can.")
    return Finding(name, "ok", f"{found[1] if found else 'unknown version'}, {path}")


def _speech(own_voices: Path) -> Finding:
    from pipeline.inference import espeak, piper

    voices, own = espeak.voices("en"), dict(piper.files(own_voices))
    wrong = [about for about in own.values() if isinstance(about, str)]
    said = f"espeak-ng, {len(voices)} English voices; {len(own) - len(wrong)} voice files in {own_voices}"
    level: Level = "problem" if not voices else "note" if wrong else "ok"
    return Finding("speech", level, " ".join([said + ("." if wrong else ""), *wrong]))


def _drawing() -> Finding:
    try:
        skia = importlib.import_module("skia")
    except ImportError as failure:
        return Finding("drawing", "problem", f"{failure}. On Debian and Ubuntu: apt-get install -y libegl1 libgl1")
    fonts = skia.FontMgr().countFamilies()
    return Finding("drawing", "ok", f"skia {getattr(skia, '__version__', '')}, {fonts} font families of the system")


def _data_folder(path: Path) -> Finding:
    from pipeline.store.db import DataFolder
    from pipeline.store.folder import locked
    from pipeline.store.integrity import complaints_of

    what = "data folder"
    if not path.exists():
        nearest = next(parent for parent in path.parents if parent.exists())
        fits = os.access(nearest, os.W_OK | os.X_OK)
        return Finding(what, "ok" if fits else "problem", f"{path} {'will be made' if fits else 'cannot be made'}")
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        return Finding(what, "problem", f"{path} cannot be written. Set DATA_DIR to a folder that can.")
    folder = DataFolder(path)
    if not folder.db_path.exists():
        return Finding(what, "ok", f"{path}, empty so far")
    complaints = complaints_of(folder.db_path)
    if complaints:
        return Finding(what, "problem", f"the database is damaged: {complaints[0]}. See `python -m server restore`.")
    try:
        with locked(folder):
            return Finding(what, "ok", str(path))
    except DataFolderInUse:
        return Finding(what, "note", f"{path}, in use by a running server")


def _disk(path: Path) -> Finding:
    nearest = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(nearest).free
    said = f"{free / (1 << 30):.1f} GB free"
    return Finding("disk", "ok", said) if free >= _LEAST_FREE else Finding("disk", "note", f"only {said}")


def _settings(settings: Settings) -> Finding:
    from pipeline.film import ffmpeg

    own = [str(path) for path in (settings.ffmpeg_bin, settings.ffprobe_bin) if path]
    ffmpeg.tools()
    missing = [path for path in own if not os.access(path, os.X_OK)]
    if missing:
        return Finding("settings", "problem", f"cannot be run: {', '.join(missing)} (FFMPEG_BIN, FFPROBE_BIN)")
    return Finding("settings", "ok", f"address {settings.host}:{settings.port}")


def _keys(settings: Settings) -> Iterator[Finding]:
    names = [name for name, field in Settings.model_fields.items() if SecretStr in _types(field.annotation)]
    present = [name.upper() for name in names if getattr(settings, name) is not None]
    absent = [name.upper() for name in names if getattr(settings, name) is None]
    yield Finding("keys set", "ok", ", ".join(present) or "none; films are made with the built-in engines, at no cost")
    yield Finding("keys not set", "ok", ", ".join(absent) or "none")


def _providers(settings: Settings) -> Iterator[Finding]:
    from pipeline.generation.account import Accounts

    lacking = []
    for one in Accounts(settings).overview():
        if one.missing is not None:
            lacking.append(f"{one.label} ({one.missing})")
            continue
        account = one.account
        said = [one.state, account.identity or ""]
        if account.balance_micros is not None:
            said.append(f"{account.balance_micros / 1_000_000:,.2f} {account.currency} left")
        said.append(account.note)
        yield Finding(one.label, "ok" if one.state == "ready" else "note", "; ".join(filter(None, said)))
    yield Finding("not set up", "ok", ", ".join(lacking) or "none")


def _types(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", (annotation,))


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "note": "yellow", "problem": "red"}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(finding.what, Text(finding.level, style=colours[finding.level]), Text(finding.said))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
