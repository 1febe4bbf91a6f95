"""Recorded responses for aiohttp: a connection on which the answer is already there."""

from __future__ import annotations

import contextlib
from http.client import responses
from operator import length_hint
from typing import Any

from aiohttp.http import HttpVersion, RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from aquila_cassette.http import pacing
from aquila_cassette.http.aiohttp_connection import Stage, StagedConnection
from aquila_cassette.http.aiohttp_errors import error_maker
from aquila_cassette.http.headers import raw
from aquila_cassette.model import Piece
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.stepped_player import SteppedPlayer

__all__ = ["Played", "connection"]


async def connection(replay: Player, connector: Any, request: Any) -> StagedConnection:
    """Make a connection on which `replay` answers `request`, when its head is due.

    aiohttp makes its own response of it, so that cookies, redirects, traces, time-outs and
    `response_class` are as they are on the wire. What ended the recording before an answer came is
    raised where aiohttp waits for it.

    Args:
        replay: What is played.
        connector: The connector that was asked for a connection.
        request: The ``ClientRequest``.
    """
    stage = Stage(request.loop)
    make_error = error_maker(request, replay)
    try:
        await pacing.wait_async(replay.response_delay())
    except BaseException:
        replay.finished()
        raise
    if replay.interaction.response.status is None:
        replay.finished()
        try:
            replay.raise_ending(make_error)
        except Exception as error:
            stage.set_exception(error)
    else:
        if request._continue is not None:
            stage.tell(lambda _limit: (_message(100, "HTTP/1.1", ()), EMPTY_PAYLOAD))
        stage.tell(lambda limit: _answer(replay, make_error, request, stage, limit))
    return StagedConnection(connector, request, stage)


def _answer(
    replay: Player, make_error: MakeError, request: Any, stage: Stage, limit: int
) -> tuple[RawResponseMessage, StreamReader]:
    response = replay.interaction.response
    status = response.status or 0
    message = _message(status, response.http_version, replay.headers)
    if request.method == "HEAD" or status in (204, 304):
        replay.finished()
        return message, EMPTY_PAYLOAD
    return message, Played(replay, make_error, request, stage, limit)


def _message(status: int, version: str, headers: Any) -> RawResponseMessage:
    major, _, minor = version.partition("/")[2].partition(".")
    as_bytes = raw(headers)
    # As aiohttp's parsers decode them.
    pairs = [
        (k.decode("utf-8", "surrogateescape"), v.decode("utf-8", "surrogateescape"))
        for k, v in as_bytes
    ]
    return RawResponseMessage(
        HttpVersion(int(major or 1), int(minor or 0)),
        status,
        responses.get(status, ""),
        CIMultiDictProxy(CIMultiDict(pairs)),
        as_bytes,
        False,
        None,
        False,
        False,
    )


class Played(StreamReader):
    """The body of a recorded response: it feeds itself, a piece each time that its reader waits.

    A read that is cancelled loses nothing: the next one gets the piece that was waited for.

    Args:
        replay: What is played.
        make_error: Makes the exception that it ends in.
        request: The ``ClientRequest``, whose time-out holds.
        stage: The protocol of the connection.
        limit: The size of a read buffer, in bytes.
    """

    def __init__(
        self, replay: Player, make_error: MakeError, request: Any, stage: Stage, limit: int
    ) -> None:
        super().__init__(stage, limit, timer=request._timer, loop=request.loop)
        self.begin_http_chunk_receiving()
        self._replay = replay
        self._make_error = make_error
        self._due: Piece | None = None
        self._turn = 0
        self._iterator: int | None = None

    async def _wait(self, func_name: str) -> None:
        replay = self._replay
        if isinstance(replay, SteppedPlayer):
            await self._wait_for_the_test(replay)
            return
        replay.add_reader()
        if self._next() is None:
            self._end()
            return
        if self._delay() > 0:
            feed = self._loop.call_later(self._delay(), self._feed_due)
            try:
                await super()._wait(func_name)
            finally:
                feed.cancel()
            return
        self._turn += 1
        if replay.speed or self._turn % pacing.PIECES_A_TURN == 0:
            await pacing.give_way()
        self._feed_due()

    async def _wait_for_the_test(self, replay: SteppedPlayer) -> None:
        if self._iterator is None:
            self._iterator = replay.begin()
        else:
            await pacing.give_way()
        with self._timer:
            step = await replay.take_async()
        if self._exception is not None:
            raise self._exception
        if step:
            self._feed(step)
        else:
            self._end()

    def _next(self) -> Piece | None:
        if self._due is None:
            self._due = next(self._replay.pieces, None)
        return self._due

    def _delay(self) -> float:
        replay = self._replay
        return replay.piece_delay(self._due) if replay.speed and self._due is not None else 0.0

    def _feed_due(self) -> None:
        if self._due is not None and self._exception is None:
            piece, self._due = self._due, None
            self._feed(piece.data)

    def _feed(self, data: bytes) -> None:
        self.feed_data(data, len(data))
        self.end_http_chunk_receiving()

    def _end(self) -> None:
        try:
            self._replay.raise_ending(self._make_error)
        except Exception as error:
            super().set_exception(error)
            raise
        else:
            self.feed_eof()
        finally:
            self._leave()

    def _leave(self) -> None:
        replay = self._replay
        if isinstance(replay, SteppedPlayer) and self._iterator is not None:
            replay.leave(self._iterator)
        else:
            replay.finished()

    def read_nowait(self, n: int = -1) -> bytes:
        """Read what is due."""
        unheld = not isinstance(self._replay, SteppedPlayer)
        if not self._buffer and unheld and self._next() is not None and self._delay() <= 0:
            self._feed_due()
        return super().read_nowait(n)

    def at_eof(self) -> bool:
        """Tell whether all was read, as a live body knows when its end came with its last piece."""
        if not (self._buffer or self._eof or self._exception or self._due):
            replay = self._replay
            if not isinstance(replay, SteppedPlayer) and not length_hint(replay.pieces):
                with contextlib.suppress(Exception):
                    self._end()
        return super().at_eof()

    async def wait_eof(self) -> None:
        """Wait until all is there to be read."""
        while not self._eof:
            await self._wait("wait_eof")

    def set_exception(self, exc: Any, *cause: Any, **named: Any) -> None:
        """Take an error from outside: the response was closed or released."""
        super().set_exception(exc, *cause, **named)
        replay = self._replay
        if isinstance(replay, SteppedPlayer):
            replay.close()
        else:
            replay.finished()

    def __del__(self) -> None:
        """Note that its consumer let it go."""
        replay = getattr(self, "_replay", None)
        if replay is not None:
            replay.finished()
