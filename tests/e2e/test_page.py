"""The page in a real browser, over a real server: paste a story, watch it being made, play the film."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.kit import SHORT, ServerProcess, in_the_middle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
FILM_S = 240_000
LONGER = SHORT + "".join(
    f' The fox of hill {n} looked up and sang. "Come back, number {n}!" cried Mira.' for n in range(4)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("page") / "data") as running:
        yield running


@pytest.fixture
def phone(chromium: Browser, server: ServerProcess) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(15_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(server.url)
    yield page
    context.close()
    assert wrong == []


def test_a_pasted_story_becomes_a_film_that_plays(phone: Page, tmp_path: Path) -> None:
    assert phone.title() == "Video Story"
    phone.screenshot(path=tmp_path / "home.png", full_page=True)
    phone.get_by_label("Tell a story").fill(SHORT)
    assert "words" in phone.locator("#count").inner_text()
    # From the start, so that a quick machine's progress is not missed.
    phone.evaluate("window.seen = []; setInterval(() => seen.push(document.querySelector('#bar')?.value ?? 0), 50)")
    phone.get_by_role("button", name="Make the film").tap()
    phone.wait_for_url("**/#/film/*")
    phone.get_by_role("heading", name="The Lost Bell").wait_for()
    phone.screenshot(path=tmp_path / "making.png", full_page=True)
    phone.locator("#player").wait_for(state="visible", timeout=FILM_S)
    seen = phone.evaluate("window.seen")
    assert len({value for value in seen if 0 < value < 100}) > 1, "the progress moved"
    assert seen == sorted(seen), "and never back"
    assert phone.locator("#steps li.done").count() >= 10
    plays(phone)
    phone.screenshot(path=tmp_path / "film.png", full_page=True)
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download").tap()
    assert download.value.suggested_filename == "The Lost Bell.mp4"
    assert download.value.path().read_bytes()[4:8] == b"ftyp"


def test_choices_about_the_film_go_along_with_the_story(phone: Page, server: ServerProcess, tmp_path: Path) -> None:
    phone.get_by_label("Tell a story").fill(LONGER)
    phone.get_by_text("More choices").tap()
    for name in ("Captions in the picture", "Title at the beginning", "Quiet music", "Draft"):
        phone.get_by_label(name).tap()
    boxes = phone.evaluate(
        "[...document.querySelectorAll('.choices label')].map((one) => one.getBoundingClientRect().height)"
    )
    assert min(boxes) >= 44
    phone.screenshot(path=tmp_path / "choices.png", full_page=True)
    phone.get_by_role("button", name="Make the film").tap()
    phone.wait_for_url("**/#/film/*")
    film = int(phone.url.rsplit("/", 1)[1])
    made = server.get(f"/api/projects/{film}").json
    server.ask("DELETE", f"/api/projects/{film}")
    assert (made["captions"], made["title_card"], made["end_card"]) == ("burned", True, False)
    assert (made["fades"], made["quality"], made["sound_bed"]) == (True, "draft", "off")


def until(page: Page, truth: str) -> None:
    """Asks again and again: the page's own policy forbids the evaluation that wait_for_function needs."""
    deadline = time.monotonic() + FILM_S / 1000
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"never true: {truth}"
        page.wait_for_timeout(100)


def plays(page: Page) -> None:
    """The sound and the picture run, and the captions are there."""
    page.evaluate("document.querySelector('#player').play()")
    until(
        page,
        "(({ readyState, currentTime }) => readyState >= 3 && currentTime > 0.5)(document.querySelector('#player'))",
    )
    assert page.evaluate("document.querySelector('#player').videoWidth") == 1280
    page.evaluate("document.querySelector('#player').textTracks[0].mode = 'showing'")
    until(page, "(document.querySelector('#player').textTracks[0].cues || []).length > 0")


def test_a_reload_and_a_restart_in_the_middle_lose_nothing(chromium: Browser, tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        port = int(server.url.rsplit(":", 1)[1])
        film = server.new_film(LONGER)
        context = chromium.new_context(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(f"{server.url}/#/film/{film}")
        server.until(film, in_the_middle)
        page.reload()
        page.locator("#steps li.busy").first.wait_for()
        page.screenshot(path=tmp_path / "desk.png", full_page=True)
        server.kill_group()
        page.locator("#offline").wait_for(state="visible")
        assert "does not answer" in page.locator("#offline").inner_text()
        with ServerProcess(tmp_path / "data", port=port):
            page.locator("#offline").wait_for(state="hidden", timeout=60_000)
            page.locator("#player").wait_for(state="visible", timeout=FILM_S)
            plays(page)
        context.close()


def test_what_is_wrong_is_said_and_the_text_is_kept(phone: Page) -> None:
    story = phone.get_by_label("Tell a story")
    phone.get_by_role("button", name="Make the film").tap()
    assert "The story is empty." in phone.get_by_role("alert").first.inner_text()
    story.fill("… ?!")
    phone.get_by_role("button", name="Make the film").tap()
    phone.get_by_text("The story has no words").wait_for()
    phone.reload()
    assert story.input_value() == "… ?!"
    phone.goto(phone.url.split("#")[0] + "#/film/99999")
    phone.get_by_text("There is no such film").wait_for()


def test_pause_resume_and_cancel_by_hand(phone: Page, server: ServerProcess) -> None:
    film = server.new_film(LONGER)
    phone.goto(f"{server.url}/#/film/{film}")
    phone.get_by_role("button", name="Pause").tap()
    phone.get_by_role("button", name="Go on").tap()
    phone.get_by_role("button", name="Pause").wait_for()
    phone.on("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Cancel").tap()
    phone.get_by_role("button", name="Try again").wait_for()
    assert server.status(film)["state"] == "cancelled"
    phone.get_by_role("button", name="Delete this film").tap()
    phone.wait_for_url("**/#/")
    assert server.get(f"/api/projects/{film}").status == 404


def test_everything_to_touch_is_large_enough(phone: Page, server: ServerProcess) -> None:
    film = server.new_film(LONGER)
    small = """[...document.querySelectorAll('a, button, summary, textarea, .aspects label')]
        .filter((one) => one.offsetParent && !one.closest('details:not([open]) > :not(summary)'))
        .map((one) => [one.textContent.trim().slice(0, 20), one.getBoundingClientRect()])
        .filter(([, box]) => box.height < 44 || box.width < 44).map(([name]) => name)"""
    phone.locator("#films li").first.wait_for()
    assert phone.evaluate(small) == []
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.goto(f"{server.url}/#/film/{film}")
    phone.get_by_role("button", name="Cancel").wait_for()
    assert phone.evaluate(small) == []
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    server.ask("DELETE", f"/api/projects/{film}")
