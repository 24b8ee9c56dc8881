"""The project's own files, read once, for the guards of this folder."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = ("pipeline", "server")


@dataclass(frozen=True)
class Source:
    """One Python file: its place from the project's folder, its text and its tree."""

    place: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        return f"{self.place}:{getattr(node, 'lineno', 1)}"

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below the folders (default: the program's own), in order of place."""
    found = []
    for folder in folders or CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                text = path.read_text(encoding="utf-8")
                found.append(Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return tuple(found)


def imports(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every module that the file imports, by its full name, wherever it does; `from a import b` gives a and a.b."""
    for node in source.nodes():
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = source.place.removesuffix(".py").split("/")[: -node.level] if node.level else []
            module = ".".join([*package, *([node.module] if node.module else [])])
            yield module, node
            yield from ((f"{module}.{alias.name}", node) for alias in node.names)


def imported_below(source: Source, *modules: str) -> list[str]:
    """Places where the file imports one of the modules or something inside it."""
    return sorted(
        {
            source.at(node)
            for name, node in imports(source)
            if any(name == module or name.startswith(f"{module}.") for module in modules)
        }
    )


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


@cache
def tracked() -> tuple[Path, ...]:
    """What is, or is about to be, in the repository: tracked files and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(ROOT / name for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file())
