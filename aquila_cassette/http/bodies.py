"""Response bodies for libraries that iterate over them: live ones with a tee, and recorded ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from aquila_cassette.http import pacing
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.stepped_player import SteppedPlayer

__all__ = ["Bodies"]

AnyReplay = TypeVar("AnyReplay", bound=Player)


class Bodies:
    """Makes bodies for one library.

    Args:
        stream: The class of which it wants them, if it insists on one.
        async_stream: The same for tasks.
    """

    def __init__(self, stream: type = object, async_stream: type = object) -> None:
        self.tee: Callable[[Any, Recorder], Any] = _of(_Tee, stream)
        self.async_tee: Callable[[Any, Recorder], Any] = _of(_AsyncTee, async_stream)
        self._played, self._held = _of(_Played, stream), _of(_Held, stream)
        self._async_played = _of(_AsyncPlayed, async_stream)
        self._async_held = _of(_AsyncHeld, async_stream)

    def recorded(self, replay: Player, make_error: MakeError) -> Any:
        """Make the body of a recorded answer.

        Args:
            replay: What is played.
            make_error: Makes an exception of the library, from its name and message.
        """
        make = self._held if isinstance(replay, SteppedPlayer) else self._played
        return make(replay, make_error)

    def async_recorded(self, replay: Player, make_error: MakeError) -> Any:
        """Make the body of a recorded answer for tasks.

        Args:
            replay: What is played.
            make_error: Makes an exception of the library, from its name and message.
        """
        make = self._async_held if isinstance(replay, SteppedPlayer) else self._async_played
        return make(replay, make_error)


def _of(body: type, stream: type) -> Any:
    return type(body.__name__.lstrip("_"), (body, stream), {})


class _Teed:
    def __init__(self, stream: Any, recording: Recorder) -> None:
        self._stream = stream  # it is iterated, and closed
        self._recording = recording


class _Replayed(Generic[AnyReplay]):
    def __init__(self, replay: AnyReplay, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error


class _Tee(_Teed):
    """A live body with a tee in it."""

    def __iter__(self) -> Iterator[bytes]:
        recording = self._recording
        recording.add_reader()
        with recording:
            for piece in self._stream:
                recording.add_piece(piece)
                yield piece
        recording.body_ended()

    def close(self) -> None:
        self._recording.closed()
        self._stream.close()


class _AsyncTee(_Teed):
    """A live body with a tee in it, for tasks."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        recording = self._recording
        recording.add_reader()
        with recording:
            async for piece in self._stream:
                recording.add_piece(piece)
                yield piece
        recording.body_ended()

    async def aclose(self) -> None:
        self._recording.closed()
        await self._stream.aclose()


class _Played(_Replayed[Player]):
    """A recorded body."""

    def __iter__(self) -> Iterator[bytes]:
        replay = self._replay
        replay.add_reader()
        try:
            for piece in replay.pieces:
                if replay.speed:
                    pacing.wait(replay.piece_delay(piece))
                yield piece.data
            replay.raise_ending(self._make_error)
        finally:
            replay.finished()

    def close(self) -> None:
        self._replay.finished()


class _AsyncPlayed(_Replayed[Player]):
    """A recorded body, for tasks."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        replay = self._replay
        replay.add_reader()
        try:
            if replay.speed:
                for piece in replay.pieces:
                    await pacing.wait_async(replay.piece_delay(piece))
                    yield piece.data
            for piece in replay.pieces:
                yield piece.data
                for piece in islice(replay.pieces, pacing.PIECES_A_TURN - 1):
                    yield piece.data
                await pacing.give_way()
            replay.raise_ending(self._make_error)
        finally:
            replay.finished()

    async def aclose(self) -> None:
        self._replay.finished()


class _Held(_Replayed[SteppedPlayer]):
    """A recorded body that the test lets through."""

    def __iter__(self) -> Iterator[bytes]:
        replay = self._replay
        iterator = replay.begin()
        try:
            while step := replay.take():
                yield step
            replay.raise_ending(self._make_error)
        finally:
            replay.leave(iterator)

    def close(self) -> None:
        self._replay.close()


class _AsyncHeld(_Replayed[SteppedPlayer]):
    """A recorded body that the test lets through, for tasks."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        replay = self._replay
        iterator = replay.begin()
        try:
            while step := await replay.take_async():
                yield step
                await pacing.give_way()
            replay.raise_ending(self._make_error)
        finally:
            replay.leave(iterator)

    async def aclose(self) -> None:
        self._replay.close()
