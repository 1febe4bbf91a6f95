"""Response bodies: live ones, recorded while they are read, and recorded ones, replayed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.stepping import SteppedPlayer

__all__ = [
    "PIECES_A_TURN",
    "RecordedBody",
    "ReplayedBody",
    "let_others_run",
    "replay",
    "replay_async",
    "wait",
    "wait_async",
]

PIECES_A_TURN = 50
"""How many pieces a replay without pace gives before other tasks get a turn.

A live stream never holds the loop between two reads. Giving others a turn at each piece costs more
than the rest of the replay, so a turn is a few pieces, and always as many: a replay must interleave
with others in the same way each time.
"""


class RecordedBody:
    """A live body that is iterated over and closed, sync or async; a recorder notes its pieces."""

    def __init__(self, stream: Any, recorder: Recorder) -> None:
        self._stream = stream
        self._recorder = recorder

    def __iter__(self) -> Iterator[bytes]:
        recorder = self._recorder
        recorder.add_reader()
        with recorder:
            for piece in self._stream:
                recorder.add_piece(piece)
                yield piece
        recorder.body_ended()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        recorder = self._recorder
        recorder.add_reader()
        with recorder:
            async for piece in self._stream:
                recorder.add_piece(piece)
                yield piece
        recorder.body_ended()

    def close(self) -> None:
        self._recorder.closed()
        self._stream.close()

    async def aclose(self) -> None:
        self._recorder.closed()
        await self._stream.aclose()


class ReplayedBody:
    """A recorded body that is iterated over and closed, sync or async."""

    def __init__(self, player: Player, make_error: MakeError) -> None:
        self._player = player
        self._make_error = make_error

    def __iter__(self) -> Iterator[bytes]:
        return replay(self._player, self._make_error)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return replay_async(self._player, self._make_error)

    def close(self) -> None:
        self._player.close()

    async def aclose(self) -> None:
        self._player.close()


def replay(player: Player, make_error: MakeError) -> Iterator[bytes]:
    """Give the recorded pieces, and end as the recording ended."""
    __tracebackhide__ = True
    if isinstance(player, SteppedPlayer):
        iterator = player.begin()
        try:
            while step := player.take():
                yield step
            player.raise_ending(make_error)
        finally:
            player.leave(iterator)
        return
    player.add_reader()
    try:
        if player.speed:
            for piece in player.pieces:
                wait(player.piece_delay(piece))
                yield piece.data
        for piece in player.pieces:
            yield piece.data
        player.raise_ending(make_error)
    finally:
        player.finished()


async def replay_async(player: Player, make_error: MakeError) -> AsyncIterator[bytes]:
    """Do what `replay` does, for a task."""
    __tracebackhide__ = True
    if isinstance(player, SteppedPlayer):
        iterator = player.begin()
        try:
            while step := await player.take_async():
                yield step
                await let_others_run()
            player.raise_ending(make_error)
        finally:
            player.leave(iterator)
        return
    player.add_reader()
    try:
        if player.speed:
            for piece in player.pieces:
                await wait_async(player.piece_delay(piece))
                yield piece.data
        for piece in player.pieces:
            yield piece.data
            for piece in islice(player.pieces, PIECES_A_TURN - 1):
                yield piece.data
            await let_others_run()
        player.raise_ending(make_error)
    finally:
        player.finished()


def wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


async def wait_async(seconds: float) -> None:
    """Wait in this task, and let the others run in any case."""
    if seconds > 0:
        await anyio.sleep(seconds)
    else:
        await let_others_run()


async def let_others_run() -> None:
    """Let the other tasks of this loop run once; in asyncio anyio's own way costs more."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        await checkpoint()
    else:
        await asyncio.sleep(0)
