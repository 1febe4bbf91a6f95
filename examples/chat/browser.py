"""A headless Chromium, for the tests of the page and for its pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

__all__ = ["EXECUTABLE", "chromium"]

EXECUTABLE = "/usr/bin/chromium"
"""Debian's package of this name."""

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser for the time of a block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=EXECUTABLE, args=[*_ARGUMENTS], headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()
