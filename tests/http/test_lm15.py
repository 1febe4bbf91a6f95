"""lm15 (dspy has a copy of it): its pool, and its users' calls."""

from typing import Any

import lm15
import pytest
from lm15.providers.async_base import AsyncOpenAIChatLM
from lm15.transports import StdlibAsyncTransport, StdlibTransport, TransportRequest

from aquila_cassette import MissError, aquila_cassette
from tests.http.cassettes import same_again
from tests.servers import FRAMES, chat, sends


@pytest.mark.parametrize("make", [StdlibTransport, StdlibAsyncTransport])
async def test_a_response_gives_its_connection_back_to_the_pool(make: Any) -> None:
    async def read(url: str) -> list[Any]:
        transport, found = make(), []
        for _ in range(2):
            response = transport.stream(TransportRequest("GET", url))
            if make is StdlibTransport:
                with response as response:
                    body = response.read()
            else:
                response = await response
                body = await response.read()
            found.append((body, response.status, response.reason, response.header("Content-Type")))
        assert transport.pool_stats()["in_use"] == 0
        closed = transport.close() if make is StdlibTransport else await transport.aclose()
        assert closed is None
        return found

    server, live = await same_again(sends(FRAMES), read)
    assert live[0] == (b"".join(FRAMES), 200, "Scripted", "text/event-stream")
    assert server.connections == 1


async def test_its_users_stream_and_a_miss_comes_out_as_it_is() -> None:
    def question(prompt: str) -> lm15.Request:
        return lm15.Request(model="gpt-4o-mini", messages=(lm15.Message.user(prompt),))

    def stream(url: str) -> list[Any]:
        model = lm15.OpenAIChatLM(api_key="k", base_url=url)
        return list(model.stream(question("Say hello")))

    server, live = await same_again(chat, stream)
    assert "".join(getattr(getattr(one, "delta", None), "text", "") for one in live)
    asynchronous = AsyncOpenAIChatLM(api_key="k", base_url=server.url)
    with pytest.raises(MissError, match="No interaction matches"):
        with aquila_cassette("ends", mode="none", on_unplayed="ignore") as cassette:
            await asynchronous.complete(question("Say goodbye"))
    assert len(cassette.misses) == 1
