"""aiohttp as these tests use it: a stream's pieces, and every way to read a body."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp


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


async def _all(parts: AsyncIterator[Any]) -> list[Any]:
    # A chunk's end that comes late makes an empty chunk, as it always did.
    return [part async for part in parts if part != (b"", True)]


async def _until_empty(read: Callable[[], Awaitable[bytes]]) -> list[bytes]:
    found = []
    while piece := await read():
        found.append(piece)
    return found


async def _readline(response: aiohttp.ClientResponse) -> list[Any]:
    lines = []
    while not response.content.at_eof():
        if line := await response.content.readline():  # none where the end comes by itself
            lines.append(line)
    return lines


async def _read(response: aiohttp.ClientResponse) -> list[Any]:
    return [await response.read(), await response.text()]


async def _read_nowait(response: aiohttp.ClientResponse) -> list[Any]:
    await response.content.wait_eof()
    return [response.content.read_nowait()]


READS: dict[str, Callable[[aiohttp.ClientResponse], Awaitable[list[Any]]]] = {
    "async for": lambda response: _all(aiter(response.content)),
    "iter_any": lambda response: _all(aiter(response.content.iter_any())),
    "iter_chunks": lambda response: _all(aiter(response.content.iter_chunks())),
    "readuntil": lambda response: _until_empty(lambda: response.content.readuntil(b"\n\n")),
    "readline": _readline,
    "read": _read,
    "read_nowait": _read_nowait,
}
"""Ways to read a body, each with what it gives."""
