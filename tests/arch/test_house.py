"""What stands at the top of the project: the lock, the commands, the process manager's entry."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.arch.sources import CODE, ROOT, imports, sources, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def locked() -> dict[str, Version]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def declared() -> list[Requirement]:
    return [Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]


def test_the_lock_pins_every_dependency_within_its_range() -> None:
    """Otherwise a fresh machine gets another program than the one that was tested."""
    pins = locked()
    missing = [need.name for need in declared() if canonicalize_name(need.name) not in pins]
    assert missing == []
    assert [need.name for need in declared() if pins[canonicalize_name(need.name)] not in need.specifier] == []


def test_every_pin_has_a_hash_and_no_place() -> None:
    """A hash proves the package whatever mirror it comes from; an address would tie the project to one mirror."""
    pins = [block for block in re.split(r"\n(?=\S)", LOCK) if not block.startswith("#")]
    assert [block.split()[0] for block in pins if "--hash=sha256:" not in block] == []
    assert "://" not in LOCK and "index-url" not in LOCK


def test_what_the_program_imports_is_declared() -> None:
    """A package that only comes along with another may go at the next update."""
    needs = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    owners = packages_distributions()
    found = {}
    for source in sources():
        for name, node in imports(source):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top in CODE:
                continue
            if needs.isdisjoint(canonicalize_name(owner) for owner in owners.get(top, [])):
                found[source.at(node)] = top
    assert found == {}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """make as from a shell, also when these tests run under `make test`."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--silent", *arguments]
    return subprocess.run(command, cwd=ROOT, env=outer, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["setup", "start", "test", "check", "film", "bench", "chaos", "clean"])
def test_make_knows_the_command(target: str) -> None:
    """These names are a contract; a dry run also shows that the Makefile can be read."""
    done = make("--dry-run", target)
    assert done.returncode == 0, done.stderr


def test_make_film_passes_any_name_on_as_it_is(tmp_path: Path) -> None:
    """Stories have names with spaces and quotes, and a name must never be read as a command."""
    echo = tmp_path / "python"
    echo.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    echo.chmod(0o755)
    story, out = 'the "old" house; (2).txt', "it's a film.mp4"
    done = make("--assume-old=setup", "film", f"PY={echo}", f"STORY={story}", f"OUT={out}", "ASPECT=9:16")
    assert json.loads(done.stdout) == ["-m", "pipeline", "film", story, "-o", out, "--aspect", "9:16"]


def test_make_film_says_what_it_needs() -> None:
    done = make("film")
    assert done.returncode != 0
    assert "make film STORY=story.txt OUT=film.mp4" in done.stderr


def test_clean_leaves_the_data_folder_alone() -> None:
    """Films that took hours, and paid work, live there."""
    recipe = re.search(r"^clean:.*?(?=^\S)", MAKEFILE, re.MULTILINE | re.DOTALL)
    assert recipe and "data" not in recipe.group() and "*" not in recipe.group()


def test_the_process_manager_starts_one_server_and_gives_it_time_to_stop() -> None:
    """The video queue is in memory and the data folder takes one server; stopping has to checkpoint the work."""
    script = "console.log(JSON.stringify(require('./ecosystem.config.cjs')))"
    shown = subprocess.run(["node", "-e", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (app,) = json.loads(shown)["apps"]
    assert (app["name"], app["exec_mode"], app["instances"], app["kill_timeout"]) == ("video-story", "fork", 1, 15000)
    assert (app["interpreter"], app["script"], app["args"]) == ("none", ".venv/bin/python", ["-m", "server"])
    assert app["cwd"] == str(ROOT)


def test_no_file_names_a_place_of_one_machine() -> None:
    """Paths of a home folder or of this checkout, and addresses of package registries, work nowhere else."""
    places = [
        re.escape(f"{ROOT}/"),
        r"/home/\w+/",
        r"/root/",
        r"/Users/\w+/",
        r"(pypi|pythonhosted|npmjs)\.org\b",
        r'"resolved": "http',
    ]
    if ROOT.parent not in (Path("/"), Path.home(), Path(tempfile.gettempdir())):
        places.append(re.escape(f"{ROOT.parent}/"))
    pattern = re.compile(r"(?<![\w.])(" + "|".join(places) + ")")
    found = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if "\0" not in line and pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []
