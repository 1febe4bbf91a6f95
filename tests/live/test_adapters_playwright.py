"""A page in headless chromium through its adapter, in both of Playwright's APIs."""

import functools
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright import async_api, sync_api

from aquila_cassette.live.adapter import adapter_for
from examples.chat.browser import EXECUTABLE, chromium

pytestmark = pytest.mark.skipif(not Path(EXECUTABLE).exists(), reason=f"there is no {EXECUTABLE}")

GROWS = """<!doctype html><title>Grows</title><p id="said"></p>
<script>
  // The text grows by a word a frame, as a page does that draws what it was told step by step.
  function grow(words) {
    if (!words.length) return;
    document.querySelector("#said").append(words[0] + " ");
    requestAnimationFrame(() => grow(words.slice(1)));
  }
</script>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(GROWS, "utf-8")
    (folder / "next.html").write_text("<!doctype html><p>the next page</p>", "utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
async def page(site: str) -> AsyncIterator[async_api.Page]:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{site}/index.html")
        yield page


@pytest.fixture
def sync_page(site: str) -> Iterator[sync_api.Page]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{site}/index.html")
        yield page
        browser.close()


WORDS = " ".join(f"word{number}" for number in range(30))
GROW = f"void grow({WORDS.split()!r})"


async def test_an_async_page_settles_when_its_document_stays_as_it_is(
    page: async_api.Page, site: str
) -> None:
    adapter = adapter_for(page)
    assert adapter.pending() == ()
    await page.evaluate(GROW)
    await adapter.settle()
    assert f'<p id="said">{WORDS} </p>' in await adapter.render()
    await page.evaluate("setInterval(() => document.body.append('.'), 1)")
    await page.evaluate(f"void setTimeout(() => {{ location = '{site}/next.html' }}, 50)")
    await adapter.settle()
    assert "the next page" in await adapter.render()


def test_a_sync_page_settles_without_a_loop(sync_page: sync_api.Page, site: str) -> None:
    adapter = adapter_for(sync_page)
    sync_page.evaluate(GROW)
    adapter.settle_sync()
    assert f'<p id="said">{WORDS} </p>' in adapter.render_sync()
    sync_page.evaluate("void setInterval(() => document.body.append('.'), 1)")
    sync_page.evaluate(f"void setTimeout(() => {{ location = '{site}/next.html' }}, 50)")
    adapter.settle_sync()
    assert "the next page" in adapter.render_sync()
