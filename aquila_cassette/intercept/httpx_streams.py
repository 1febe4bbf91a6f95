"""Response bodies for httpx and httpx2: a live one with a tee in it, and a recorded one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from aquila_cassette.engine.hold import HeldReplay
from aquila_cassette.engine.recording import Recording
from aquila_cassette.engine.replay import MakeError, Replay
from aquila_cassette.intercept import pacing

__all__ = ["Streams"]


class Streams:
    """Makes bodies of the stream classes of one library, since its client insists on them.

    Args:
        lib: The module ``httpx`` or ``httpx2``.
    """

    def __init__(self, lib: Any) -> None:
        self.tee: Callable[[Any, Recording], Any] = _of(_Tee, lib.SyncByteStream)
        self.async_tee: Callable[[Any, Recording], Any] = _of(_AsyncTee, lib.AsyncByteStream)
        self.replay: Callable[[Replay, MakeError], Any] = _of(_Replay, lib.SyncByteStream)
        self.async_replay: Callable[[Replay, MakeError], Any] = _of(
            _AsyncReplay, lib.AsyncByteStream
        )
        self.held: Callable[[HeldReplay, MakeError], Any] = _of(_Held, lib.SyncByteStream)
        self.async_held: Callable[[HeldReplay, MakeError], Any] = _of(
            _AsyncHeld, lib.AsyncByteStream
        )


def _of(body: type, stream: type) -> Any:
    return type(body.__name__.lstrip("_"), (body, stream), {})


class _Tee:
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
        self._recording.closed()
        self._stream.close()


class _AsyncTee:
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
        self._recording.closed()
        await self._stream.aclose()


class _Replay:
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
        self._replay.done()


class _AsyncReplay:
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
        self._replay.done()


class _Held:
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
        self._replay.close()


class _AsyncHeld:
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
        self._replay.close()
