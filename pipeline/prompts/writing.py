"""The questions to language models: files of plain words with $places, filled in here. Hides where the files are.

A story is material, never an instruction: it is put between marks whose names it cannot know, and every system text
says so.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip())


def question(name: str, **values: object) -> str:
    """The text of `<name>.md` with its places filled; a missing value raises KeyError."""
    return _template(name).substitute({key: str(value) for key, value in values.items()})


def system() -> str:
    """What every question stands on."""
    return _template("system").substitute()


def material(label: str, text: str) -> str:
    """The text between marks that its author could not foresee. The same text always gets the same marks."""
    mark = f"{label}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
    return f"<{mark}>\n{text}\n</{mark}>"
