"""Draw the pictures of the report: the project's own cassettes and a few more, in a browser.

    python docs/img/report.py

Chromium is taken from /usr/bin/chromium, or from where CHROMIUM says.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from report_cassettes import lay

from aquila_cassette.cli import report

HERE = Path(__file__).parent
CASSETTES = HERE.parents[1] / "cassettes"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WIDTH, HEIGHT = 1280, 800


def picture(page: Page, address: str, name: str, *, play: int) -> None:
    """Show `address`, play it for so many ms, and keep what is seen."""
    page.emulate_media(color_scheme="light")
    page.goto(address)
    if play:
        page.keyboard.press("Space")
        page.clock.run_for(play)
    page.screenshot(path=str(HERE / f"report-{name}.png"), animations="disabled")


def main() -> None:
    """Draw it, beside this file."""
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        os.chdir(work)
        shutil.copytree(CASSETTES, "cassettes", ignore=shutil.ignore_patterns("textual_chat"))
        lay(Path("cassettes"))
        report.run()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.clock.install(time=NOW - timedelta(minutes=1))
        page.clock.pause_at(NOW)
        address = Path("report.html").absolute().as_uri()
        refund = f"{address}#support/refund.a_lost_parcel/2"
        picture(page, refund, "light", play=2000)
        browser.close()


if __name__ == "__main__":
    main()
