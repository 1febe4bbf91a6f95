"""Our client, whose stream is let through event by event."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client, Error
from aquila_cassette.provider import Provider
from tests.client.talk import MODELS

each_loop = pytest.mark.parametrize("backend", ["asyncio", "trio"])
each_endpoint = pytest.mark.parametrize("endpoint", MODELS)


@each_loop
@each_endpoint
def test_our_client_gives_the_chunks_let_through_and_is_cancelled(
    endpoint: str, backend: str
) -> None:
    with Provider(gap=0) as provider:
        url = f"{provider.url}/v1" if endpoint in ("chat", "responses") else provider.url
        made: dict[str, Any] = {"base_url": url, "model": MODELS[endpoint], "endpoint": endpoint}
        with aquila_cassette("ours"), Client(**made) as client:
            client.ask("Say hello")

    async def main() -> list[Any]:
        async with aquila_cassette("ours", mode="none", hold=True) as cassette:
            async with AsyncClient(**made) as client:
                stream = client.stream("Say hello")
                while not stream.text:
                    await cassette.advance()
                first = stream.text
                while stream.text == first:
                    await cassette.advance()
                assert stream.text.startswith(first)
                assert not stream.done
                stream.cancel()
                return [event async for event in stream]

    events = anyio.run(main, backend=backend)
    assert isinstance(events[-1], Error)
    assert events[-1].kind == "cancelled"
