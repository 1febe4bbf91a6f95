"""Record a response of aiohttp.

Two methods are laid over those of the very request and response, and remove themselves when they
are called: nothing that another request could meet is changed, not even the pooled connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from aquila_cassette.http.aiohttp_replay import ReplayedReader, ReplayProtocol
from aquila_cassette.http.dispatcher import decode_headers, replayed_errors
from aquila_cassette.model import Headers
from aquila_cassette.session.player import MakeError
from aquila_cassette.session.recorder import OF_THE_ENCODING, Recorder

_DECODED = ("gzip", "x-gzip", "deflate", "br", "zstd")
"""The content encodings that aiohttp removes; it refuses those of them that it cannot."""


class Listener:
    """Notes in a recorder what comes of a ``ClientRequest`` that was not sent yet."""

    def __init__(self, recorder: Recorder, request: Any, make_error: MakeError) -> None:
        self._recorder = recorder
        self._make_error = make_error
        self._request = request

    @contextlib.contextmanager
    def connecting(self) -> Iterator[None]:
        """Note an error in getting a connection as the caller of aiohttp will see it."""
        try:
            with self._waiting():
                yield
        except Exception as error:
            seen = error
            if isinstance(error, TimeoutError):
                url = self._request.url
                seen = aiohttp.ConnectionTimeoutError(f"Connection timeout to host {url}")
            elif isinstance(error, OSError) and not isinstance(error, aiohttp.ClientError):
                seen = aiohttp.ClientOSError(*error.args)
            self._recorder.failed(seen)
            raise

    def listen(self, protocol: Any) -> None:
        """Listen to what comes back when the request is sent over a connection's `protocol`."""
        request = self._request

        def set_params(original: Callable[..., None], **params: Any) -> None:
            self._recorder.keeps_encoding = not params.get("auto_decompress", True)
            original(**params)

        _lay_over(protocol, "set_response_params", set_params)
        asks_for = request.headers.get(hdrs.ACCEPT_ENCODING)
        if asks_for is not None:  # each piece can be read, and kept, as it comes
            request.headers[hdrs.ACCEPT_ENCODING] = "identity"

        async def send(send: Callable[..., Any], connection: Any) -> Any:
            try:
                with self._recorder, self._waiting():
                    response = await send(connection)
            finally:
                if asks_for is not None:
                    request.headers[hdrs.ACCEPT_ENCODING] = asks_for
            _lay_over(response, "start", start)
            return response

        async def start(start: Callable[..., Any], connection: Any) -> Any:
            with self._recorder, self._waiting():
                response = await start(connection)
            self._response_started(response)
            if self._recorder.holds and not self._recorder.over:
                await self._hold(response)
            return response

        _lay_over(request, "send", send)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        """Note a cancellation: the consumer's, or a time-out's (``ClientTimeout(total=...)``)."""
        try:
            yield
        except asyncio.CancelledError:
            if getattr(self._request._timer, "_cancelled", False):
                self._recorder.failed(TimeoutError())
            self._recorder.closed()
            raise

    def _response_started(self, response: Any) -> None:
        recorder, version = self._recorder, response.version
        recorder.start_response(
            response.status,
            self._headers(response),
            f"HTTP/{version.major}.{version.minor}",
            response.reason,
        )
        live = response.content
        if live is EMPTY_PAYLOAD or live.at_eof():
            recorder.body_ended()
        else:
            response.content = RecordedReader(live, recorder, unread=response.status >= 300)

    async def _hold(self, response: Any) -> None:
        """Have the rest recorded; the response is then read from its held replay."""
        live, loop = response.content, asyncio.get_running_loop()
        with replayed_errors(self._recorder), self._waiting():
            while await live.readany():
                pass
        limit = live.get_read_buffer_limits()[0]
        player, protocol = self._recorder.replay(), ReplayProtocol(loop)
        response.content = ReplayedReader(player, self._make_error, self._request, protocol, limit)

    def _headers(self, response: Any) -> Headers:
        """Return the headers of the body as it is read: aiohttp removes its encoding before."""
        headers = decode_headers(response.raw_headers)
        encoding = response.headers.get("content-encoding", "").lower()
        is_decoded = encoding in _DECODED and not self._recorder.keeps_encoding
        if not is_decoded or response.content is EMPTY_PAYLOAD:
            return headers
        return tuple(one for one in headers if one[0].lower() not in OF_THE_ENCODING)


def _lay_over(target: Any, name: str, method: Callable[..., Any]) -> None:
    """Have the next call of `target`'s method go to `method`, with the original before the rest."""
    original = getattr(target, name)

    def once(*args: Any, **kwargs: Any) -> Any:
        vars(target).pop(name, None)
        return method(original, *args, **kwargs)

    setattr(target, name, once)


class RecordedReader(StreamReader):
    """The body of a live response as its consumer reads it; a recorder notes its pieces.

    It pulls from aiohttp's reader when its own buffer is empty, a piece off the wire at a time. So
    the protocol, the pool and flow control work as ever; and what is kept is what the consumer
    came for, when it came, whichever method it reads by. A body that came whole and is `unread` is
    kept too: that of a redirect or of an error is released as soon as its status is known.
    """

    def __init__(self, live: Any, recorder: Recorder, *, unread: bool) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(ReplayProtocol(loop), live.get_read_buffer_limits()[0], loop=loop)
        self.begin_http_chunk_receiving()
        self._live = live
        self._recorder = recorder
        self._unread = unread

    async def _wait(self, func_name: str) -> None:
        self._recorder.add_reader()
        try:
            data, is_chunk = await self._live.readchunk()
        except TimeoutError as error:  # may be of the session's timer, which leaves no mark on it
            self._recorder.failed(error)
            raise
        except Exception:
            failure = self._live.exception()
            if failure is not None:  # the connection's; a misuse of the reader leaves none
                self._recorder.failed(failure)
                super().set_exception(failure)
            raise
        self._take(data, is_chunk)

    def _take(self, data: bytes, is_chunk: bool) -> None:
        if data:
            self._recorder.add_piece(data)
            self.feed_data(data, len(data))
        if is_chunk:
            self.end_http_chunk_receiving()
        elif not data:
            self._recorder.body_ended()
            self.feed_eof()

    def read_nowait(self, n: int = -1) -> bytes:
        if not self._buffer and not self._eof:
            self._take(self._live.read_nowait(), is_chunk=not self._live.at_eof())
        return super().read_nowait(n)

    def set_exception(self, exc: Any, *cause: Any, **named: Any) -> None:
        """Take an error from outside: the response was closed or released."""
        if self._unread and self._live.is_eof():
            with contextlib.suppress(Exception):
                self._recorder.add_piece(self._live.read_nowait())
                self._recorder.body_ended()
        self._recorder.closed()
        super().set_exception(exc, *cause, **named)
        self._live.set_exception(exc, *cause, **named)

    def at_eof(self) -> bool:
        if not self._buffer and not self._eof and self._live.at_eof():
            self._take(b"", is_chunk=False)
        return super().at_eof()

    async def wait_eof(self) -> None:
        await self._live.wait_eof()
        while not self._eof:
            await self._wait("wait_eof")

    def __del__(self) -> None:
        recorder = getattr(self, "_recorder", None)
        if recorder is not None:
            recorder.closed()
