"""tornado's own HTTP client: what it alone has, callbacks."""

from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from aquila_cassette import TruncatedReplayError, UnsupportedError, aquila_cassette
from tests.http.cassettes import kept, recorded
from tests.servers import FRAMES, sends


async def fetch(url: str, callback: Any = None, **options: Any) -> bytes:
    client = AsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(HTTPRequest(url, streaming_callback=callback, **options))
        return answer.body
    finally:
        client.close()


async def test_a_body_that_is_produced_while_it_is_sent_is_refused() -> None:
    with aquila_cassette("ends"), pytest.raises(UnsupportedError, match="is produced while it is"):
        await fetch("http://127.0.0.1:1", method="POST", body_producer=print)


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
