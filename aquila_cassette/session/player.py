"""Replay one response: its pieces at a pace, its headers, its ending; also for who reads ahead of its consumer."""

from __future__ import annotations

import asyncio
import builtins
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from email.utils import parsedate
from functools import cached_property, lru_cache
from itertools import chain, islice
from operator import length_hint
from typing import Any

from anyio.lowlevel import checkpoint

from aquila_cassette.content_encoding import decode_unless_huge
from aquila_cassette.errors import ReplayError, TruncatedReplayError
from aquila_cassette.model import TEARDOWN, Failure, Headers, Interaction, Request
from aquila_cassette.session.failures import with_category
from aquila_cassette.session.stream_text import count_events, describe_stream
from aquila_cassette.transcript.humanize import count
from aquila_cassette.waiting.event_loops import elapsed, sleep
from aquila_cassette.waiting.open_streams import OpenStreams

_EXPIRES = re.compile(r";\s*expires=([^;]+)", re.IGNORECASE)

MakeError = Callable[[Failure], Exception | None]
"""Makes the exception with which the requesting library reports a failure; None if it has none."""


PIECES_A_TURN = 256
"""How many pieces a replay without pace gives before other tasks get a turn.

A live stream never holds the loop between two reads. Giving others a turn costs as much as some 30
pieces, so a turn is many pieces, which take less than a millisecond, and always as many: a replay
must interleave with others in the same way each time.
"""


_STOP_TIME = 0.5
"""How long, in seconds, a consumer may take to stop who reads ahead of it, as it did in the recording."""

_WAITS = ("openai-poll-after-ms", "retry-after", "retry-after-ms", "x-ms-retry-after-ms")
"""Headers that say how long to wait before the next request."""


class ReplayIndex:
    """The interactions that a block can replay, in recorded order, found by key.

    Of equal interactions those signed as `reader` come first, then the others of its owner: what a
    test asked in its teardown is its own too.
    """

    def __init__(
        self,
        interactions: Sequence[Interaction],
        key_of: Callable[[Request], Hashable],
        *,
        reader: str | None = None,
    ) -> None:
        self.interactions = tuple(interactions)
        self.played: set[int] = set()
        self._key_of = key_of
        self._reader = reader
        self.last: dict[Hashable, int] = {}  # the place that was replayed last for a key
        self._lock = threading.RLock()

    def take(self, key: Hashable, *, repeats: bool) -> tuple[int, bool] | None:
        """Return the place of the next interaction of the request with `key`, from 0.

        And whether another one follows; with `repeats` the last one follows again and again.
        """
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting:
                place = self.last[key] = waiting.popleft()
                self.played.add(place)
                return place, bool(waiting) or repeats
            return (self.last[key], True) if repeats and key in self.last else None

    def put_back(self, place: int) -> None:
        """Have an interaction replayed by the next request too; it counts as replayed."""
        with self._lock:
            key = self._key_of(self.interactions[place].request)
            self._waiting.setdefault(key, deque()).appendleft(place)

    def note_played(self, key: Hashable, place: int) -> None:
        """Note that another process has taken an interaction."""
        with self._lock:
            waiting = self._waiting[key]
            if place in waiting:
                waiting.remove(place)
            self.last[key] = place
            self.played.add(place)

    @cached_property
    def _waiting(self) -> dict[Hashable, deque[int]]:
        owner = (self._reader or "").removesuffix(TEARDOWN)

        def distance(numbered: tuple[int, Interaction]) -> tuple[bool, bool]:
            return numbered[1].owner != owner, numbered[1].signed_by != self._reader

        by_place = list(enumerate(self.interactions))
        waiting: dict[Hashable, deque[int]] = {}
        for place, one in sorted(by_place, key=distance) if owner else by_place:
            waiting.setdefault(self._key_of(one.request), deque()).append(place)
        return waiting


class Player:
    """The recorded response to one request.

    The pieces come from one iterator, however often it is asked for: a body can be resumed (some
    SDKs read on after its last event), not restarted. `replay` and `replay_async` give a whole
    body; what reads piece by piece calls `begin`, then `take_async` until that returns nothing,
    `raise_ending`, and what `begin` returned.
    """

    def __init__(
        self,
        session: Any,  # a `Session`, which imports this
        interaction: Interaction,
        number: int,
        *,
        more: bool = False,
        asked: Request | None = None,
        is_stream: bool = True,
        background: bool = False,
        speed: float | None = None,
    ) -> None:
        self.interaction = interaction
        self.number = number
        self.speed: float = session.options.speed if speed is None else speed
        self.on_end: Callable[[Exception | None, bool], None] | None = None
        """Called with what the code got at the end: an error, or none; and whether it was whole."""
        self.is_immediate = not self.speed
        self._parts = interaction.response.parts
        self.pieces: Iterator[bytes] = iter(self._parts)
        self._session = session
        self._more = more
        self._asked = asked or interaction.request
        self._started = elapsed() if self.speed else 0.0
        self._streams: OpenStreams = session.streams
        self.stream = None
        if is_stream:
            self.stream = self._streams.start(self._title, self._facts, background=background)

    @property
    def headers(self) -> Headers:
        """The headers to serve: a poll or a retry that follows comes at once, except at a pace."""
        one, response = self.interaction, self.interaction.response
        length = len(response.body) if response.ended == "complete" and has_body(one) else None
        headers = _fresh(response.headers, one.recorded_at, length)
        if self.speed or not (self._more or response.status == 202):
            return headers
        return _without_waits(headers, response.status or 0, self._more, self._asked.headers)

    def decode(self) -> None:
        """Give a body that was kept compressed as a reader gets it whose library decompresses."""
        encoding = self.interaction.response.header("content-encoding")
        if encoding and (decoded := decode_unless_huge(encoding, self._parts)):
            self._parts = tuple(decoded)
            self.pieces = iter(self._parts)

    def wait_for_response(self) -> None:
        """Wait until status and headers are due at this speed."""
        if self.speed:
            time.sleep(self._delay(self.interaction.response.headers_after))

    async def wait_for_response_async(self) -> None:
        """Do the same in this task, and let the others run in any case."""
        if self.speed:
            await sleep(self._delay(self.interaction.response.headers_after))
        else:
            await let_others_run()

    def replay(self, make_error: MakeError) -> Iterator[bytes]:
        """Give the pieces, each when it is due, and end as the recording ended."""
        rest = self._replay_rest(make_error)
        next(rest)  # it begins to be read now
        return chain(self.pieces, rest) if self.is_immediate else rest

    def _replay_rest(self, make_error: MakeError) -> Iterator[bytes]:
        __tracebackhide__ = True
        leave = self.begin()
        try:
            yield b""  # begun: a chain gives pieces that wait for nothing, quicker than this would
            if not self.is_immediate:
                while piece := self.take():
                    yield piece
            if self._reads_ahead:
                time.sleep(_STOP_TIME)
            self.raise_ending(make_error)
        finally:
            leave()

    async def replay_async(self, make_error: MakeError) -> AsyncIterator[bytes]:
        __tracebackhide__ = True
        leave = self.begin()
        try:
            if self.is_immediate:
                while True:
                    for piece in islice(self.pieces, PIECES_A_TURN):
                        yield piece
                    if self.has_given_all():
                        break
                    await let_others_run()
            else:
                while piece := await self.take_async():
                    yield piece
            await self.wait_to_be_stopped()
            self.raise_ending(make_error)
        finally:
            leave()

    def begin(self) -> Callable[[], None]:
        """Note that this task or thread begins to read the body; call at its end what this returns."""
        self._streams.add_reader(self.stream)
        return self.finished

    def take(self) -> bytes:
        """Return the next piece when it is due; nothing at the end."""
        if self.speed:
            time.sleep(self._piece_delay())
        return next(filter(None, self.pieces), b"")

    async def take_async(self) -> bytes:
        self._streams.add_reader(self.stream)
        if self.speed:
            await sleep(self._piece_delay())
        elif self._place % PIECES_A_TURN == PIECES_A_TURN - 1:
            await let_others_run()
        return next(filter(None, self.pieces), b"")

    async def wait_to_be_stopped(self) -> None:
        """Wait, where the recorded consumer stopped a task that read ahead of it, for the same."""
        if self._reads_ahead:
            await sleep(_STOP_TIME)

    @property
    def _reads_ahead(self) -> bool:
        is_cut = self.interaction.response.ended == "closed"
        return is_cut and not self._streams.is_at_home()

    def has_given_all(self) -> bool:
        """Return whether all pieces were taken, which nobody has to wait for."""
        return not length_hint(self.pieces)

    def _piece_delay(self) -> float:
        if self.has_given_all():
            return 0.0
        return self._delay(self.interaction.response.pieces[self._place].at)

    @property
    def _place(self) -> int:
        return len(self._parts) - length_hint(self.pieces)

    def _delay(self, at: int | None) -> float:
        """Return how long it is from now to `at`, in ms since the request, at this speed."""
        return max(0.0, self._started + (at or 0) / 1000 / self.speed - elapsed())

    def raise_ending(self, make_error: MakeError) -> None:
        """Return at the end of a complete body, else raise what the recorded transport raised.

        Where the recorded consumer had stopped, that is a TruncatedReplayError.
        """
        __tracebackhide__ = True
        error = None
        if self.interaction.response.ended != "complete":
            error = self._ending(make_error)
        if self.on_end is not None:
            self.on_end(error, True)
        if error is not None:
            raise error

    def _ending(self, make_error: MakeError) -> Exception | None:
        response = self.interaction.response
        where = f"cassette: {self._session.shown_path} (interaction {self.number})"
        if response.ended == "closed":
            read = f"{count(len(response.pieces), 'piece')}, {len(response.body)} bytes"
            return TruncatedReplayError(
                f"The recording of {self._title} stops here: its consumer stopped reading there.",
                facts=[where, f"recorded: {read}"],
                fix=self._session.fix,
            )
        error = response.error
        if response.ended != "failed" or error is None:
            return None
        if not error.raises:
            if response.status is not None:
                return None  # a body without its terminal event: no transport raised anything
            error = replace(error, category="connect")
        made = make_error(with_category(error))
        builtin = getattr(builtins, error.type or "", None)
        if made is None and isinstance(builtin, type) and issubclass(builtin, Exception):
            made = builtin(error.message)
        if made is not None:
            at = self.interaction.recorded_at[:10]
            made.add_note(f"Replayed from a {where}{f', recorded {at}' if at else ''}.")
            return made
        return ReplayError(
            f"The recorded answer to {self._title} failed with {error.type or error.category}.",
            facts=[where, f"message:  {error.message}"],
            fix=self._session.fix,
        )

    def close(self) -> None:
        self.finished()

    def finished(self) -> None:
        """Note that nobody reads it any more."""
        self._streams.close(self.stream)
        if self.on_end is not None:
            self.on_end(None, self.has_given_all())

    def _facts(self) -> list[str]:
        return self._describe(b"".join(self._parts[: self._place]))

    def _describe(self, read: bytes) -> list[str]:
        response = self.interaction.response
        content_type = response.header("content-type")
        events = count_events(content_type, response.body)
        return describe_stream(self.interaction.request, content_type, read, events)

    @property
    def _title(self) -> str:
        return f"{self.interaction.request.method} {self.interaction.request.url}"


@lru_cache(maxsize=64)
def _fresh(headers: Headers, recorded_at: str, length: int | None) -> Headers:
    """Return headers as they are true now; a cookie that lived has not expired."""

    def fresh(name: str, value: str) -> str:
        if name == "content-length" and length is not None:
            return str(length)
        expires = _EXPIRES.search(value) if name == "set-cookie" else None
        date = expires and parsedate(expires[1])
        is_live = date and recorded_at < "{:04}-{:02}-{:02}".format(*date)
        return value.replace(expires[0], "") if expires and is_live else value

    return tuple([(name, fresh(name.lower(), value)) for name, value in headers])


@lru_cache(maxsize=64)
def _without_waits(headers: Headers, status: int, more: bool, asked: Headers) -> Headers:
    """Return the headers of a response that another one follows, so that it is asked for at once."""
    sent = {name.lower(): value for name, value in asked}
    waits: dict[str, str] = dict.fromkeys(_WAITS, "0")
    added: dict[str, str] = {}
    if more and (status in (408, 409, 429) or status >= 500):
        added["retry-after-ms"] = "1"  # for SDKs 0 is no answer, and they wait as they like
    if "azsdk-python" in sent.get("user-agent", ""):  # also when it polls
        added["retry-after-ms"] = "1"
        del waits["retry-after"]
    if "x-stainless-poll-helper" in sent:  # openai polls each second by itself
        added["openai-poll-after-ms"] = "0"
    kept = [
        (name, waits.get(name.lower(), value))
        for name, value in headers
        if name.lower() not in added and (name.lower() in waits or name.lower() not in _WAITS)
    ]
    return (*kept, *added.items())


def has_body(one: Interaction) -> bool:
    """Return whether a body follows the headers: to a length of others there are no bytes."""
    return one.request.method != "HEAD" and one.response.status not in (204, 304)


async def let_others_run() -> None:
    """Let the other tasks of this loop run once; in asyncio anyio's own way costs more."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        await checkpoint()
    else:
        await asyncio.sleep(0)
