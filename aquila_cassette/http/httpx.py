"""The adapter for httpx and httpx2, sync and async.

The transport is the lowest point that every request passes exactly once: above it redirects,
retries, HTTP/2 and proxies would be hidden, below it the pool would be ours to keep whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any, NoReturn

from aquila_cassette.http.dispatcher import (
    HttpAdapter,
    RecordedBody,
    ReplayedBody,
    Send,
    decode_headers,
    encode_headers,
    find_class,
    read_body,
)
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Request
from aquila_cassette.session.current_session import is_sending
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder


def install(lib: ModuleType) -> None:
    """Patch the transports of httpx or httpx2 (after ``alias_httpx()`` both are one module)."""
    sync, asynchronous = HttpxAdapter(lib, sync=True), HttpxAdapter(lib, sync=False)
    for transport, name, method in (
        (lib.HTTPTransport, "handle_request", sync.handle),
        (lib.AsyncHTTPTransport, "handle_async_request", asynchronous.handle),
    ):
        # Where pytest-httpx has patched it, for one test, that wins, and removes itself again.
        if not str(vars(transport)[name].__module__).startswith("pytest_httpx"):
            patch(transport, name, method)


class HttpxAdapter(HttpAdapter[Any]):
    """The sync or the async transport of one library; all that differs between both is `lib`."""

    def __init__(self, lib: Any, *, sync: bool) -> None:
        super().__init__(lib, sync=sync)
        stream = lib.SyncByteStream if sync else lib.AsyncByteStream
        self._recorded: Any = type("RecordedStream", (RecordedBody, stream), {})
        self._replayed: Any = type("ReplayedStream", (ReplayedBody, stream), {})
        # What makes headers anew decodes and lowers each; a copy of these costs nothing.
        self._headers = lru_cache(maxsize=64)(lambda sent: lib.Headers(encode_headers(sent)))

    def is_foreign(self, call: Any) -> bool:
        return _respx_answers(call)

    async def to_request(self, call: Any) -> Request:
        body = call.read() if self.is_sync else await call.aread()
        return Request(call.method, str(call.url), decode_headers(call.headers.raw), body)

    async def to_response(self, call: Any, player: Player, make_error: MakeError) -> Any:
        response, headers = player.interaction.response, self._headers(player.headers)
        made = self._lib.Response(
            status_code=response.status,
            headers=headers,
            stream=self._replayed(player, make_error),
            extensions={
                "http_version": response.http_version.encode("ascii"),
                "reason_phrase": response.reason_phrase.encode("ascii", "ignore"),
            },
        )
        made.headers.encoding = headers.encoding  # found by decoding all, once
        return made

    async def record(self, call: Any, recorder: Recorder, send: Send[Any]) -> Any:
        with recorder, _past_respx():
            response = await send(self._uncompressed(call))
        recorder.start_response(
            response.status_code,
            decode_headers(response.headers.raw),
            response.http_version,
            response.reason_phrase if "reason_phrase" in response.extensions else None,
        )
        response.stream = self._recorded(response.stream, recorder)
        return response

    async def read_whole(self, call: Any, response: Any) -> None:
        await read_body(response.stream, is_sync=self.is_sync)

    def _uncompressed(self, request: Any) -> Any:
        """Ask for a body as it is, so that each piece can be read and kept as it comes."""
        if request.headers.get("accept-encoding", "identity") == "identity":
            return request
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        return self._lib.Request(
            method=request.method,
            url=request.url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    def make_error(self, call: Any, has_begun: bool, failure: Failure) -> Exception | None:
        found: Any = find_class(failure, self._lib)
        if found is None:
            return None
        options = {"request": call} if issubclass(found, self._lib.RequestError) else {}
        error: Exception = found(failure.message, **options)
        return error


# respx patches httpcore, below the transport. A route of it that matches must win; what no route
# answers is the cassette's, and while that records, respx must let it through.


def _respx_answers(request: Any) -> bool:
    respx = sys.modules.get("respx.mocks")
    # It mocks httpx and only that: a request of httpx2 would go out.
    if respx is None or type(request).__module__.partition(".")[0] != "httpx":
        return False
    for router in respx.HTTPCoreMocker.routers:
        for route in router.routes:
            if route.pattern is None or route.pattern.match(request):
                if not route.is_pass_through:
                    return True
                router.record(request, route=route)  # called, although the cassette answers
                break
    return False


@contextmanager
def _past_respx() -> Iterator[None]:
    """Have respx let through what is sent here."""
    respx = sys.modules.get("respx.mocks")
    if respx is None or not respx.HTTPCoreMocker.routers:
        yield
        return
    mocker, router = respx.HTTPCoreMocker, _PassingRouter(respx)
    mocker.routers.insert(0, router)
    try:
        yield
    finally:
        mocker.unregister(router)
        mocker.stop()  # the last router may have ended meanwhile, and left that to us


class _PassingRouter:
    """A router for respx without a route, which lets through what is sent for a cassette."""

    routes = ()

    def __init__(self, respx: Any) -> None:
        self._respx = respx

    def handler(self, request: Any) -> NoReturn:
        if is_sending():
            raise self._respx.PassThrough("sent for a cassette", request=request, origin=None)
        raise self._respx.AllMockedAssertionError(f"RESPX: {request!r} not mocked!")

    async def async_handler(self, request: Any) -> NoReturn:
        self.handler(request)
