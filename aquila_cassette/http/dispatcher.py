"""Handle a request of any library: find the session, decide, record or replay.

Below are the bodies that most adapters use: live ones, recorded while they are read, and recorded
ones, replayed.
"""

from __future__ import annotations

import functools
import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aquila_cassette.model import Failure, Headers, Request
from aquila_cassette.session.current_session import current_session, ended_session, sending
from aquila_cassette.session.failures import RAISED
from aquila_cassette.session.hosts import Peer, host_and_port
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.unrecorded import report_connection, report_late_request

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

Call = TypeVar("Call")
Send = Callable[[Call], Awaitable[Any]]


class HttpAdapter(ABC, Generic[Call]):
    """What the dispatcher needs to know of an HTTP library.

    A call is what the library has of a request where we intercept it. The methods of a library that
    blocks are coroutines too, which never wait.
    """

    def __init__(self, lib: Any, *, sync: bool = False) -> None:
        self._lib = lib
        self.is_sync = sync

    def is_foreign(self, call: Call) -> bool:
        return False  # or another mock answers it

    def handle(self, original: Any, _transport: Any, call: Call) -> Any:
        """Take the place of the method of a transport that takes a call."""
        __tracebackhide__ = True
        return (exchange_sync if self.is_sync else exchange)(self, call, original)

    @abstractmethod
    async def to_request(self, call: Call) -> Request: ...

    @abstractmethod
    async def to_response(self, call: Call, player: Player, make_error: MakeError) -> Any: ...

    @abstractmethod
    def make_error(self, call: Call, has_begun: bool, failure: Failure) -> Exception | None:
        """Make the exception with which the library reports a failure; None if it has none."""

    @abstractmethod
    async def record(self, call: Call, recorder: Recorder, send: Send[Call]) -> Any:
        """Send the request, and return the response that is recorded while it is read."""

    async def read_whole(self, call: Call, response: Any) -> None:
        """Read what `record` returned to its end, and close it: the consumer gets a held replay."""
        await read_body(response, is_sync=self.is_sync)


async def exchange(adapter: HttpAdapter[Call], call: Call, send: Send[Call]) -> Any:
    """Return the response to `call`: recorded, replayed, or as without us."""
    __tracebackhide__ = True
    session = find_session()
    if session is None:
        return await send(call)
    if adapter.is_foreign(call):
        session.warns_if_empty = False
        return await send(call)
    answer = decide(session, await adapter.to_request(call))
    return await respond(adapter, call, answer, send)


def find_session() -> Session | None:
    """Return the session that decides about a request made here, be it over; None without a block."""
    __tracebackhide__ = True
    session = current_session()
    if session is None:
        ended = ended_session()
        if ended and ended.reports_unrecorded and not ended.streams.is_at_home():
            return ended
        report_late_request()
    return session


def decide(session: Session, request: Request) -> Recorder | Player | None:
    """Return what records or replays the response; None where it passes unseen."""
    __tracebackhide__ = True
    if request.header("upgrade") is not None:  # to a protocol in which no body ends
        host, port = host_and_port(request.url)
        report_connection(Peer(host, host, port))
        return None
    return session.handle(request, ended_session())


async def respond(
    adapter: HttpAdapter[Call], call: Call, answer: Recorder | Player | None, send: Send[Call]
) -> Any:
    """Return the response to `call` from what was decided about it."""
    __tracebackhide__ = True
    if answer is None:
        with sending():
            return await send(call)
    if isinstance(answer, Recorder):
        with sending():
            response = await adapter.record(call, answer, send)
        if not answer.holds:
            return response
        recorder = answer
        with replayed_errors(recorder):
            await adapter.read_whole(call, response)
        answer = recorder.replay()
    if adapter.is_sync:
        answer.wait_for_response()
    else:
        await answer.wait_for_response_async()
    has_begun = answer.interaction.response.status is not None
    make_error = functools.partial(adapter.make_error, call, has_begun)
    if not has_begun:
        answer.finished()
        answer.raise_ending(make_error)
    return await adapter.to_response(call, answer, make_error)


@contextmanager
def replayed_errors(recorder: Recorder) -> Iterator[None]:
    """Read a whole answer inside: what it ends in is raised by its replay, at its place."""
    try:
        yield
    except Exception:
        if not recorder.over:
            raise


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
    failure: Failure, *modules: Any, names: Mapping[str, Sequence[str]] = RAISED
) -> type[Exception] | None:
    """Return the class that was recorded if `modules` have it, else one of the failure's category."""
    for name in (failure.type or "", *names.get(failure.category or "", ())):
        for module in modules:
            found: Any = getattr(module, name, None)
            if isinstance(found, type) and issubclass(found, Exception):
                return found
    return None


_NUMBERED = re.compile(r"\[Errno (-?\d+)\] (.*)", re.DOTALL)


def make_error(failure: Failure, *modules: Any) -> Exception | None:
    """Make the exception of which `find_class` finds the class."""
    found = find_class(failure, *modules)
    return None if found is None else make_exception(found, failure.message)


def make_exception(kind: type[Exception], message: str) -> Exception:
    """Make an exception of which the cassette has the message alone."""
    if issubclass(kind, ssl.SSLError):
        return kind(1, message)
    numbered = _NUMBERED.fullmatch(message)
    if issubclass(kind, OSError) and numbered is not None:
        return kind(int(numbered[1]), numbered[2])
    made = kind.__new__(kind, message)  # what else its constructor wants is not on the cassette
    made.args = (message,)
    return made


def decode_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return header fields as a cassette has them; as Latin-1, bytes of any encoding come back."""
    return _decode(tuple(raw))


@functools.lru_cache(maxsize=64)  # one client sends nearly the same headers again and again
def _decode(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])


def encode_headers(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])


# Bodies.


class RecordedBody:
    """A live body that is iterated over and closed, sync or async."""

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


async def read_body(body: Any, *, is_sync: bool) -> None:
    """Read a live body to its end, and close it."""
    if is_sync:
        with closing(body):
            for _ in body:
                pass
    else:
        async with aclosing(body):
            async for _ in body:
                pass


class ReplayedBody:
    """A recorded body that is iterated over and closed, sync or async."""

    def __init__(self, player: Player, make_error: MakeError) -> None:
        self._player = player
        self._make_error = make_error

    def __iter__(self) -> Iterator[bytes]:
        return self._player.replay(self._make_error)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._player.replay_async(self._make_error)

    def close(self) -> None:
        self._player.close()

    async def aclose(self) -> None:
        self._player.close()
