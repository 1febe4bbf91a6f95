"""The chat's server: what goes over the wire, without a browser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from aquila_cassette.client import AsyncClient
from aquila_cassette.provider import Provider
from examples.chat.server import Chat, serving


@asynccontextmanager
async def _chat(*, most: int = 100) -> AsyncIterator[httpx.AsyncClient]:
    with Provider(gap=0) as provider:
        chat = Chat(
            lambda: AsyncClient(model="gpt-4o-mini", base_url=f"{provider.url}/v1"),
            where="<here>",
            most=most,
        )
        async with serving(chat) as url, httpx.AsyncClient(base_url=url, verify=False) as http:
            yield http


class _Page:
    """What a page knows: it takes each update as page.js does."""

    def __init__(self, http: httpx.AsyncClient, view: str) -> None:
        self._http = http
        self._url = f"/live/{view}"
        self.parts: dict[str, str] = {}
        self.fresh: list[str] = []

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        async with self._http.stream("GET", self._url, timeout=10) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            self._lines = response.aiter_lines()
            await self.update()
            yield

    async def update(self) -> None:
        async for line in self._lines:
            if line.startswith("data: "):
                update = json.loads(line.removeprefix("data: "))
                known = {**self.parts, **update["parts"]}
                self.fresh = [*update["parts"]]
                self.parts = {id_: known[id_] for id_ in update["ids"]}
                return
        pytest.fail("The updates ended.")

    async def until(self, id_: str, text: str) -> None:
        while text not in self.parts.get(id_, ""):
            await self.update()

    async def do(self, name: str, **params: str) -> int:
        return await _post(self._http, self._url, {"name": name, "params": params})


async def _post(http: httpx.AsyncClient, url: str, event: Any) -> int:
    return (await http.post(url, json=event)).status_code


async def test_the_page_names_a_view_that_nobody_can_guess_and_shows_where_it_is_answered() -> None:
    async with _chat() as http:
        pages = [await http.get("/") for _ in range(2)]
        for name in ("server.py", "page.html", "..%2F__init__.py", "nothing"):
            assert (await http.get(f"/{name}")).status_code == 404
        assert await _post(http, "/live/nobody", {"name": "new", "params": {}}) == 404
    views = {page.text.split('data-view="')[1].split('"')[0] for page in pages}
    assert len(views) == 2
    assert all(len(view) >= 22 for view in views)
    assert "&lt;here&gt;" in pages[0].text
    assert pages[0].headers["content-security-policy"].startswith("default-src 'self';")


async def test_an_event_of_another_shape_is_refused() -> None:
    async with _chat() as http, _Page(http, "a").shown():
        for event in (1, {"name": 1, "params": {}}, {"name": "new", "params": []}):
            assert await _post(http, "/live/a", event) == 400
        assert (await http.post("/live/a", content=b"{")).status_code == 400


async def test_only_the_parts_that_changed_are_sent() -> None:
    async with _chat() as http:
        page = _Page(http, "a")
        async with page.shown():
            assert [*page.parts] == ["list", "title", "empty", "buttons"]
            await page.do("send", prompt="Say hello")
            await page.until("c1-1", "gpt-4o-mini")
            assert [*page.parts] == ["list", "title", "c1-0", "c1-1", "buttons"]
            await page.do("send", prompt="And now tell me about streams")
            await page.until("c1-3", "gpt-4o-mini")
            assert not {"title", "c1-0", "c1-1"} & {*page.fresh}


async def test_the_view_that_was_longest_not_looked_at_is_forgotten() -> None:
    async with _chat(most=1) as http:
        watched = _Page(http, "watched")
        async with watched.shown():
            async with _Page(http, "left").shown():
                pass
            assert await _Page(http, "left").do("new") == 204
            async with _Page(http, "next").shown():
                assert await _Page(http, "left").do("new") == 404
                assert await watched.do("new") == 204
