"""Waiting until nothing is pending: woken by what starts and ends, never polling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

import anyio

from aquila_cassette.waiting.activity import (
    Activity,
    activities_waiting_for,
    tasks_in_worker_threads,
)
from aquila_cassette.waiting.event_loops import (
    Loop,
    TaskOrThread,
    current_loop,
    run_in_loop,
    yield_to_loops,
)
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams, Readers
from aquila_cassette.waiting.pending import Pending, Source

# What is over may start something else a few callbacks later; each of those is a turn of the loop.
_IDLE_TURNS = 10

_REPORT_TIMEOUT = 0.5
"""How long, in seconds, other event loops may take to say what is pending in them."""

NOT_STARTED = Pending("streams that have not started")
"""What is pending where nothing goes on, but fewer streams started than were asked for."""


class Idle:
    """What one task or thread, `here`, waits for; what it reads itself does not count.

    Nor do what matches a pattern of `background` and, with `ignore_held`, the streams that a test
    holds and what waits for them. `enough` returns whether enough streams have started.
    """

    def __init__(
        self,
        streams: Iterable[OpenStreams | Readers],
        sources: Iterable[Source],
        *,
        here: TaskOrThread,
        background: Sequence[str] = (),
        enough: Callable[[], bool] = lambda: True,
        include_worker_threads: bool = True,
        ignore_held: bool = False,
    ) -> None:
        self._streams = list(streams)
        self._sources = list(sources)
        self._here = here
        self._background = background
        self._enough = enough
        self._include_worker_threads = include_worker_threads
        self._ignore_held = ignore_held
        self._other_loops: set[Loop] = set()

    async def wait(self, timeout: float | None, *, once: bool = False) -> list[Pending]:
        """Wait until nothing is pending; return what still is when `timeout` seconds are up.

        With `once`, wait only for what is pending now, not for what that starts. A failure of a
        source is raised at once.
        """
        with anyio.move_on_after(timeout):
            if once:
                await self._wait_for_those_pending_now()
            else:
                await self._wait_until_idle()
            return []
        with anyio.move_on_after(_REPORT_TIMEOUT):
            self._raise_failure()
            return await self.look() or [NOT_STARTED]
        return [Pending("an event loop that does not answer: something blocks it")]

    async def look(self) -> list[Pending]:
        """List all that is pending now."""
        return [one for _, one in await self._look()]

    def failure(self) -> BaseException | None:
        """Return the first failure that a source has, once."""
        for source in self._sources:
            failure = source.take_failure()
            if failure is not None:
                return failure
        return None

    def _raise_failure(self) -> None:
        if (failure := self.failure()) is not None:
            raise failure

    async def _wait_until_idle(self) -> None:
        while True:
            count = notifier.count
            self._raise_failure()
            if await self._is_anything_pending() or not self._enough():
                await notifier.wait(count)
            elif await self._stays_idle(count):
                return

    async def _wait_for_those_pending_now(self) -> None:
        first: set[object] | None = None
        while True:
            count = notifier.count
            self._raise_failure()
            now = {key for key, _ in await self._look()}
            first = now if first is None else first & now
            if not first:
                return
            await notifier.wait(count)

    async def _stays_idle(self, count: int) -> bool:
        for _ in range(_IDLE_TURNS):
            await yield_to_loops(self._other_loops)
            if notifier.count > count:
                return False
        self._raise_failure()
        return not await self._is_anything_pending()

    async def _is_anything_pending(self) -> bool:
        """Look at activities, which cost most, only where no stream or source is pending."""
        ignored = self._ignored_drivers()
        for _ in self._open_streams(ignored):
            return True
        for _ in self._pending_of_sources(ignored):
            return True
        return bool(await self._pending_activities(ignored))

    async def _look(self) -> list[tuple[object, Pending]]:
        ignored = self._ignored_drivers()
        found: list[tuple[object, Pending]] = []
        listed: set[int] = set()
        for stream in self._open_streams(ignored):
            found.append((stream, _describe_stream(stream)))
            listed |= {id(one.driver) for each in stream.with_parents() for one in each.activities}
        for pending in self._pending_of_sources(ignored):
            found.append(((pending.what, id(pending.driver)), pending))
            listed.add(id(pending.driver))
        for activity in await self._pending_activities(ignored):
            if id(activity.driver) not in listed:
                pending = Pending(_describe_activity(activity), driver=activity.driver)
                found.append((activity.key, pending))
        parents = {id(key.parent) for key, _ in found if isinstance(key, OpenStream)}
        return [(key, pending) for key, pending in found if id(key) not in parents]

    def _ignored_drivers(self) -> set[int]:
        """Collect the ids of who waits here, who waits for that one, and who a test holds."""
        ignored = {
            id(self._here),
            *(id(activity.driver) for activity in activities_waiting_for(self._here)),
        }
        if self._ignore_held:
            for streams in self._streams:
                for stream in streams.open():
                    if stream.held:
                        ignored |= _drivers_of(stream)
        return ignored

    def _open_streams(self, ignored: set[int]) -> Iterator[OpenStream]:
        loop = current_loop()
        for streams in self._streams:
            for stream in streams.open():
                if stream.has_reader_except(ignored, loop) and not self._is_background(
                    stream.label
                ):
                    yield stream

    def _pending_of_sources(self, ignored: set[int]) -> Iterator[Pending]:
        for source in self._sources:
            for one in source.pending():
                if id(one.driver) not in ignored and not self._is_background(one.what):
                    yield one

    async def _pending_activities(self, ignored: set[int]) -> list[Activity]:
        """List the pending activities; each event loop is asked for its own."""
        here = current_loop()
        by_loop: dict[Loop, list[Activity]] = {here: []}
        pending: list[Activity] = []
        for streams in self._streams:
            for activity in streams.activities():
                if activity.loop is not None:
                    by_loop.setdefault(activity.loop, []).append(activity)
                elif id(activity.driver) not in ignored and activity.is_pending():
                    pending.append(activity)
        self._other_loops = set(by_loop) - {here}
        for loop, activities in by_loop.items():
            look = partial(_look_in_loop, activities, ignored, self._include_worker_threads)
            pending += look() if loop is here else await run_in_loop(loop, look, [])
        if not self._background:
            return pending
        return [one for one in pending if not self._is_background(_describe_activity(one))]

    def _is_background(self, what: str) -> bool:
        return any(fnmatchcase(what, f"*{pattern}*") for pattern in self._background)


def _look_in_loop(
    activities: Sequence[Activity], ignored: set[int], include_worker_threads: bool
) -> list[Activity]:
    """List the pending activities of the event loop that this is called in."""
    in_threads = tasks_in_worker_threads() if include_worker_threads else ()
    return [
        one
        for one in [*activities, *in_threads]
        if id(one.driver) not in ignored and one.is_pending()
    ]


def _drivers_of(stream: OpenStream) -> set[int]:
    readers = [activity for one in stream.with_parents() for activity in one.activities]
    return {id(one.driver) for reader in readers for one in (reader, *reader.waiting())}


def _describe_stream(stream: OpenStream) -> Pending:
    reader = stream.reader_location()
    facts = [*stream.facts(), *([f"reader: {reader}"] if reader else [])]
    driver = stream.activities[0].driver if stream.activities else None
    return Pending(stream.label, tuple(facts), driver)


def _describe_activity(activity: Activity) -> str:
    return activity.location() or repr(activity.driver)
