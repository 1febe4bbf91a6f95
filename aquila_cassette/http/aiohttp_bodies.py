"""The bodies of aiohttp's responses: a live one as it is recorded, and a recorded one.

A recorded one is read off a connection without a socket: aiohttp makes its own response of it, so
that cookies, traces, time-outs and `response_class` are as they are on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpVersion, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from aquila_cassette.http.dispatcher import encode_headers
from aquila_cassette.session.player import MakeError, Player, has_body
from aquila_cassette.session.recorder import Recorder

_NO_TRANSPORT: Any = SimpleNamespace(
    get_write_buffer_size=lambda: 0,
    **dict.fromkeys(
        ("write", "writelines", "close", "abort", "is_closing", "get_extra_info"), lambda *_: None
    ),
)


class ReplayProtocol(ResponseHandler):
    """aiohttp's protocol without a parser, a server or a socket."""

    _answer: tuple[RawResponseMessage, StreamReader]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.transport = _NO_TRANSPORT
        self.force_close()  # no pool may keep it

    def replay(self, player: Player, make_error: MakeError, request: Any, limit: int) -> None:
        """Answer a ``ClientRequest`` with what `player` replays; `limit` is of a read buffer."""
        body = EMPTY_PAYLOAD
        if has_body(player.interaction):
            body = ReplayedReader(player, make_error, request, self, limit)
        else:
            player.finished()
        self._answer = _message(player), body

    async def read(self) -> Any:
        """Return the response once the task that writes the request is done, as on the wire.

        It takes a turn of the loop for that task, and one for the callback after it.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self._answer

    def pause_reading(self) -> None:
        """Pause nothing: no more is read than is asked for."""

    def resume_reading(self, *_args: Any, **_options: Any) -> None:
        pass


def _message(player: Player) -> RawResponseMessage:
    response = player.interaction.response
    major, _, minor = response.http_version.partition("/")[2].partition(".")
    raw = encode_headers(player.headers)
    # As aiohttp's parsers decode them.
    decode = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    pairs = [(decode(name), decode(value)) for name, value in raw]
    return RawResponseMessage(
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


class PulledReader(StreamReader):
    """A body that takes its next piece when its own buffer is empty, whichever method reads it.

    A read that is cancelled loses nothing: the next one gets the piece that was waited for.
    """

    def __init__(
        self, protocol: ReplayProtocol, limit: int, over: Callable[[], None], timer: Any = None
    ) -> None:
        super().__init__(protocol, limit, timer=timer, loop=asyncio.get_running_loop())
        self.begin_http_chunk_receiving()
        self._over = over

    async def wait_eof(self) -> None:
        while not self._eof:
            await self._wait("wait_eof")

    def set_exception(self, exc: Any, *cause: Any, **named: Any) -> None:
        """Take an error, also from outside: the response was closed or released."""
        super().set_exception(exc, *cause, **named)
        self._over()

    def __del__(self) -> None:
        getattr(self, "_over", bool)()


class ReplayedReader(PulledReader):
    """The body of a recorded response."""

    def __init__(
        self,
        player: Player,
        make_error: MakeError,
        request: Any,
        protocol: ReplayProtocol,
        limit: int,
    ) -> None:
        super().__init__(protocol, limit, player.finished, request._timer)
        self._player = player
        self._make_error = make_error

    async def _wait(self, func_name: str) -> None:
        __tracebackhide__ = True
        with self._timer:
            data = await self._player.take_async()
        if self._exception is not None:
            raise self._exception
        if data:
            self._feed(data)
        else:
            await self._player.wait_to_be_stopped()
            self._end()

    def _feed(self, data: bytes) -> None:
        self.feed_data(data, len(data))
        self.end_http_chunk_receiving()

    def _end(self) -> None:
        __tracebackhide__ = True
        try:
            self._player.raise_ending(self._make_error)
        except Exception as error:
            self.set_exception(error)
            raise
        self.feed_eof()
        self._over()

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


class RecordedReader(PulledReader):
    """The body of a live response as its consumer reads it; a recorder notes its pieces.

    It pulls from aiohttp's reader, a piece off the wire at a time: the protocol, the pool and flow
    control work as ever, and what is kept is what the consumer came for. A body that came whole and
    is `unread` is kept too: that of an error is released as soon as its status is known.
    """

    def __init__(self, live: Any, recorder: Recorder, *, unread: bool) -> None:
        protocol = ReplayProtocol(asyncio.get_running_loop())
        super().__init__(protocol, live.get_read_buffer_limits()[0], recorder.closed)
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

    def at_eof(self) -> bool:
        if not self._buffer and not self._eof and self._live.at_eof():
            self._take(b"", is_chunk=False)
        return super().at_eof()

    async def wait_eof(self) -> None:
        await self._live.wait_eof()
        await super().wait_eof()

    def set_exception(self, exc: Any, *cause: Any, **named: Any) -> None:
        if self._unread and self._live.is_eof():
            with contextlib.suppress(Exception):
                self._recorder.add_piece(self._live.read_nowait())
                self._recorder.body_ended()
        super().set_exception(exc, *cause, **named)
        self._live.set_exception(exc, *cause, **named)
