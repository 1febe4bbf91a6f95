"""Replay a response for aiohttp: a connection without a socket; aiohttp's exceptions.

aiohttp makes its own response of it, so that cookies, redirects, traces, time-outs and
`response_class` are as they are on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpVersion, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from aquila_cassette.http.dispatcher import encode_headers
from aquila_cassette.session.player import MakeError, Player, has_body


def replayed_connection(
    player: Player, make_error: MakeError, connector: Any, request: Any
) -> Connection:
    """Make a connection on which a ``ClientRequest`` is answered.

    What ended the recording before a response came is raised where aiohttp waits for it.
    """
    protocol = ReplayProtocol(request.loop)
    if player.interaction.response.status is None:
        player.finished()
        try:
            player.raise_ending(make_error)
        except Exception as error:
            protocol.set_exception(error)
    else:
        if request._continue is not None:  # it asked for "100 Continue" before its body
            request._continue.set_result(True)
        protocol.respond = functools.partial(_response, player, make_error, request, protocol)
        protocol.feed_data(None, 0)  # type: ignore[arg-type]  # `read` makes what it returns
    return Connection(connector, request.connection_key, protocol, request.loop)


_NO_TRANSPORT: Any = SimpleNamespace(
    get_write_buffer_size=lambda: 0,
    **dict.fromkeys(
        ("write", "writelines", "close", "abort", "is_closing", "get_extra_info"), lambda *_: None
    ),
)


class ReplayProtocol(ResponseHandler):
    """aiohttp's protocol without a parser, a server or a socket."""

    decompresses = True
    respond: Callable[[int], tuple[RawResponseMessage, StreamReader]]
    """Makes the message and its body, for the size of a read buffer that the session asks for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.transport = _NO_TRANSPORT
        self.force_close()  # no pool may keep it

    def set_response_params(
        self, *, read_bufsize: int = 2**16, auto_decompress: bool = True, **_params: Any
    ) -> None:
        """Make no parser; but the length of a line depends on the buffer's size."""
        self._read_bufsize = read_bufsize
        self.decompresses = auto_decompress

    async def read(self) -> Any:
        """Return the response once the task that writes the request is done, as on the wire.

        It takes a turn of the loop for that task, and one for the callback after it.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super().read()
        return self.respond(self._read_bufsize)

    def pause_reading(self) -> None:
        """Pause nothing: no more is read than is asked for."""

    def resume_reading(self, *_args: Any, **_options: Any) -> None:
        pass


def _response(
    player: Player, make_error: MakeError, request: Any, protocol: ReplayProtocol, limit: int
) -> tuple[RawResponseMessage, StreamReader]:
    response = player.interaction.response
    major, _, minor = response.http_version.partition("/")[2].partition(".")
    raw = encode_headers(player.headers)
    # As aiohttp's parsers decode them.
    decode = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    pairs = [(decode(name), decode(value)) for name, value in raw]
    message = RawResponseMessage(
        version=HttpVersion(int(major or 1), int(minor or 0)),
        code=response.status or 0,
        reason=response.reason_phrase,
        headers=CIMultiDictProxy(CIMultiDict(pairs)),
        raw_headers=raw,
        should_close=False,
        compression=None,
        upgrade=False,
        chunked=False,
    )
    if has_body(player.interaction):
        if protocol.decompresses:
            player.decode()
        return message, ReplayedReader(player, make_error, request, protocol, limit)
    player.finished()
    return message, EMPTY_PAYLOAD


class ReplayedReader(StreamReader):
    """The body of a recorded response: it feeds itself a piece each time that its reader waits.

    A read that is cancelled loses nothing: the next one gets the piece that was waited for.
    """

    def __init__(
        self,
        player: Player,
        make_error: MakeError,
        request: Any,
        protocol: ReplayProtocol,
        limit: int,
    ) -> None:
        super().__init__(protocol, limit, timer=request._timer, loop=request.loop)
        self.begin_http_chunk_receiving()
        self._player = player
        self._make_error = make_error
        self._leave: Callable[[], None] | None = None

    async def _wait(self, func_name: str) -> None:
        __tracebackhide__ = True
        self._leave = self._leave or self._player.begin()
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
            (self._leave or self._player.finished)()

    def read_nowait(self, n: int = -1) -> bytes:
        if not self._buffer and self._player.is_immediate and not self._player.has_given_all():
            self._feed(next(self._player.pieces))
        return super().read_nowait(n)

    def at_eof(self) -> bool:
        """Return whether all was read, as a live body knows when its end comes with a piece."""
        if not (self._buffer or self._eof or self._exception) and self._player.has_given_all():
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
