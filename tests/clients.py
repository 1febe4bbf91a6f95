"""Every HTTP library behind one interface: a test says once what all of them must do."""

import asyncio
import contextlib
import http.client
import json as json_module
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from lm15 import transports as lm15
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError


class Reply:
    """A response as a test reads it: its pieces one at a time."""

    def __init__(self, response: Any, pieces: AsyncIterator[bytes], status: Any = None) -> None:
        self.response = response
        self._status = status
        self._pieces = pieces

    @property
    def status(self) -> int:
        status: int = self._status or self.response.status_code
        return status

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        headers = self.response.headers
        pairs = headers if isinstance(headers, list) else headers.items()
        return {name.lower(): value for name, value in pairs}

    async def piece(self) -> bytes:
        """Read the next piece; StopAsyncIteration at the end."""
        return await anext(self._pieces)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the pieces that are left."""
        return self._pieces

    async def pieces(self) -> list[bytes]:
        """Read all that are left."""
        return [piece async for piece in self]


class Face:
    """httpx or httpx2, sync or async."""

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
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


FACES = [Face(lib, sync=sync) for lib in (httpx, httpx2) for sync in (True, False)]
every_face = pytest.mark.parametrize("face", FACES, ids=repr)

_HEADERS = {"content-type": "application/json"}

Open = Callable[[str, str, "bytes | None", float], AbstractAsyncContextManager[Reply]]


@dataclass(frozen=True)
class Library:
    """One of the ways to send a request, and what it raises: where a connection is refused, a read
    takes too long, the connection is reset in the body, or the body is cut short.
    """

    name: str
    open: Open
    refused: type[Exception]
    timeout: type[Exception]
    reset: type[Exception]
    cut: type[Exception]
    is_async: bool = False
    can_close: bool = True

    def __str__(self) -> str:
        return self.name

    def stream(
        self, url: str, *, json: object = None, timeout: float = 10
    ) -> AbstractAsyncContextManager[Reply]:
        """Open a POST of `json`, or a GET without, and read its pieces as they come."""
        body = None if json is None else json_module.dumps(json).encode()
        return self.open("GET" if body is None else "POST", url, body, timeout)

    async def pieces(self, url: str, **request: Any) -> list[bytes]:
        """Open a stream and read all its pieces."""
        async with self.stream(url, **request) as reply:
            return await reply.pieces()


def _blocking(
    open_: Callable[[str, str, bytes | None, float], AbstractContextManager[tuple[Any, Any, Any]]],
) -> Open:
    """Make an async context manager of a blocking one: response, status, pieces."""

    @contextlib.asynccontextmanager
    async def opened(
        method: str, url: str, body: bytes | None, wait: float
    ) -> AsyncIterator[Reply]:
        with open_(method, url, body, wait) as (response, status, pieces):
            yield Reply(response, as_async(pieces), status)

    return opened


def _httpx(face: Face) -> Open:
    @contextlib.asynccontextmanager
    async def opened(
        method: str, url: str, body: bytes | None, wait: float
    ) -> AsyncIterator[Reply]:
        options = {"method": method, "content": body, "timeout": face.lib.Timeout(10, read=wait)}
        async with face.stream(url, headers=_HEADERS, **options) as reply:
            yield reply

    return opened


@contextlib.contextmanager
def _requests(method: str, url: str, body: bytes | None, wait: float) -> Iterator[Any]:
    with (
        requests.Session() as session,
        session.request(
            method, url, headers=_HEADERS, data=body, stream=True, timeout=(10, wait)
        ) as response,
    ):
        yield response, response.status_code, response.iter_content(None)


@contextlib.contextmanager
def _urllib3(method: str, url: str, body: bytes | None, wait: float) -> Iterator[Any]:
    with urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=10, read=wait),
        retries=urllib3.Retry(3, connect=False, read=False),
    ) as pool:
        response = pool.request(method, url, headers=_HEADERS, body=body, preload_content=False)
        try:
            yield response, response.status, response.stream()
        finally:
            response.close()


@contextlib.contextmanager
def _urllib(method: str, url: str, body: bytes | None, wait: float) -> Iterator[Any]:
    request = urllib.request.Request(url, body, _HEADERS, method=method)
    try:
        opened = urllib.request.urlopen(request, timeout=wait)
    except urllib.error.HTTPError as error:
        opened = error  # it raises a response, which can be read like any other
    with opened as response:
        yield response, response.status, iter(response.read1, b"")


@contextlib.contextmanager
def _http_client(method: str, url: str, body: bytes | None, wait: float) -> Iterator[Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=wait)
    try:
        connection.request(method, parts.path or "/", body, _HEADERS)
        with connection.getresponse() as response:
            yield response, response.status, iter(response.read1, b"")
    finally:
        connection.close()


@contextlib.contextmanager
def _lm15(method: str, url: str, body: bytes | None, wait: float) -> Iterator[Any]:
    request = lm15.TransportRequest(method, url, [*_HEADERS.items()], body)
    with (
        lm15.StdlibTransport(read_timeout=wait) as transport,
        transport.stream(request) as response,
    ):
        yield response, response.status, iter(response)


@contextlib.asynccontextmanager
async def _lm15_async(
    method: str, url: str, body: bytes | None, wait: float
) -> AsyncIterator[Reply]:
    request = lm15.TransportRequest(method, url, [*_HEADERS.items()], body)
    async with lm15.StdlibAsyncTransport(read_timeout=wait) as transport:
        async with transport.stream(request) as response:
            yield Reply(response, aiter(response), response.status)


@contextlib.asynccontextmanager
async def _aiohttp(method: str, url: str, body: bytes | None, wait: float) -> AsyncIterator[Reply]:
    timeout = aiohttp.ClientTimeout(sock_read=wait)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        async with session.request(method, url, headers=_HEADERS, data=body) as response:
            yield Reply(response, aiter(response.content.iter_any()), response.status)


@contextlib.asynccontextmanager
async def _tornado(method: str, url: str, body: bytes | None, wait: float) -> AsyncIterator[Reply]:
    """Put what its callback gets into a queue; it has the response at the end."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    client = AsyncHTTPClient(force_instance=True)
    options: dict[str, Any] = {"request_timeout": wait, "streaming_callback": queue.put_nowait}
    request = HTTPRequest(url, method, _HEADERS, body, **options)
    fetched = asyncio.ensure_future(client.fetch(request, raise_error=False))
    fetched.add_done_callback(lambda _: queue.put_nowait(None))

    async def pieces() -> AsyncIterator[bytes]:
        while (piece := await queue.get()) is not None:
            yield piece
        response = await fetched
        reply.response, reply._status = response, response.code
        if response.error is not None and response.code == 599:
            raise response.error

    reply = Reply(None, pieces())
    try:
        yield reply
    finally:
        fetched.cancel()
        client.close()


_E, _U = requests.exceptions, urllib3.exceptions
_CUT = http.client.IncompleteRead
_BROKEN = aiohttp.ClientPayloadError
_LM15 = (lm15.ConnectError, lm15.ReadTimeout, lm15.ReadError, lm15.ProtocolError)
_CHUNKED = _E.ChunkedEncodingError


def _of_httpx(face: Face) -> Library:
    lib = face.lib
    errors = (lib.ConnectError, lib.ReadTimeout, lib.ReadError, lib.RemoteProtocolError)
    return Library(repr(face), _httpx(face), *errors, is_async=not face.sync)


LIBRARIES = [
    *map(_of_httpx, FACES),
    Library(
        "requests", _blocking(_requests), _E.ConnectionError, _E.ConnectionError, _CHUNKED, _CHUNKED
    ),
    Library(
        "urllib3",
        _blocking(_urllib3),
        *(_U.NewConnectionError, _U.ReadTimeoutError, _U.ProtocolError, _U.ProtocolError),
    ),
    Library(
        "urllib",
        _blocking(_urllib),
        *(urllib.error.URLError, TimeoutError, ConnectionResetError, _CUT),
    ),
    Library(
        "http_client",
        _blocking(_http_client),
        *(ConnectionRefusedError, TimeoutError, ConnectionResetError, _CUT),
    ),
    Library("lm15", _blocking(_lm15), *_LM15),
    Library("lm15-async", _lm15_async, *_LM15, is_async=True),
    Library(
        "aiohttp",
        _aiohttp,
        *(aiohttp.ClientConnectorError, aiohttp.SocketTimeoutError, _BROKEN, _BROKEN),
        is_async=True,
    ),
    Library(
        "tornado",
        _tornado,
        *(ConnectionRefusedError, HTTPTimeoutError, HTTPStreamClosedError, HTTPStreamClosedError),
        is_async=True,
        can_close=False,
    ),
]


def every_library(which: Callable[[Library], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test for each library for which `which` holds."""
    return pytest.mark.parametrize("library", [one for one in LIBRARIES if which(one)], ids=str)
