"""A provider's result that came when its unit wanted something else by then, with a restart in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.studio import COLOURS, Studio, open_studio
from tests.server.test_references import said, shot_of
from tests.simulator import Simulator

Meanwhile = Callable[[Studio, str], object]


def _restarted(simulator: Simulator, before: Studio, key: str, meanwhile: Meanwhile, address: str) -> Studio:
    """A unit is sent, the user does something, and another process starts over the folder."""
    sent = len(before.submits())
    before.services.runner.loose.make(before.project, key)
    before.at_provider(sent + 1)
    before.until(lambda: before.services.runner.generator.phase(before.project, key) in ("queued", "running"))
    before.services.close(5)
    idle = open_studio(simulator, before.folder, before.project, start=False)
    meanwhile(idle, address)
    idle.services.close(5)
    return open_studio(simulator, before.folder, before.project)


def _collected(studio: Studio, address: str, known: int) -> list[dict[str, object]]:
    """The versions, newest first, once another one has come."""
    studio.services.runner.loose.watch()
    return list(studio.until(lambda: studio.ready() or ((all_ := studio.versions(address))[known:] and all_)))


def _edit_action(studio: Studio, shot: str) -> None:
    assert studio.client.patch(shot, json={"action": "The bell falls silent."}).status_code == 200


def _clear(studio: Studio, shot: str) -> None:
    assert studio.client.delete(f"{shot}/first-frame").status_code == 204


def test_an_edited_shots_first_frame_is_shown_and_marked(tmp_path: Path) -> None:
    with Simulator(scale=1.0) as simulator:
        before = open_studio(simulator, tmp_path / "data")
        shot = shot_of(before, action="The bell rings.")
        address = f"/api/shots/{shot}"
        after = _restarted(simulator, before, f"frames/{shot}", _edit_action, address)
        kept = _collected(after, address, 0)
        assert [(one["earlier_text"], one["current"]) for one in kept] == [(True, True)]
        assert len(after.submits()) == 1, "what the user edited is not made unasked"
        assert simulator.errors == []
        after.services.close(5)


@pytest.mark.parametrize("meanwhile", [_clear, _edit_action])
def test_a_frame_that_was_there_before_is_not_replaced_by_a_late_one(tmp_path: Path, meanwhile: Meanwhile) -> None:
    with Simulator(scale=1.0) as simulator:
        before = open_studio(simulator, tmp_path / "data")
        shot = shot_of(before, action="The bell rings.")
        address = f"/api/shots/{shot}"
        first = before.client.post(f"{address}/frame", json={})
        assert first.status_code == 202
        shown = _collected(before, address, 0)[0]["media_url"]
        before.ended(first.get_json())
        before.client.patch(address, json={"action": "The bell swings."})
        after = _restarted(simulator, before, f"frames/{shot}", meanwhile, address)
        late = _collected(after, address, 1)[0]
        assert (late["earlier_text"], late["current"]) == (True, False)
        now = after.see(f"/api/projects/{after.project}/shots")["items"][0]["first_frame_url"]
        assert now == (None if meanwhile is _clear else shown)
        assert len(after.submits()) == 2
        after.services.close(5)


@pytest.mark.parametrize("cleared", [True, False])
def test_an_edited_entitys_late_picture_is_shown_only_where_none_has_been(tmp_path: Path, cleared: bool) -> None:
    def edit(studio: Studio, entity: str) -> None:
        assert studio.client.patch(entity, json={"description": "cracked"}).status_code == 200

    with Simulator(scale=1.0) as simulator:
        before = open_studio(simulator, tmp_path / "data")
        bell = before.add("props", "Bell", description="brass")
        shot_of(before, subjects=["Bell"])
        if cleared:
            before.upload(f"{bell}/reference-image", COLOURS[1])
            before.client.delete(f"{bell}/reference-image")
        after = _restarted(simulator, before, f"refs/prop/{bell.rpartition('/')[2]}", edit, bell)
        late = _collected(after, bell, int(cleared))[0]
        assert (late["earlier_text"], late["current"]) == (True, not cleared)
        assert "brass" in said(after.submits()[0])
        after.services.close(5)
