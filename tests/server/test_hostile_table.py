"""Everything hostile that docs/hostile.md lists, sent anew: it is refused, says why, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

from tests.server.hostile_table import HARMLESS, PAGE, outcomes, page


def test_hostile_input_is_refused_as_the_page_says(tmp_path: Path) -> None:
    found = list(outcomes(tmp_path))
    refused = [one for one in found if one.section != HARMLESS]
    assert len(refused) > 150
    assert [one for one in refused if not (400 <= one.status < 500 and one.code) or one.left] == []
    assert [one for one in found if one.section == HARMLESS and one.status not in (200, 201)] == []
    assert PAGE.read_text(encoding="utf-8") == page(found), "python -m tests.server.hostile_table"
