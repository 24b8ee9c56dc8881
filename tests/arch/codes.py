"""Finds every problem code that the program raises, records or answers with, by reading its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.arch.sources import Source, dotted, sources

CODE = re.compile(r"[a-z]+(_[a-z]+)*")
TABLES = ("CODES", "_CODES")  # assignments whose values are codes
# Calls with a code among their plain arguments: the function's name, and which argument it is.
CALLS = {"Note": 0, "general": 0, "_pause_for": 0, "Ending": 1, "problem_of": 1}


def codes_in_use() -> dict[str, list[str]]:
    """Code → the places that use it."""
    found: dict[str, list[str]] = {}
    for source in sources():
        for code, node in codes_of(source):
            found.setdefault(code, []).append(source.at(node))
    return found


def codes_of(source: Source) -> Iterator[tuple[str, ast.AST]]:
    for node in source.nodes():
        for value in _named(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                yield value.value, value


def _named(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that stand where a code belongs."""
    if isinstance(node, ast.Call):
        yield from (part for word in node.keywords if word.arg == "code" for part in _either(word.value))
        place = CALLS.get(dotted(node.func).split(".")[-1])
        if place is not None and len(node.args) > place:
            yield from _either(node.args[place])
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield from _either(value)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node.value, ast.Dict) and any(dotted(target) in TABLES for target in targets):
            yield from node.value.values
        elif node.value is not None and any(dotted(target) == "code" for target in targets):
            yield from _either(node.value)


def _either(node: ast.AST) -> Iterator[ast.AST]:
    """Both sides of a conditional expression, the fallback of a `get`, or the expression itself."""
    if isinstance(node, ast.IfExp):
        yield from (*_either(node.body), *_either(node.orelse))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        yield from node.args[1:]
        if isinstance(node.func.value, ast.Dict):
            yield from node.func.value.values
    elif isinstance(node, ast.Call) and node.args:
        yield from _either(node.args[0])
    else:
        yield node
