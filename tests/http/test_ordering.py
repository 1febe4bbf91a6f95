"""A stream that others' requests feed: each event comes again after the request that it followed."""

import asyncio
import threading
import time

import httpx
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.session import ordering
from tests.http.cassettes import recorded, same_again
from tests.servers import Connection, RawServer, Request


class Bus:
    """Sends on ``/events`` what is posted, as MCP's SSE transport does."""

    def __init__(self) -> None:
        self.posted = [threading.Event() for _ in range(3)]

    def __call__(self, connection: Connection, request: Request) -> None:
        if request.method == "POST":
            connection.head(202, {"content-type": "text/plain"}, length=0)
            connection.end()
            self.posted[int(request.body)].set()
            return
        connection.head(200)
        connection.piece(b"event: endpoint\ndata: /post\n\n")
        for number, posted in enumerate(self.posted):
            connection.wait(posted)
            connection.piece(b"data: %d\n\n" % number)
        connection.end()


async def talk(url: str, *, posts: int = 3) -> list[str]:
    """Post a number once the answer to the one before has come; tell what happened."""
    seen: list[str] = []
    async with httpx.AsyncClient() as client, client.stream("GET", f"{url}/events") as stream:
        lines = (line async for line in stream.aiter_lines() if line.startswith("data"))
        async with asyncio.TaskGroup() as tasks:

            async def read() -> None:
                async for line in lines:
                    seen.append(line)

            seen.append(await anext(lines))
            reading = tasks.create_task(read())
            for number in range(posts):
                seen.append(f"post {number}")
                await client.post(f"{url}/post", content=str(number))
                for _ in range(1000):  # the application does something else meanwhile
                    await asyncio.sleep(0)
                while f"data: {number}" not in seen and not reading.done():
                    await asyncio.sleep(0.001)
    return seen


async def test_an_event_waits_for_the_request_that_it_came_after() -> None:
    _, live = await same_again(Bus(), talk)
    assert live == ["data: /post", *(f"{what} {n}" for n in range(3) for what in ("post", "data:"))]


async def test_a_stream_that_its_consumer_closed_stays_open_after_its_last_event() -> None:
    async def listen(url: str) -> list[str]:
        async with httpx.AsyncClient() as client, client.stream("GET", f"{url}/events") as stream:
            lines = (line async for line in stream.aiter_lines() if line)
            seen = [await anext(lines), await anext(lines)]
            reading = asyncio.ensure_future(anext(lines))
            await client.post(f"{url}/post", content="0")
            seen.append(await reading)
            more = asyncio.ensure_future(anext(lines))
            assert not (await asyncio.wait([more], timeout=0.1))[0]
            more.cancel()
        return seen

    bus = Bus()
    with RawServer(bus) as server:
        for mode in ("once", "none"):
            with aquila_cassette("open", mode=mode):
                assert await listen(server.url) == ["event: endpoint", "data: /post", "data: 0"]
        for posted in bus.posted:
            posted.set()


async def test_a_stream_that_said_nothing_ends_after_the_requests_that_it_outlived() -> None:
    """As MCP's standing stream: its client asks for another one as soon as it ends."""
    deleted = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200, length=None if request.method == "GET" else 0)
        if request.method == "GET":
            connection.wait(deleted)
        connection.end()
        if request.method == "DELETE":
            deleted.set()

    async def listen(url: str) -> None:
        async with httpx.AsyncClient() as client, client.stream("GET", url) as stream:
            ending = asyncio.ensure_future(stream.aread())
            await client.post(url)
            assert not (await asyncio.wait([ending], timeout=0.1))[0]
            await client.delete(url)
            assert await ending == b""

    await same_again(script, listen)


async def test_a_request_that_does_not_come_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, live = await recorded(Bus(), talk)
    monkeypatch.setattr(ordering, "LIMIT", 0.01)
    with aquila_cassette("ends", mode="none", on_unplayed="ignore"):
        assert set(await talk(server.url, posts=1)) == set(live) - {"post 1", "post 2"}


def test_concurrent_answers_of_models_wait_for_nobody() -> None:
    chunk = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(chunk)
        time.sleep(0.02)
        connection.piece(b"data: [DONE]\n\n")
        connection.end()

    async def ask_all(url: str) -> None:
        async with httpx.AsyncClient() as client:
            await asyncio.gather(*(client.post(url, json=n) for n in range(5)))

    with RawServer(script) as server:
        with aquila_cassette("models") as cassette:
            asyncio.run(ask_all(server.url))
    assert any("." in one.recorded_at for one in cassette.recorded)
    with aquila_cassette("models", mode="none"):
        began = time.perf_counter()
        for number in (4, 3, 2, 1, 0):
            httpx.post(server.url, json=number)
        assert time.perf_counter() - began < ordering.LIMIT
