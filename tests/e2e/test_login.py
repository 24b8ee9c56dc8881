"""Logging in by the page, with the keyboard alone and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.kit import ServerProcess

pytestmark = pytest.mark.browser
PASSPHRASE = "four words and a bell"


def test_the_page_asks_for_the_passphrase_and_goes_on_where_it_was(page: Page, tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", env={"APP_PASSPHRASE": PASSPHRASE}) as server:
        page.set_viewport_size({"width": 390, "height": 780})
        page.goto(server.url)
        field = page.get_by_label("Who is there?")
        expect(field).to_be_focused()
        assert page.get_by_role("button", name="Log out").is_hidden()
        page.screenshot(path=tmp_path / "login.png")

        page.keyboard.type("guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The passphrase is not right.")
        page.screenshot(path=tmp_path / "refused.png")
        for button in page.get_by_role("button").all():
            if button.is_visible():
                box = button.bounding_box()
                assert box is not None and box["height"] >= 44

        page.get_by_role("button", name="Show").click()
        expect(field).to_have_attribute("type", "text")
        field.fill(PASSPHRASE)
        page.keyboard.press("Enter")
        story = page.get_by_label("Tell a story, get a film.")
        expect(story).to_be_visible()
        page.reload()
        expect(story).to_be_visible()
        page.screenshot(path=tmp_path / "inside.png")

        story.fill("A bell rang over the harbour.")
        page.context.clear_cookies()
        page.get_by_role("button", name="Make the film").click()
        expect(field).to_be_visible()
        field.fill(PASSPHRASE)
        page.get_by_role("button", name="Log in").click()
        expect(story).to_have_value("A bell rang over the harbour.")

        page.get_by_role("button", name="Log out").click()
        expect(field).to_be_visible()
        assert page.context.cookies() == []
