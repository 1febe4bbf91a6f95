"""WebSockets of Starlette's `TestClient`, recorded and replayed: all that follows from a message."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from aquila_cassette.api import Block
from aquila_cassette.client import AsyncClient, Chunk
from aquila_cassette.live import render_async, render_sync
from aquila_cassette.provider import Provider


def application(url: str) -> Starlette:
    async def chat(page: WebSocket) -> None:
        await page.accept()
        async for prompt in page.iter_text():
            async with AsyncClient(model="gpt-4o-mini", base_url=url, api_key="sk-own") as client:
                async for event in client.stream(prompt):
                    if isinstance(event, Chunk):
                        await page.send_text(event.text)
            await asyncio.sleep(0.01)
            await page.send_bytes(b"saved")

    return Starlette(routes=[WebSocketRoute("/", chat)])


def test_what_a_websocket_sends_in_answer_to_a_message_is_whole_from_the_first(
    aquila_cassette: Callable[..., Block], tmp_path: Path
) -> None:
    with Provider(gap=0.01) as provider:
        for mode in ("once", "none"):
            with (
                aquila_cassette("websocket", mode=mode, cassette_dir=tmp_path),
                TestClient(application(f"{provider.url}/v1")) as client,
                client.websocket_connect("/") as page,
            ):
                assert render_sync(page) == []
                for prompt in ("Say hello", "Say hello again"):
                    page.send_text(prompt)
                    *text, last = render_sync(page)
                    assert "".join(text).endswith("What shall we look at first?")
                    assert last == b"saved"


async def test_an_async_test_reads_a_websocket_too() -> None:
    async def greet(page: WebSocket) -> None:
        await page.accept()
        await page.send_text("Hello")

    app = Starlette(routes=[WebSocketRoute("/", greet)])
    with TestClient(app) as client, client.websocket_connect("/") as page:
        assert await render_async(page) == ["Hello"]
        with pytest.raises(IndexError):
            (await render_async(page))[0]
