"""Replay a response for aiohttp: a connection without a socket; aiohttp's exceptions.

aiohttp makes its own response of it, so that cookies, redirects, traces, time-outs and
`response_class` are as they are on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from http.client import responses
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpVersion, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from aquila_cassette.http.dispatcher import encode_headers
from aquila_cassette.model import Headers
from aquila_cassette.session.player import MakeError, Player


def replayed_connection(
    player: Player, make_error: MakeError, connector: Any, request: Any
) -> Connection:
    """Make a connection on which a ``ClientRequest`` is answered.

    What ended the recording before a response came is raised where aiohttp waits for it.
    """
    protocol = StagedProtocol(request.loop)
    if player.interaction.response.status is None:
        player.finished()
        try:
            player.raise_ending(make_error)
        except Exception as error:
            protocol.set_exception(error)
    else:
        if request._continue is not None:
            protocol.stage(lambda _limit: (_message(100, "HTTP/1.1", ()), EMPTY_PAYLOAD))
        protocol.stage(lambda limit: _response(player, make_error, request, protocol, limit))
    return StagedConnection(connector, request.connection_key, protocol, request.loop)


Staged = Callable[[int], tuple[RawResponseMessage, StreamReader]]
"""Makes a message and its body, for the size of a read buffer that the session asks for."""


class StagedProtocol(ResponseHandler):
    """aiohttp's protocol without a parser: what it receives is put in by `stage`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.connection_made(_NoTransport())
        self._limit = 2**16

    def stage(self, make: Staged) -> None:
        message: Any = make
        self.feed_data(message, 0)

    def set_response_params(self, *, read_bufsize: int = 2**16, **_params: Any) -> None:
        """Make no parser; but the length of a line depends on the buffer's size."""
        self._limit = read_bufsize

    async def read(self) -> Any:
        """Return what was put in, once the task that writes the request is done, as on the wire.

        It takes a turn of the loop for that task, and one for the callback after it.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        make: Any = await super().read()
        return make(self._limit)

    # There is no server to wait for, and no more is read than is asked for.

    def start_timeout(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self, *_args: Any, **_options: Any) -> None:
        pass


class StagedConnection(Connection):
    """A connection that has no socket and belongs to no pool."""

    def close(self) -> None:
        self.release()

    def release(self) -> None:
        self._notify_release()
        self._protocol = None

    def __del__(self, _warnings: Any = None) -> None:
        """Raise no warning: a replay that nobody closes holds nothing."""


class _NoTransport(asyncio.Transport):
    """Drops what is written."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = False

    def write(self, data: Any) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True


def _response(
    player: Player, make_error: MakeError, request: Any, protocol: StagedProtocol, limit: int
) -> tuple[RawResponseMessage, StreamReader]:
    response = player.interaction.response
    status = response.status or 0
    message = _message(status, response.http_version, player.headers)
    if request.method == "HEAD" or status in (204, 304):
        player.finished()
        return message, EMPTY_PAYLOAD
    return message, ReplayedReader(player, make_error, request, protocol, limit)


def _message(status: int, version: str, headers: Headers) -> RawResponseMessage:
    major, _, minor = version.partition("/")[2].partition(".")
    raw = encode_headers(headers)
    pairs = [  # as aiohttp's parsers decode them
        (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
        for name, value in raw
    ]
    return RawResponseMessage(
        HttpVersion(int(major or 1), int(minor or 0)),
        status,
        responses.get(status, ""),
        CIMultiDictProxy(CIMultiDict(pairs)),
        raw,
        False,
        None,
        False,
        False,
    )


class ReplayedReader(StreamReader):
    """The body of a recorded response: it feeds itself a piece each time that its reader waits.

    A read that is cancelled loses nothing: the next one gets the piece that was waited for.
    """

    def __init__(
        self,
        player: Player,
        make_error: MakeError,
        request: Any,
        protocol: StagedProtocol,
        limit: int,
    ) -> None:
        super().__init__(protocol, limit, timer=request._timer, loop=request.loop)
        self.begin_http_chunk_receiving()
        self._player = player
        self._make_error = make_error
        self._iterator: int | None = None

    async def _wait(self, func_name: str) -> None:
        __tracebackhide__ = True
        if self._iterator is None:
            self._iterator = self._player.begin()
        with self._timer:
            data = await self._player.take_async()
        if self._exception is not None:
            raise self._exception
        if data:
            self._feed(data)
        else:
            self._end()

    def _feed(self, data: bytes) -> None:
        self.feed_data(data, len(data))
        self.end_http_chunk_receiving()

    def _end(self) -> None:
        __tracebackhide__ = True
        try:
            self._player.raise_ending(self._make_error)
        except Exception as error:
            super().set_exception(error)
            raise
        else:
            self.feed_eof()
        finally:
            self._player.leave(self._iterator or 0)

    def read_nowait(self, n: int = -1) -> bytes:
        if not self._buffer and self._player.is_immediate and not self._player.is_drained():
            self._feed(next(self._player.pieces))
        return super().read_nowait(n)

    def at_eof(self) -> bool:
        """Return whether all was read, as a live body knows when its end comes with a piece."""
        if not (self._buffer or self._eof or self._exception) and self._player.is_drained():
            with contextlib.suppress(Exception):
                self._end()
        return super().at_eof()

    async def wait_eof(self) -> None:
        while not self._eof:
            await self._wait("wait_eof")

    def set_exception(self, exc: Any, *cause: Any, **named: Any) -> None:
        """Take an error from outside: the response was closed or released."""
        super().set_exception(exc, *cause, **named)
        self._player.close()

    def __del__(self) -> None:
        player = getattr(self, "_player", None)
        if player is not None:
            player.finished()
