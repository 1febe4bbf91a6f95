"""tornado's own HTTP client: what it alone has, callbacks and bodies that are produced."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from aquila_cassette import TruncatedReplayError, aquila_cassette
from tests.http.cassettes import kept, recorded, same_again
from tests.servers import FRAMES, says_body, sends


async def fetch(url: str, callback: Any = None, **options: Any) -> bytes:
    client = AsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(HTTPRequest(url, streaming_callback=callback, **options))
        return answer.body
    finally:
        client.close()


async def test_a_body_that_is_produced_is_what_is_matched() -> None:
    async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b"made ")
        await write(b"here")

    _, body = await same_again(
        says_body, lambda url: fetch(url, method="POST", body_producer=produce)
    )
    assert body == kept().request.body == b"made here"


async def test_a_callback_that_raises_leaves_what_was_read() -> None:
    async def refused(url: str) -> None:
        def refuse(piece: bytes) -> None:
            raise LookupError(piece)

        with pytest.raises(HTTPStreamClosedError):
            await fetch(url, refuse)

    server, _ = await recorded(sends(FRAMES[:2]), refused)
    assert kept().response.body.startswith(FRAMES[0])
    assert kept().response.ended == "closed"
    with aquila_cassette("ends", mode="none"), pytest.raises(TruncatedReplayError):
        await fetch(server.url, lambda piece: None)
