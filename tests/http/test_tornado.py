"""tornado's own HTTP client: what it alone has, callbacks and bodies that are produced."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from aquila_cassette import TruncatedReplayError, aquila_cassette
from tests.servers import FRAMES, RawServer, says_body, sends


async def fetch(url: str, callback: Any = None, **options: Any) -> Any:
    client = AsyncHTTPClient(force_instance=True)
    try:
        return await client.fetch(HTTPRequest(url, streaming_callback=callback, **options))
    finally:
        client.close()


async def test_a_body_that_is_produced_is_what_is_matched() -> None:
    async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b"made ")
        await write(b"here")

    with RawServer(says_body) as server:
        for mode in ("once", "none"):
            async with aquila_cassette("tornado", mode=mode) as cassette:
                response = await fetch(server.url, method="POST", body_producer=produce)
            assert response.body == cassette.interactions[0].request.body == b"made here"


async def test_a_callback_that_raises_leaves_what_was_read() -> None:
    def refuse(piece: bytes) -> None:
        raise LookupError(piece)

    with RawServer(sends(FRAMES[:2])) as server:
        async with aquila_cassette("tornado") as cassette:
            with pytest.raises(HTTPStreamClosedError):
                await fetch(server.url, refuse)
        response = cassette.recorded[0].response
        assert response.body.startswith(FRAMES[0])
        assert response.ended == "closed"
    async with aquila_cassette("tornado", mode="none"):
        with pytest.raises(TruncatedReplayError):
            await fetch(server.url, lambda piece: None)
