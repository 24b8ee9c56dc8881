"""How many mutants (small changes of the code) the tests have noticed, by module; run by `make mutants`.

Reads the folder in which mutmut has run. Prints what each survivor changes, then the table. Exits 1 when less than 80 %
of any module's mutants were killed; one that changes nothing that could be seen counts as a survivor all the same.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

LEAST_PERCENT = 80
_FAILED = (1, 3)  # exit codes of pytest
_OUT_OF_TIME = (-24, 24, 36, 152, 255)  # it did not end: noticed too


@dataclass(frozen=True)
class Module:
    """A mutated module. `slow`: how many of the killed ran out of time instead of failing a test. `survivors` are the
    names of mutants, without the module's."""

    place: str
    killed: int
    slow: int
    survivors: tuple[str, ...]

    @property
    def percent(self) -> float:
        return 100 * self.killed / (self.killed + len(self.survivors))


def modules(ran: Path) -> Iterator[Module]:
    config = tomllib.loads((ran / "pyproject.toml").read_text(encoding="utf-8"))
    for place in config["tool"]["mutmut"]["only_mutate"]:
        codes = json.loads((ran / "mutants" / f"{place}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
        alive = [name.rpartition(".")[2] for name, code in codes.items() if code not in _FAILED + _OUT_OF_TIME]
        slow = sum(code in _OUT_OF_TIME for code in codes.values())
        yield Module(place, len(codes) - len(alive), slow, tuple(alive))


def changes(ran: Path, module: Module) -> Iterator[str]:
    """What each survivor has changed: its name, and the lines that it took away and put in."""
    mutated = ran / "mutants" / module.place
    lines = mutated.read_text(encoding="utf-8").splitlines()
    spans = json.loads(mutated.with_name(f"{mutated.name}.spans").read_text(encoding="utf-8"))["spans"]

    def body(name: str) -> list[str]:
        first, last = spans[name]
        return [line.strip().replace(name, "") for line in lines[first - 1 : last]]

    for name in module.survivors:
        before = body(name.partition("__mutmut_")[0] + "__mutmut_orig")
        yield f"{module.place} {name}"
        yield from (f"    {line}" for line in ndiff(before, body(name)) if line[0] in "-+")


def main(ran: Path) -> int:
    found = list(modules(ran))
    for module in found:
        print(*changes(ran, module), sep="\n")
    print(f"\n{'module':40} {'mutants':>8} {'killed':>8} {'by time':>8} {'%':>6}")
    for module in found:
        total = module.killed + len(module.survivors)
        print(f"{module.place:40} {total:8} {module.killed:8} {module.slow:8} {module.percent:6.1f}")
    return int(any(module.percent < LEAST_PERCENT for module in found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
