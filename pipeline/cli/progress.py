"""How a terminal, or a log file, is told how far the film is. Reads the status object and nothing else."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

from pipeline.cli.exits import printable

Status = dict[str, Any]
_QUIET_S = 5.0
_BAR = 28


class Display(Protocol):
    def show(self, status: Status) -> None:
        """The film's present state; called about twice a second."""
        ...

    def close(self) -> None: ...


def open_display() -> Display:
    """A table that is drawn over on a terminal, plain lines elsewhere."""
    return Terminal() if sys.stdout.isatty() else Lines()


class Lines:
    """A line when the film enters a stage and every few seconds, and one for each thing that went wrong."""

    def __init__(self) -> None:
        self._said = ""
        self._at = 0.0
        self._seq = 0

    def show(self, status: Status) -> None:
        for line in status["logs"]:
            if line["seq"] > self._seq:
                self._seq = line["seq"]
                if line["level"] != "info":
                    _print(f"        {line['text']}")
        step = status["yoloStep"] or "export"
        now = time.monotonic()
        if status["state"] != "running" or (step == self._said and now - self._at < _QUIET_S):
            return
        self._said, self._at = step, now
        count = status["stages"].get(step, {"done": 0, "total": 0})
        of = f" {count['done']} of {count['total']}" if count["total"] else ""
        left = f", {left_words(status['etaSeconds'])} left" if status["etaSeconds"] else ""
        _print(f"{status['percent']:3d} %  {step}{of}{left}")

    def close(self) -> None:
        return None


class Terminal:
    """The stages with their counts, the time to go and the last line, drawn over in place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(), auto_refresh=False, transient=True)
        self._live.start()

    def show(self, status: Status) -> None:
        self._live.update(_table(status), refresh=True)

    def close(self) -> None:
        self._live.stop()


def _table(status: Status) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, count in status["stages"].items():
        total, done = count["total"], count["done"]
        filled = _BAR * done // total if total else 0
        style = "green" if total and done == total else "bold" if count["running"] or done else "dim"
        bar = Text.assemble(("━" * filled, "green"), ("━" * (_BAR - filled), "grey30"), no_wrap=True)
        failed = Text(f"{count['failed']} failed", style="red") if count["failed"] else Text("")
        table.add_row(Text(name, style=style), bar, Text(f"{done}/{total}" if total else "", style=style), failed)
    left = f"{left_words(status['etaSeconds'])} left" if status["etaSeconds"] else ""
    table.add_row(Text("film", style="bold"), Text(f"{status['percent']} %", style="bold"), Text(left), Text(""))
    lines = [line["text"] for line in status["logs"][-1:]]
    return Group(table, *(Text(printable(line), style="dim", no_wrap=True, overflow="ellipsis") for line in lines))


def left_words(seconds: float) -> str:
    """About how long, in words: "20 s", "about 3 min", "about 1 h 20 min"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60} min"


def length_words(ms: int) -> str:
    """A film's length: "48 s", "3 min 12 s"."""
    seconds = round(ms / 1000)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def _print(text: str) -> None:
    print(printable(text), flush=True)
