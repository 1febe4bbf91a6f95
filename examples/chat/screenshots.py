"""Take the pictures of the chat: ``python -m examples.chat.screenshots`` writes into ``docs/img``.

What is said in them comes from a cassette that was written by hand; it is held back where a picture
shall show an answer that still grows.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, expect

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient
from examples.chat.browser import chromium
from examples.chat.server import Chat, serving

_HERE = Path(__file__).parent
_IMAGES = _HERE.parents[1] / "docs" / "img"
_BEFORE = (
    "What shall I pack for a week in Lofoten?",
    "A friendly reminder for an unpaid invoice",
    "Which constellation is Altair in?",
)
_QUESTION = "How do I test code that streams from a model?"
_EVENTS = 20  # up to the middle of the list at the end of the answer


async def main() -> None:
    """Take both pictures."""
    async with chromium() as browser:
        for scheme in ("light", "dark"):
            await _take(browser, scheme)


async def _take(browser: Browser, scheme: Literal["light", "dark"]) -> None:
    client = AsyncClient(model="gpt-4o-mini", base_url="http://127.0.0.1:8102/v1")
    async with (
        aquila_cassette(
            "screenshots",
            mode="none",
            cassette_dir=_HERE,
            hold=True,
            on_unplayed="ignore",
        ) as cassette,
        serving(Chat(lambda: client, where="gpt-4o-mini")) as url,
        await browser.new_page(
            viewport={"width": 1180, "height": 800}, color_scheme=scheme, device_scale_factor=2
        ) as page,
    ):
        await page.goto(url)
        for prompt in _BEFORE:
            await _ask(page, prompt)
            await cassette.advance(5)
            await expect(page.locator(".meta")).to_be_visible()
            await page.click("#new")
        await _ask(page, _QUESTION)
        await cassette.advance(_EVENTS)
        await expect(page.locator(".growing")).to_contain_text("A failure")
        await page.mouse.move(600, 650)  # away from the buttons, which show that it is over them
        picture = _IMAGES / f"chat-{scheme}.png"
        await page.screenshot(path=picture, animations="disabled", scale="device")
        print(picture)
        cassette.release()


async def _ask(page: Page, prompt: str) -> None:
    await page.fill("#prompt", prompt)
    await page.press("#prompt", "Enter")
    await expect(page.locator("#stop")).to_be_visible()


if __name__ == "__main__":
    asyncio.run(main())
