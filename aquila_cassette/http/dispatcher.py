"""The way of every request: find the session, have it decide, then replay or record.

Below are the bodies that most adapters use: live ones, recorded while they are read, and recorded
ones, replayed.
"""

from __future__ import annotations

import asyncio
import functools
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from aquila_cassette.model import Failure, Headers, Request
from aquila_cassette.session.current import current_session
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.stepping import SteppedPlayer

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

__all__ = [
    "PIECES_A_TURN",
    "HttpAdapter",
    "RecordedBody",
    "ReplayedBody",
    "Send",
    "decide",
    "decode_headers",
    "encode_headers",
    "exchange",
    "exchange_sync",
    "find_class",
    "let_others_run",
    "replay",
    "replay_async",
    "respond",
    "wait",
    "wait_async",
]

Call = TypeVar("Call")
Send = Callable[[Call], Awaitable[Any]]


class HttpAdapter(ABC, Generic[Call]):
    """What the dispatcher needs to know of an HTTP library.

    A call is what the library has of a request where we intercept it. The methods of a library that
    blocks are coroutines too, which never wait.
    """

    is_sync = False
    raises_later = False
    """Whether a failure before the response is not raised here, but where the library waits."""

    def is_foreign(self, call: Call) -> bool:
        """Return whether another mock answers this request."""
        return False

    @abstractmethod
    async def to_request(self, call: Call) -> Request:
        """Return the request as the session knows it, its body read."""

    @abstractmethod
    async def to_response(self, call: Call, player: Player, make_error: MakeError) -> Any:
        """Return a recorded response as the library would."""

    @abstractmethod
    def make_error(self, call: Call, has_begun: bool, failure: Failure) -> Exception | None:
        """Make the exception with which the library reports a failure; None if it has none.

        It may depend on whether the response has begun.
        """

    @abstractmethod
    async def record(self, call: Call, recorder: Recorder, send: Send[Call]) -> Any:
        """Send the request, and return the response that is recorded while it is read."""


async def exchange(adapter: HttpAdapter[Call], call: Call, send: Send[Call]) -> Any:
    """Return the response to `call`: recorded, replayed, or as without us."""
    __tracebackhide__ = True
    session = current_session()
    if session is None or adapter.is_foreign(call):
        return await send(call)
    answer = decide(session, await adapter.to_request(call))
    return await respond(adapter, call, answer, send)


def decide(session: Session, request: Request) -> Recorder | Player | None:
    """Return what records or replays the response, or None where it passes unseen."""
    __tracebackhide__ = True
    if request.header("upgrade") is not None:  # to a protocol in which no body ends
        return None
    return session.handle(request)


async def respond(
    adapter: HttpAdapter[Call], call: Call, answer: Recorder | Player | None, send: Send[Call]
) -> Any:
    """Return the response to `call` from what was decided about it."""
    __tracebackhide__ = True
    if answer is None:
        return await send(call)
    if isinstance(answer, Recorder):
        return await adapter.record(call, answer, send)
    if adapter.is_sync:
        wait(answer.response_delay())
    else:
        await wait_async(answer.response_delay())
    has_begun = answer.interaction.response.status is not None
    make_error = functools.partial(adapter.make_error, call, has_begun)
    if not has_begun and not adapter.raises_later:
        answer.finished()
        answer.raise_ending(make_error)
    return await adapter.to_response(call, answer, make_error)


def exchange_sync(adapter: HttpAdapter[Call], call: Call, send: Callable[[Call], Any]) -> Any:
    """Do what `exchange` does for a library that blocks: nothing in it ever waits."""
    __tracebackhide__ = True

    async def send_now(call: Call) -> Any:
        return send(call)

    try:
        exchange(adapter, call, send_now).send(None)
    except StopIteration as returned:
        return returned.value
    raise AssertionError(f"{adapter} waited in a library that blocks")


def find_class(
    failure: Failure, by_category: Mapping[str, str], *modules: Any
) -> type[Exception] | None:
    """Return the class that was recorded if `modules` have it, else that of the failure's category."""
    for name in (failure.type, by_category.get(failure.category or "")):
        for module in modules:
            found: Any = getattr(module, name or "", None)
            if isinstance(found, type) and issubclass(found, Exception):
                return found
    return None


def decode_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return header fields as a cassette has them; as Latin-1, bytes of any encoding come back.

    >>> decode_headers([(b"Age", b"3")])
    (('age', '3'),)
    """
    return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])


def encode_headers(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """Return header fields as they are on the wire."""
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])


# Bodies.

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
