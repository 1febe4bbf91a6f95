"""The wait behind `render_async` and `settled`: return when nothing is pending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial

import anyio

from aquila_cassette.waiting.activity import (
    Activity,
    activities_waiting_for,
    tasks_in_worker_threads,
)
from aquila_cassette.waiting.event_loops import Loop, TaskOrThread, current_loop, run_in_loop
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams
from aquila_cassette.waiting.pending import Pending, Source

# What is over may start something else a few callbacks later; each of those is a turn of the loop.
_IDLE_TURNS = 10

_REPORT_TIMEOUT = 0.5
"""How long, in seconds, other event loops may take to say what is pending in them."""


class Idle:
    """What one task or thread, `here`, waits for.

    What it reads itself does not count, nor what matches a pattern of `background`. `readers` and
    who waits for them count beside those of `streams`; of the sources, without `jobs`, only what
    no task or thread does: messages that wait to be handled.
    """

    def __init__(
        self,
        streams: Sequence[OpenStreams],
        sources: Sequence[Source],
        *,
        here: TaskOrThread,
        background: Sequence[str] = (),
        enough: Callable[[], bool] = lambda: True,
        worker_threads: bool = True,
        jobs: bool = True,
        readers: Sequence[Activity] = (),
    ) -> None:
        self._streams = streams
        self._sources = sources
        self._here = here
        self._background = background
        self._enough = enough
        self._worker_threads = worker_threads
        self._jobs = jobs
        self._readers = readers
        self._other_loops: set[Loop] = set()

    async def wait(self, timeout: float | None, *, once: bool = False) -> list[Pending]:
        """Wait until nothing is pending; return what still is when `timeout` seconds are up.

        `once` waits only for what is pending now. A failure of a source is raised at once.
        """
        with anyio.move_on_after(timeout):
            if once:
                await self._wait_for_those_pending_now()
            else:
                await self._wait_until_idle()
            return []
        with anyio.move_on_after(_REPORT_TIMEOUT):
            self._raise_failure()
            nothing = Pending("a stream that has not started, or a view that still draws")
            return await self.look() or [nothing]
        return [Pending("an event loop that does not answer: something blocks it")]

    async def look(self) -> list[Pending]:
        return list((await self._look()).values())

    def failure(self) -> BaseException | None:
        """Return the first failure that a source has, once."""
        return next(filter(None, (source.take_failure() for source in self._sources)), None)

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
            now = set(await self._look())
            first = now if first is None else first & now
            if not first:
                return
            await notifier.wait(count)

    async def _stays_idle(self, count: int) -> bool:
        for _ in range(_IDLE_TURNS):
            await anyio.lowlevel.checkpoint()
            for loop in self._other_loops:
                await run_in_loop(loop, lambda: None)
            if notifier.count > count:
                return False
        self._raise_failure()
        return not await self._is_anything_pending()

    async def _is_anything_pending(self) -> bool:
        """Look at activities, which cost most, only where no stream or source is pending."""
        ignored = self._ignored_drivers()
        return bool(
            self._pending_streams(ignored)
            or self._pending_of_sources(ignored)
            or await self._pending_activities(ignored)
        )

    async def _look(self) -> dict[object, Pending]:
        """Describe what is pending, each once, by keys that stay the same."""
        ignored = self._ignored_drivers()
        found: dict[object, Pending] = {}
        listed: set[int] = set()
        streams = self._pending_streams(ignored)
        parents = [stream.parent for stream in streams]
        for stream in streams:
            listed |= {id(one.driver) for each in stream.with_parents() for one in each.activities}
            if stream not in parents:
                found[stream] = _describe_stream(stream)
        for pending in self._pending_of_sources(ignored):
            listed.add(id(pending.driver))
            found[pending.what, id(pending.driver)] = pending
        for activity in await self._pending_activities(ignored):
            if id(activity.driver) not in listed:
                found[activity.key] = Pending(_describe_activity(activity), driver=activity.driver)
        return found

    def _ignored_drivers(self) -> set[int]:
        waiting = activities_waiting_for(self._here)
        return {id(self._here), *(id(activity.driver) for activity in waiting)}

    def _pending_streams(self, ignored: set[int]) -> list[OpenStream]:
        loop = current_loop()
        return [
            stream
            for streams in self._streams
            for stream in streams.open()
            if stream.has_reader_except(ignored, loop) and not self._is_background(stream.label)
        ]

    def _pending_of_sources(self, ignored: set[int]) -> list[Pending]:
        return [
            one
            for source in self._sources
            for one in source.pending()
            if id(one.driver) not in ignored and not self._is_background(one.what)
            if self._jobs or one.driver is None
        ]

    async def _pending_activities(self, ignored: set[int]) -> list[Activity]:
        """List the pending activities; each event loop is asked for its own."""
        here = current_loop()
        by_loop: dict[Loop, list[Activity]] = {here: []}
        reading = [one for one in self._readers if not one.is_over()]
        waiting = [other for one in reading for other in one.waiting()]
        known = [one for streams in self._streams for one in streams.activities()]
        for activity in (*reading, *waiting, *known):
            by_loop.setdefault(activity.loop or here, []).append(activity)
        self._other_loops = by_loop.keys() - {here}

        def look(activities: list[Activity]) -> list[Activity]:
            in_threads = tasks_in_worker_threads() if self._worker_threads else ()
            every = [one for one in [*activities, *in_threads] if id(one.driver) not in ignored]
            return [one for one in every if one.is_pending()]

        pending = look(by_loop.pop(here))
        for loop, activities in by_loop.items():
            pending += await run_in_loop(loop, partial(look, activities)) or []
        if not self._background:
            return pending
        return [one for one in pending if not self._is_background(_describe_activity(one))]

    def _is_background(self, what: str) -> bool:
        return any(fnmatchcase(what, f"*{pattern}*") for pattern in self._background)


def _describe_stream(stream: OpenStream) -> Pending:
    reader = stream.reader_location()
    facts = [*stream.facts(), *([f"reader: {reader}"] if reader else [])]
    driver = stream.activities[0].driver if stream.activities else None
    return Pending(stream.label, tuple(facts), driver)


def _describe_activity(activity: Activity) -> str:
    return activity.location() or repr(activity.driver)
