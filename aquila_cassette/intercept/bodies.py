"""Response bodies for libraries that iterate over them: live ones with a tee, and recorded ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from aquila_cassette.engine.hold import HeldReplay
from aquila_cassette.engine.recording import Recording
from aquila_cassette.engine.replay import MakeError, Replay
from aquila_cassette.intercept import pacing

__all__ = ["AsyncHeld", "AsyncPlayed", "AsyncTee", "Held", "Played", "Tee"]


class Tee:
    """A live body with a tee in it.

    Args:
        stream: The library's own; it is iterated, and closed.
        recording: What takes its pieces.
    """

    def __init__(self, stream: Any, recording: Recording) -> None:
        self._stream = stream
        self._recording = recording

    def __iter__(self) -> Iterator[bytes]:
        recording = self._recording
        recording.attend()
        with recording:
            for piece in self._stream:
                recording.piece(piece)
                yield piece
        recording.eof()

    def close(self) -> None:
        """Note that nobody reads it any more."""
        self._recording.closed()
        self._stream.close()


class AsyncTee:
    """A live body with a tee in it, for tasks.

    Args:
        stream: The library's own; it is iterated, and closed.
        recording: What takes its pieces.
    """

    def __init__(self, stream: Any, recording: Recording) -> None:
        self._stream = stream
        self._recording = recording

    async def __aiter__(self) -> AsyncIterator[bytes]:
        recording = self._recording
        recording.attend()
        with recording:
            async for piece in self._stream:
                recording.piece(piece)
                yield piece
        recording.eof()

    async def aclose(self) -> None:
        """Note that nobody reads it any more."""
        self._recording.closed()
        await self._stream.aclose()


class Played:
    """A recorded body.

    Args:
        replay: What is played.
        make_error: Makes an exception of the library, from its name and message.
    """

    def __init__(self, replay: Replay, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error

    def __iter__(self) -> Iterator[bytes]:
        replay = self._replay
        replay.attend()
        try:
            for piece in replay.pieces:
                if replay.speed:
                    pacing.wait(replay.delay(piece))
                yield piece.data
            replay.end(self._make_error)
        finally:
            replay.done()

    def close(self) -> None:
        """Note that nobody reads it any more."""
        self._replay.done()


class AsyncPlayed:
    """A recorded body, for tasks.

    Args:
        replay: What is played.
        make_error: Makes an exception of the library, from its name and message.
    """

    def __init__(self, replay: Replay, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        replay = self._replay
        replay.attend()
        try:
            if replay.speed:
                for piece in replay.pieces:
                    await pacing.wait_async(replay.delay(piece))
                    yield piece.data
            for piece in replay.pieces:
                yield piece.data
                for piece in islice(replay.pieces, pacing.PIECES_A_TURN - 1):
                    yield piece.data
                await pacing.give_way()
            replay.end(self._make_error)
        finally:
            replay.done()

    async def aclose(self) -> None:
        """Note that nobody reads it any more."""
        self._replay.done()


class Held:
    """A recorded body that the test lets through.

    Args:
        replay: What is played.
        make_error: Makes an exception of the library, from its name and message.
    """

    def __init__(self, replay: HeldReplay, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error

    def __iter__(self) -> Iterator[bytes]:
        replay = self._replay
        iterator = replay.begin()
        try:
            while step := replay.take():
                yield step
            replay.end(self._make_error)
        finally:
            replay.leave(iterator)

    def close(self) -> None:
        """Note that nobody reads it any more."""
        self._replay.close()


class AsyncHeld:
    """A recorded body that the test lets through, for tasks.

    Args:
        replay: What is played.
        make_error: Makes an exception of the library, from its name and message.
    """

    def __init__(self, replay: HeldReplay, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        replay = self._replay
        iterator = replay.begin()
        try:
            while step := await replay.take_async():
                yield step
                await pacing.give_way()
            replay.end(self._make_error)
        finally:
            replay.leave(iterator)

    async def aclose(self) -> None:
        """Note that nobody reads it any more."""
        self._replay.close()
