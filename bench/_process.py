"""What a benchmark sees of a process tree from outside: its memory, and how long it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """`peak_mb` is the largest sum of resident memory over the process and all its descendants; `cpu_s` the processor
    time of all of them, as far as looking at them five times a second shows."""

    wall_s: float
    peak_mb: float
    main_peak_mb: float
    cpu_s: float = 0.0


def resident_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def processor_s(pid: int) -> float:
    """The processor time that one process has had, without its children's."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    front = [pid]
    while front:
        children = parents.get(front.pop(), [])
        found += children
        front += children
    return found


def measure(command: Sequence[str], *, env: dict[str, str] | None = None) -> Measured:
    """Runs the command to its end, quietly. Raises CalledProcessError when it fails."""
    began = time.monotonic()
    child = subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL)
    peak = main_peak = 0.0
    had: dict[int, float] = {}
    while child.poll() is None:
        main = resident_mb(child.pid)
        main_peak = max(main_peak, main)
        below = descendants(child.pid)
        peak = max(peak, main + sum(map(resident_mb, below)))
        had |= {pid: max(had.get(pid, 0.0), processor_s(pid)) for pid in (child.pid, *below)}
        time.sleep(0.2)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Measured(time.monotonic() - began, peak, main_peak, sum(had.values()))


def row(what: str, value: str, bound: str, *, holds: bool) -> bool:
    """Prints one line of a benchmark's table; gives back whether the bound holds."""
    print(f"{'ok  ' if holds else 'OVER'}  {what:<58} {value:>16}   bound {bound}", flush=True)
    return holds


PYTHON = sys.executable
ROOT = Path(__file__).resolve().parents[1]
