"""aiohttp as these tests use it: a stream's pieces, and every way to read a body."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from aquila_cassette import aquila_cassette

__all__ = ["JSON", "READS", "pieces", "replayed", "stream", "tape_of"]

JSON = {"prompt": "Say hello"}


@contextlib.asynccontextmanager
async def stream(
    url: str, *, session: aiohttp.ClientSession | None = None, **request: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Open a POST (GET without a body), with a session of its own unless one is given."""
    method = request.pop("method", "POST" if {"json", "data"} & request.keys() else "GET")
    async with contextlib.AsyncExitStack() as stack:
        used = session or await stack.enter_async_context(aiohttp.ClientSession())
        yield await stack.enter_async_context(used.request(method, url, **request))


async def pieces(url: str, **request: Any) -> list[bytes]:
    """Open a stream and read all its pieces."""
    async with stream(url, **request) as response:
        return [piece async for piece in response.content.iter_any()]


def tape_of(cassette: Any) -> str:
    """The text of a cassette's file."""
    return Path(cassette.path).read_text(encoding="utf-8")


async def replayed(url: str, **request: Any) -> tuple[bytes, BaseException | None]:
    """Read the replay to its end: its bytes, and what it ended in."""
    seen = b""
    with aquila_cassette("ends", mode="none"):
        try:
            async with stream(url, **{"json": JSON, **request}) as response:
                async for piece in response.content.iter_any():
                    seen += piece
        except Exception as error:
            return seen, error
        return seen, None


async def _lines(response: aiohttp.ClientResponse) -> list[Any]:
    return [line async for line in response.content]


async def _readlines(response: aiohttp.ClientResponse) -> list[Any]:
    lines = []
    while not response.content.at_eof():
        if line := await response.content.readline():  # none where the end comes by itself
            lines.append(line)
    return lines


async def _any(response: aiohttp.ClientResponse) -> list[Any]:
    return [piece async for piece in response.content.iter_any()]


async def _readany(response: aiohttp.ClientResponse) -> list[Any]:
    found = []
    while piece := await response.content.readany():
        found.append(piece)
    return found


async def _chunked(response: aiohttp.ClientResponse) -> list[Any]:
    return [part async for part in response.content.iter_chunked(10)]


async def _chunks(response: aiohttp.ClientResponse) -> list[Any]:
    # A chunk's end that comes late makes an empty one, as it always did.
    return [chunk async for chunk in response.content.iter_chunks() if chunk[0]]


async def _read(response: aiohttp.ClientResponse) -> list[Any]:
    return [await response.read(), await response.text()]


async def _exactly(response: aiohttp.ClientResponse) -> list[Any]:
    return [await response.content.readexactly(10), await response.content.read()]


async def _until(response: aiohttp.ClientResponse) -> list[Any]:
    found = []
    while frame := await response.content.readuntil(b"\n\n"):
        found.append(frame)
    return found


async def _nowait(response: aiohttp.ClientResponse) -> list[Any]:
    await response.content.wait_eof()
    return [response.content.read_nowait()]


READS: dict[str, Callable[[aiohttp.ClientResponse], Awaitable[list[Any]]]] = {
    "async for": _lines,
    "readline": _readlines,
    "iter_any": _any,
    "readany": _readany,
    "iter_chunked": _chunked,
    "iter_chunks": _chunks,
    "read": _read,
    "readexactly": _exactly,
    "readuntil": _until,
    "read_nowait": _nowait,
}
"""Ways to read a body, each with what it gives."""
