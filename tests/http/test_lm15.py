"""lm15 (dspy has a copy of it): its own errors, its pool, and its users' calls."""

from typing import Any

import lm15
import pytest
from lm15.providers.async_base import AsyncOpenAIChatLM
from lm15.transports import StdlibAsyncTransport, StdlibTransport, TransportRequest

from aquila_cassette import MissError, aquila_cassette
from tests.servers import CHAT_FRAMES, FRAMES, RawServer, sends


async def read(url: str, *, sync: bool) -> tuple[Any, bytes]:
    """Return a response, and its body, of a transport whose connection goes back to its pool."""
    request = TransportRequest("GET", url)
    response: Any
    transport: Any
    if sync:
        with StdlibTransport() as transport:
            for _ in range(2):
                with transport.stream(request) as response:
                    body = response.read()
    else:
        async with StdlibAsyncTransport() as transport:
            for _ in range(2):
                response = await transport.stream(request)
                body = await response.read()
    assert transport.pool_stats()["in_use"] == 0
    return response, body


@pytest.mark.parametrize("sync", [True, False])
async def test_a_response_replays_with_what_real_ones_carry(sync: bool) -> None:
    with RawServer(sends(FRAMES)) as server:
        with aquila_cassette("lm15"):
            live, body = await read(server.url, sync=sync)
        assert server.connections == 1
    with aquila_cassette("lm15", mode="none"):
        again, body_again = await read(server.url, sync=sync)
    assert body == body_again == b"".join(FRAMES)
    assert (again.status, again.reason) == (live.status, "Scripted")
    assert again.header("Content-Type") == live.header("Content-Type") == "text/event-stream"


async def test_its_users_stream_and_a_miss_comes_out_as_it_is() -> None:
    def question(prompt: str = "Say hello") -> lm15.Request:
        return lm15.Request(model="gpt-4o-mini", messages=(lm15.Message.user(prompt),))

    with RawServer(sends(CHAT_FRAMES)) as server:
        url = server.url
        with aquila_cassette("lm15"):
            live = list(lm15.OpenAIChatLM(api_key="k", base_url=url).stream(question()))
    assert "".join(getattr(getattr(one, "delta", None), "text", "") for one in live)
    with aquila_cassette("lm15", mode="none"):
        sync = lm15.OpenAIChatLM(api_key="k", base_url=url)
        assert list(sync.stream(question())) == live
    asynchronous = AsyncOpenAIChatLM(api_key="k", base_url=url)
    with pytest.raises(MissError, match="No interaction matches"):
        with aquila_cassette("lm15", mode="none", on_unplayed="ignore") as cassette:
            await asynchronous.complete(question("Say goodbye"))
    assert len(cassette.misses) == 1
