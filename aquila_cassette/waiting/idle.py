"""Waiting until nothing is pending: woken by what starts and ends, never polling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeGuard

import anyio

from aquila_cassette.waiting.activity import Work, awaiting
from aquila_cassette.waiting.current_task import Driver
from aquila_cassette.waiting.in_loop import Home, elsewhere, home_here, turn
from aquila_cassette.waiting.notifier import changes
from aquila_cassette.waiting.sources import Pending, Source
from aquila_cassette.waiting.streams import OpenStream, OpenStreams, Readers
from aquila_cassette.waiting.worker_threads import hopping

__all__ = ["NOT_STARTED", "Idle"]

# What is over may start something else a few callbacks later; each of those is a turn of the loop.
_TURNS = 10

# A loop that hangs cannot say what it does; it is waited for this long, in seconds, to report.
_PATIENCE = 0.5

NOT_STARTED = Pending("streams that have not started")
"""What is pending where nothing goes on, but fewer streams started than were asked for."""


class Idle:
    """What one waiter waits for.

    Args:
        streams: Whose streams.
        sources: Who else may have something pending, or has a failure to tell.
        here: The task or thread that waits; what it reads itself is not waited for.
        background: Patterns of what stays open on purpose.
        enough: Tells whether as many streams started as were asked for.
        hops: Whether tasks that wait for a worker thread count.
        but_held: Whether streams that a test holds back, and who waits for them, do not count.
    """

    def __init__(
        self,
        streams: Iterable[OpenStreams | Readers],
        sources: Iterable[Source],
        *,
        here: Driver,
        background: Sequence[str] = (),
        enough: Callable[[], bool] = lambda: True,
        hops: bool = True,
        but_held: bool = False,
    ) -> None:
        self._streams = list(streams)
        self._sources = list(sources)
        self._here = here
        self._background = background
        self._enough = enough
        self._hops = hops
        self._but_held = but_held
        self._homes: set[Home] = set()

    async def wait(self, timeout: float | None, *, once: bool = False) -> list[Pending]:
        """Wait until nothing is pending, or the time is up.

        Args:
            timeout: The longest wait, in seconds; None for any time.
            once: Wait only for what is pending now, not for what that starts.

        Returns:
            What is still pending; nothing, if all went well.

        Raises:
            Exception: The first failure that a source has to tell.
        """
        with anyio.move_on_after(timeout):
            if once:
                await self._until_those_are_over()
            else:
                await self._until_idle()
            return []
        with anyio.move_on_after(_PATIENCE):
            self._raise_failure()
            return await self.look() or [NOT_STARTED]
        return [Pending("an event loop that does not answer: something blocks it")]

    async def look(self) -> list[Pending]:
        """List all that is pending."""
        return [one for _, one in await self._look()]

    async def _until_idle(self) -> None:
        while True:
            count = changes.count
            self._raise_failure()
            if await self._anything() or not self._enough():
                await changes.after(count)
            elif await self._stays_idle(count):
                return

    async def _until_those_are_over(self) -> None:
        first: set[object] | None = None
        while True:
            count = changes.count
            self._raise_failure()
            now = {key for key, _ in await self._look()}
            first = now if first is None else first & now
            if not first:
                return
            await changes.after(count)

    async def _stays_idle(self, count: int) -> bool:
        for _ in range(_TURNS):
            await turn(self._homes)
            if changes.count > count:
                return False
        self._raise_failure()
        return not await self._anything()

    def failure(self) -> BaseException | None:
        """Give the first failure that a source has to tell, once."""
        for source in self._sources:
            failure = source.take_failure()
            if failure is not None:
                return failure
        return None

    def _raise_failure(self) -> None:
        if (failure := self.failure()) is not None:
            raise failure

    async def _anything(self) -> bool:
        """Tell whether anything is pending; tasks are looked at only where nothing else is."""
        mine = self._mine()
        if any(True for _ in self._open(mine)) or any(True for _ in self._told(mine)):
            return True
        return bool(await self._works(mine))

    async def _look(self) -> list[tuple[object, Pending]]:
        mine = self._mine()
        found: list[tuple[object, Pending]] = []
        listed: set[int] = set()
        for stream in self._open(mine):
            found.append((stream, _of_stream(stream)))
            listed |= {id(work.driver) for one in stream.with_parents() for work in one.works}
        for one in self._told(mine):
            found.append(((one.what, id(one.driver)), one))
            listed.add(id(one.driver))
        for work in await self._works(mine):
            if id(work.driver) not in listed:
                found.append((work.key, Pending(_of_work(work), driver=work.driver)))
        parents = {id(one.parent) for one in (key for key, _ in found) if _is_stream(one)}
        return [(key, one) for key, one in found if id(key) not in parents]

    def _mine(self) -> set[int]:
        """Collect the drivers that are not waited for: who waits here, who waits for that one."""
        mine = {id(self._here), *(id(work.driver) for work in awaiting(self._here))}
        if self._but_held:
            for streams in self._streams:
                for stream in streams.open():
                    if stream.held:
                        mine |= _drivers_of(stream)
        return mine

    def _open(self, mine: set[int]) -> Iterator[OpenStream]:
        for streams in self._streams:
            for stream in streams.open():
                if stream.has_reader_but(mine, home_here()) and not self._is_background(
                    stream.label
                ):
                    yield stream

    def _told(self, mine: set[int]) -> Iterator[Pending]:
        for source in self._sources:
            for one in source.pending():
                if id(one.driver) not in mine and not self._is_background(one.what):
                    yield one

    async def _works(self, mine: set[int]) -> list[Work]:
        """List the works whose drivers have not left them."""
        at: dict[Home, list[Work]] = {home_here(): []}
        anywhere: list[Work] = []
        for streams in self._streams:
            for work in streams.works():
                if work.home is None:
                    anywhere.append(work)
                else:
                    at.setdefault(work.home, []).append(work)
        self._homes = set(at) - {home_here()}
        pending = [work for work in anywhere if id(work.driver) not in mine and work.pending()]
        for home, works in at.items():
            look = _Look(works, self._hops, mine)
            pending += look() if home is home_here() else await elsewhere(home, look, [])
        if not self._background:
            return pending
        return [work for work in pending if not self._is_background(_of_work(work))]

    def _is_background(self, what: str) -> bool:
        return any(fnmatchcase(what, f"*{pattern}*") for pattern in self._background)


class _Look:
    """Lists the works of one event loop whose drivers have not left them, in that loop."""

    def __init__(self, works: Sequence[Work], hops: bool, mine: set[int]) -> None:
        self._works = works
        self._hops = hops
        self._mine = mine

    def __call__(self) -> list[Work]:
        works = [*self._works, *(hopping() if self._hops else ())]
        return [work for work in works if id(work.driver) not in self._mine and work.pending()]


def _drivers_of(stream: OpenStream) -> set[int]:
    works = [work for one in stream.with_parents() for work in one.works]
    return {id(work.driver) for one in works for work in (one, *one.waiting())}


def _is_stream(key: object) -> TypeGuard[OpenStream]:
    return isinstance(key, OpenStream)


def _of_stream(stream: OpenStream) -> Pending:
    reader = stream.reader()
    facts = [*stream.facts(), *([f"reader: {reader}"] if reader else [])]
    return Pending(stream.label, tuple(facts), stream.works[0].driver if stream.works else None)


def _of_work(work: Work) -> str:
    return work.stands() or repr(work.driver)
