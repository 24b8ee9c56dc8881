"""Fixtures that every room's tests share. Nothing here reads or writes outside the test's own folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from pipeline.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


# No deadline: how long an example takes says more about the machine than about the code. The same examples on every
# run of CI, so that it is red only for a reason in the change; new ones at every other run.
hypothesis.settings.register_profile("here", deadline=None, max_examples=60)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("here"), derandomize=True)
# `make mutants` asks only whether an example fails, not for the smallest one.
hypothesis.settings.register_profile(
    "mutants",
    parent=hypothesis.settings.get_profile("ci"),
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True, scope="session")
def _nothing_from_outside() -> Iterator[None]:
    """A developer's keys and addresses, in the environment or in `.env`, reach no test and no process of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENV_FILE", os.devnull)
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data folder of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run. Fails, never skips, where there is none (`make browser`)."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import FLAGS, find_or_install

    program = find_or_install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page in a fresh profile, sized as a laptop's window; waits at most ten seconds for anything."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()
