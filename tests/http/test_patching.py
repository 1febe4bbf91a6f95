"""Instrumentation that wraps a library's methods before the first block: all stays as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers import RawServer, chat

PROGRAM = """
import asyncio, http.client, sys
import aiohttp, httpx, httpx2, requests, wrapt

seen = set()

def note(wrapped, instance, args, kwargs):
    seen.add((wrapped.__name__, type(instance).__name__))
    return wrapped(*args, **kwargs)

for cls, name in [
    (http.client.HTTPConnection, "putrequest"),
    (http.client.HTTPConnection, "putheader"),
    (http.client.HTTPConnection, "connect"),
    (http.client.HTTPConnection, "getresponse"),
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (aiohttp.BaseConnector, "connect"),
]:
    wrapt.wrap_function_wrapper(cls, name, note)

from aquila_cassette import aquila_cassette

async def by_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()

async def by_httpx(url):
    async with httpx.AsyncClient(verify=False) as client:
        return (await client.get(url)).content

def all_of(url):
    return [
        requests.get(url).content,
        httpx.get(url, verify=False).content,
        asyncio.run(by_aiohttp(url)),
        asyncio.run(by_httpx(url)),
    ]

url, folder = sys.argv[1:]
live = None
for mode in ("once", "none"):
    with aquila_cassette("wrapped", cassette_dir=folder, mode=mode, repeats=True) as cassette:
        got = all_of(url)
    assert live in (None, got), (live, got)
    live = got
    if mode == "once":
        assert len(cassette.recorded) == 4
        assert len(seen) >= 6, seen
assert all_of(url) == live
"""


def test_methods_that_wrapt_wrapped_before_the_first_block_still_get_their_instance(
    tmp_path: Path,
) -> None:
    with RawServer(chat) as server:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, str(tmp_path)], check=True, timeout=60
        )
