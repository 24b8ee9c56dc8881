"""The list of problems is whole: every code in use is in it, has a status, and says what to do."""

from __future__ import annotations

import ast

from pipeline.errors import ProductError
from pipeline.problems import PROBLEMS
from server.http import STATUS
from tests.arch.codes import codes_in_use, codes_of
from tests.arch.problems_page import PAGE, page
from tests.arch.sources import Source


def test_every_code_in_use_is_in_the_list() -> None:
    """A code that only its author knows can be neither explained nor looked up."""
    unknown = {code: places for code, places in codes_in_use().items() if code not in PROBLEMS}
    assert unknown == {}


def test_no_code_is_explained_that_nobody_uses() -> None:
    assert sorted(PROBLEMS.keys() - codes_in_use().keys()) == []


def test_every_code_has_a_status() -> None:
    """Without one it would be a 500, as if the program were broken."""
    assert sorted(PROBLEMS.keys() ^ STATUS.keys()) == []
    assert {code for code, status in STATUS.items() if not 400 <= status < 600} == set()


def test_every_problem_says_what_to_do() -> None:
    for code, problem in PROBLEMS.items():
        assert problem.means and not problem.means.endswith("."), code
        assert problem.hint.endswith(".") and problem.hint[0].isupper(), code
    assert ProductError("It broke.", code="queue_halted").sentence == f"It broke. {PROBLEMS['queue_halted'].hint}"
    assert ProductError("It broke.", code="queue_halted", hint="Wait.").sentence == "It broke. Wait."


def test_the_page_is_written_from_the_list() -> None:
    """`python -m tests.arch.problems_page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_search_sees_codes_wherever_they_stand() -> None:
    text = """
class Odd(ProductError):
    code = "in_class"
raise Refused("no", code="in_call" if x else "in_other")
CODES = {1: "in_table"}
answer = {"code": "in_dict", "text": "no_code"}
found = {"code": error.get("code", "in_fallback")}
problems = (Note("in_note", "words"),)
driver._pause_for("in_pause", "words")
Ending("paused", "in_ending")
code = {"a": "in_choice"}.get(name, "in_default")
"""
    source = Source("pipeline/x.py", text, ast.parse(text))
    assert {code for code, _ in codes_of(source)} == {
        "in_class", "in_call", "in_other", "in_table", "in_dict", "in_fallback", "in_note", "in_pause", "in_ending",
        "in_choice", "in_default",
    }  # fmt: skip
