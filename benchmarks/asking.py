"""Asking for streams and reading them, sync and async."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx

_HEADERS = {"content-type": "application/json", "authorization": "Bearer nobody"}
_PATH = "/v1/chat/completions"


class Read(NamedTuple):
    """What came: pieces, bytes, and the seconds to the first piece and to the end."""

    pieces: int
    size: int
    first: float
    whole: float


Ask = Callable[[list[bytes], bool], list[Read]]
"""Sends a request for each body and reads its answer; with True as it came off the wire."""


def ask_with(client: httpx.Client, url: str) -> Ask:
    """Make an `Ask` of a sync client."""

    def read(body: bytes, raw: bool) -> Read:
        pieces = size = 0
        first = 0.0
        started = time.perf_counter()
        with client.stream("POST", url + _PATH, content=body, headers=_HEADERS) as response:
            for piece in response.iter_raw() if raw else response.iter_bytes():
                if not pieces:
                    first = time.perf_counter() - started
                pieces += 1
                size += len(piece)
        return Read(pieces, size, first, time.perf_counter() - started)

    return lambda bodies, raw: [read(body, raw) for body in bodies]


def ask_with_async(client: httpx.AsyncClient, url: str, runner: asyncio.Runner) -> Ask:
    """Make an `Ask` of an async client."""

    async def read(body: bytes, raw: bool) -> Read:
        pieces = size = 0
        first = 0.0
        started = time.perf_counter()
        async with client.stream("POST", url + _PATH, content=body, headers=_HEADERS) as response:
            async for piece in response.aiter_raw() if raw else response.aiter_bytes():
                if not pieces:
                    first = time.perf_counter() - started
                pieces += 1
                size += len(piece)
        return Read(pieces, size, first, time.perf_counter() - started)

    async def read_all(bodies: list[bytes], raw: bool) -> list[Read]:
        return [await read(body, raw) for body in bodies]

    return lambda bodies, raw: runner.run(read_all(bodies, raw))
