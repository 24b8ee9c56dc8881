"""Finds a Chromium that runs, and installs one where there is none; `make browser` calls it.

A browser that is missing and cannot be installed is an error that names the command, never a skipped test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Quiet and alone: no graphics card, no first-run pages, no traffic of its own.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


class NoBrowser(RuntimeError):
    """No Chromium runs here; the message says how to get one."""


def find() -> Path | None:
    """The program of a Chromium that starts: CHROMIUM, then PATH, then the usual places, then Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not _starts(named):
            raise NoBrowser(f"CHROMIUM names {named}, which does not start.")
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found and _starts(found):
            return Path(found)
    for place in (*MAC_PLACES, _playwright_place()):
        if Path(place).is_file() and _starts(place):
            return Path(place)
    return None


def find_or_install() -> Path:
    """As `find`; where there is none, from Debian's packages as root, else Playwright's own build."""
    found = find()
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium from the system's packages", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], env=quiet, check=False)
        found = find()
    if found is None:
        print("Installing Playwright's Chromium", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        found = find()
    if found is None:
        raise NoBrowser(
            "The browser tests need Chromium. On Debian: sudo apt-get install -y chromium. "
            "Elsewhere install Chrome, or set CHROMIUM to the path of a Chromium."
        )
    return found


def _starts(program: str) -> bool:
    """Whether it answers at all: some systems have a `chromium-browser` that only says where to get one."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _playwright_place() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    try:
        print(f"Browser: {find_or_install()}")
    except NoBrowser as problem:
        sys.exit(str(problem))
