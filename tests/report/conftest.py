"""The report in a headless Chromium: its time is the test's, and it must ask for nothing."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from aquila_cassette.cli.report import load_files
from aquila_cassette.report.page import ReportFile, render_page
from tests.cli.conftest import _own_folder, cli, lay

__all__ = ["_own_folder", "cli", "lay"]

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:  # test_page.py says so, once
    collect_ignore = ["test_browsing.py", "test_hostile.py", "test_playing.py"]
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ABOUT = {"place": "cassettes", "made": round(NOW.timestamp() * 1000), "by": "aquila-cassette 1"}

Show = Callable[..., Page]


# While Playwright's synchronous API is at work in a thread, no other event loop can run there: so
# the browser ends with the tests of this folder.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1200, "height": 800}, color_scheme="light", reduced_motion="reduce"
    )
    yield context
    context.close()


@pytest.fixture
def show(context: BrowserContext) -> Iterator[Show]:
    """Open the report of the cassettes in a folder; no page may fail, complain or ask for more."""
    asked: list[str] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))

    context.on("page", watch)

    def show(
        link: str = "",
        place: str = "cassettes",
        found: Iterable[ReportFile] | None = None,
    ) -> Page:
        there = load_files(Path(place), Path(place)) if found is None else found
        Path("report.html").write_bytes(b"".join(render_page(there, about=ABOUT)))
        page = context.new_page()
        page.clock.install(time=NOW - timedelta(minutes=1))
        page.clock.pause_at(NOW)  # from now on its time is what the test lets pass
        page.goto(Path("report.html").absolute().as_uri() + link)
        return page

    yield show
    assert complaints == []
    assert {url.partition("#")[0] for url in asked} <= {Path("report.html").absolute().as_uri()}


def texts(page: Page, selector: str) -> list[Any]:
    """The text of each element that is seen."""
    return [one.inner_text() for one in page.locator(selector).all() if one.is_visible()]
