"""The chat's server: what goes over the wire, without a browser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from aquila_cassette.client import AsyncClient
from aquila_cassette.provider import Provider
from examples.chat.server import Chat, serving


@asynccontextmanager
async def _chat() -> AsyncIterator[httpx.AsyncClient]:
    with Provider(gap=0) as provider:
        base_url = f"{provider.url}/v1"
        chat = Chat(lambda: AsyncClient(model="gpt-4o-mini", base_url=base_url), where="<here>")
        async with serving(chat) as url, httpx.AsyncClient(base_url=url, verify=False) as http:
            yield http


async def _post(http: httpx.AsyncClient, view: str, event: Any) -> int:
    return (await http.post(f"/live/{view}", json=event)).status_code


async def test_the_page_names_a_view_that_nobody_can_guess_and_shows_where_it_is_answered() -> None:
    async with _chat() as http:
        pages = [await http.get("/") for _ in range(2)]
        for name in ("server.py", "page.html", "..%2F__init__.py", "nothing"):
            assert (await http.get(f"/{name}")).status_code == 404
        assert await _post(http, "nobody", {"name": "new", "params": {}}) == 404
    views = {page.text.split('data-view="')[1].split('"')[0] for page in pages}
    assert len(views) == 2
    assert all(len(view) >= 22 for view in views)
    assert "&lt;here&gt;" in pages[0].text
    assert pages[0].headers["content-security-policy"].startswith("default-src 'self';")


async def test_only_the_parts_that_changed_are_sent_and_odd_events_are_refused() -> None:
    async with _chat() as http, http.stream("GET", "/live/a", timeout=10) as response:
        lines = (line async for line in response.aiter_lines() if line.startswith("data: "))

        async def update() -> dict[str, Any]:
            sent: dict[str, Any] = json.loads((await anext(lines)).removeprefix("data: "))
            return sent["parts"]

        assert [*await update()] == ["list", "title", "empty", "buttons"]
        for event in (1, {"name": 1, "params": {}}, {"name": "new", "params": []}):
            assert await _post(http, "a", event) == 400
        assert (await http.post("/live/a", content=b"{")).status_code == 400
        await _post(http, "a", {"name": "send", "params": {"prompt": "Say hello"}})
        while "gpt-4o-mini" not in (parts := await update()).get("c1-1", ""):
            pass
        assert "c1-0" not in parts
