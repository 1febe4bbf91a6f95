"""The chat's page in a headless Chromium, on recordings that are held back and let go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from aquila_cassette.client import AsyncClient
from examples.chat.browser import EXECUTABLE, chromium
from examples.chat.server import Chat, serving
from tests.examples.conftest import HELLO, Open

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(EXECUTABLE).exists(), reason=f"there is no {EXECUTABLE}"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(chat_provider: str) -> AsyncIterator[str]:
    def client() -> AsyncClient:
        return AsyncClient(model="gpt-4o-mini", base_url=f"{chat_provider}/v1", api_key="sk-own")

    async with serving(Chat(client)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, address: str) -> AsyncIterator[Page]:
    complaints: list[str] = []
    async with await browser.new_page(viewport={"width": 1000, "height": 700}) as page:
        page.set_default_timeout(5_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(address)
        yield page
    assert complaints == []


def _answer(page: Page) -> Locator:
    return page.get_by_role("article").nth(1).locator(".text")


def _prompt(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your message")


async def _ask(page: Page, prompt: str) -> None:
    await _prompt(page).fill(prompt)
    await _prompt(page).press("Enter")
    await expect(page.get_by_role("article").first).to_be_visible()


async def test_the_page_shows_what_three_events_have_brought_and_tells_the_answer_once_it_is_whole(
    held: Open, page: Page, tmp_path: Path
) -> None:
    article, told = page.get_by_role("article").nth(1), page.locator("#told")
    async with held("chat_live.responds") as cassette:
        await _ask(page, "Say hello")
        await expect(_answer(page)).to_have_text("The answer is on its way")

        await cassette.advance(3)
        await expect(_answer(page)).to_have_text("Hello!")
        three = await page.screenshot(animations="disabled", path=tmp_path / "three.png")
        assert three == await page.screenshot(animations="disabled")
        await expect(article).to_have_attribute("aria-busy", "true")
        await expect(told).to_have_text("")

        await cassette.advance(1)
        await expect(_answer(page)).to_have_text("Hello! I")
        assert three != await page.screenshot(animations="disabled")

        cassette.release()
        await expect(_answer(page)).to_have_text(HELLO)
        await expect(told).to_have_text(HELLO)
        await expect(article).not_to_have_attribute("aria-busy", "true")
        await expect(page.locator("article .meta")).to_have_text("gpt-4o-mini · 15 tokens")


async def test_an_answer_is_stopped_in_the_middle_and_tried_again(held: Open, page: Page) -> None:
    async with held("chat_live.responds", repeats=True) as cassette:
        await _ask(page, "Say hello")
        await cassette.advance(3)
        await expect(_answer(page)).to_have_text("Hello!")
        await page.get_by_role("button", name="Stop the answer").click()
        await expect(_answer(page)).to_have_text("Hello!You stopped this answer.Try again")
        await expect(page.get_by_role("alert")).to_have_count(0)
        await expect(_prompt(page)).to_be_focused()

        await page.get_by_role("button", name="Try again").click()
        cassette.release()
        await expect(_answer(page)).to_have_text(HELLO)


async def test_a_server_that_ends_lets_its_pages_go_and_they_say_so(browser: Browser) -> None:
    async with await browser.new_page() as page:
        lost = page.get_by_text("The server is out of reach.")
        async with serving(Chat(AsyncClient)) as url:
            await page.goto(url)
            await expect(page.get_by_role("heading", level=1)).to_have_text("New chat")
            await expect(lost).to_be_hidden()
        await expect(lost).to_be_visible()
