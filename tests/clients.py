"""httpx and httpx2, sync and async, behind one face: a test says once what all four must do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest

__all__ = ["FACES", "Face", "Reply", "as_async"]


class Reply:
    """A response as a test reads it: its head, and its pieces one at a time."""

    def __init__(self, response: Any, pieces: AsyncIterator[bytes]) -> None:
        self.response = response
        self._pieces = pieces

    @property
    def status(self) -> int:
        status: int = self.response.status_code
        return status

    async def piece(self) -> bytes:
        """Read the next piece; StopAsyncIteration at the end."""
        return await anext(self._pieces)

    async def pieces(self) -> list[bytes]:
        """Read all that are left."""
        return [piece async for piece in self._pieces]


class Face:
    """One of the four ways to send a request."""

    def __init__(self, lib: Any, *, sync: bool) -> None:
        self.lib = lib
        self.sync = sync

    def __repr__(self) -> str:
        return f"{self.lib.__name__}-{'sync' if self.sync else 'async'}"

    def client(self, **options: Any) -> Any:
        """Make a client of this kind; without the certificates, whose loading takes 50 ms."""
        options.setdefault("verify", False)
        return (self.lib.Client if self.sync else self.lib.AsyncClient)(**options)

    @contextlib.asynccontextmanager
    async def stream(self, url: str, *, client: Any = None, **request: Any) -> AsyncIterator[Reply]:
        """Open a streamed POST (GET without a json body) and read its raw pieces."""
        method = request.pop("method", "POST" if "json" in request else "GET")
        async with contextlib.AsyncExitStack() as stack:
            if self.sync:
                used = client or stack.enter_context(self.client())
                response = stack.enter_context(used.stream(method, url, **request))
                yield Reply(response, as_async(response.iter_raw()))
            else:
                used = client or await stack.enter_async_context(self.client())
                response = await stack.enter_async_context(used.stream(method, url, **request))
                yield Reply(response, response.aiter_raw())

    async def request(self, method: str, url: str, **request: Any) -> Any:
        """Send an unstreamed request with a client of its own."""
        if self.sync:
            with self.client() as client:
                return client.request(method, url, **request)
        async with self.client() as client:
            return await client.request(method, url, **request)

    async def pieces(self, url: str, **request: Any) -> list[bytes]:
        """Open a stream and read all its raw pieces."""
        async with self.stream(url, **request) as reply:
            return await reply.pieces()


async def as_async(iterator: Any) -> AsyncIterator[bytes]:
    try:
        for piece in iterator:
            yield piece
    finally:
        iterator.close()


FACES = [Face(lib, sync=sync) for lib in (httpx, httpx2) for sync in (True, False)]
every_face = pytest.mark.parametrize("face", FACES, ids=repr)
