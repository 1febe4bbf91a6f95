"""The wait behind `render_async`, `settled` and `advance`: return when nothing is pending.

A task, thread or call in a pool counts if it asked, or began in the block; see docs/waiting.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from math import inf
from types import FrameType
from typing import Any

import anyio

from aquila_cassette.waiting import frames, threads
from aquila_cassette.waiting.event_loops import (
    Loop,
    TaskOrThread,
    awaited_future,
    context_of,
    current_loop,
    run_in_loop,
    tasks_of_this_loop,
    time_limit,
)
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.open_streams import CALLS, STARTED, OpenStreams
from aquila_cassette.waiting.pending import MarkedJob, Pending, Source, current_job
from aquila_cassette.waiting.tasks import State, awaited_tasks, look_at, notify_after_step

_IDLE_TURNS = (1, 2, 3, 4)
"""How many turns of the event loop to let pass before each look that must find nothing pending.

What is over may start something else a few callbacks later; each of those is a turn.
"""

_REPORT_TIMEOUT = 0.5
"""How long, in seconds, other event loops may take to say what is pending in them."""

Found = tuple[TaskOrThread, list[FrameType]]


@dataclass
class Idle:
    """What one task or thread, `here`, waits for; not for itself, nor for what `background` names.

    Of a `view`, only its jobs and what they started count; with `asked`, only who asked. Without
    `held`, jobs and readers that wait for a held stream do not count.
    """

    blocks: Sequence[OpenStreams]
    sources: Sequence[Source]
    here: TaskOrThread
    background: Sequence[str] = ()
    enough: Callable[[], bool] = lambda: True
    view: object = None
    asked: bool = False
    held: bool = True
    # Tasks that do not count, or are parked, until they wait for another future than this one.
    _parked: dict[Any, Any] = field(default_factory=dict)
    _awaited: set[Any] = field(default_factory=set)  # by tasks that are the user's

    async def wait(self, timeout: float | None, *, once: bool = False) -> list[Pending]:
        """Wait until nothing is pending; return what still is when `timeout` seconds are up.

        `once` waits only for what is pending now. A failure of a source is raised at once, what a
        task or thread raised, and nobody retrieved, at the end.
        """
        with time_limit(timeout):
            if once:
                await self._wait_for_those_pending_now()
            else:
                await self._wait_until_idle()
            return []
        with time_limit(_REPORT_TIMEOUT):
            self._raise_failure()
            nothing = Pending("a stream that has not started, or a view that still draws")
            return await self.look() or [nothing]
        return [Pending("an event loop that does not answer: something blocks it")]

    async def look(self) -> list[Pending]:
        """Describe what is pending, each once."""
        return list((await self._look()).values())

    def failure(self) -> BaseException | None:
        """Return the first failure that a source has, once."""
        return next(filter(None, (source.take_failure() for source in self.sources)), None)

    def _raise_failure(self) -> None:
        if (failure := self.failure()) is not None:
            raise failure

    async def _wait_until_idle(self) -> None:
        while True:
            count = notifier.count
            self._raise_failure()
            if await self._is_anything_pending():
                await notifier.wait(count)
            elif await self._stays_idle():
                break
        for block in self.blocks:
            if failure := block.take_failure(self._counts_job):
                raise failure

    async def _stays_idle(self) -> bool:
        for turns in _IDLE_TURNS:
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
                for loop in self._other_loops():
                    await run_in_loop(loop, lambda: None)
            if await self._is_anything_pending():
                return False
        return True

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

    # What is pending.

    async def _is_anything_pending(self) -> bool:
        is_pending = any(self._pending_of_sources()) or not self.enough()
        return is_pending or bool(await self._pending_drivers(only_one=True))

    async def _look(self) -> dict[object, Pending]:
        found: dict[object, Pending] = {}
        listed: set[int] = set()
        for pending in self._pending_of_sources():
            listed.add(id(pending.driver))
            found[pending.what, id(pending.driver)] = pending
        streams = [stream for block in self.blocks for stream in block.open()]
        parents = [stream.parent for stream in streams]
        for driver, stack in await self._pending_drivers():
            for stream in streams:
                if stream.is_read_by(driver) and stream not in parents:
                    reader = stream.reader_location()
                    facts = [*stream.facts(), *([f"reader: {reader}"] if reader else [])]
                    found[stream] = Pending(stream.label, tuple(facts), driver)
                    listed.add(id(driver))
            if id(driver) not in listed:
                what = frames.location(stack) or repr(driver)
                found[id(driver)] = Pending(what, driver=driver)
        return found

    def _pending_of_sources(self) -> Iterator[Pending]:
        for source in self.sources:
            for one in source.pending():
                if one.driver is self.here or (one.driver is not None and not self.held):
                    continue
                if not any(fnmatchcase(one.what, f"*{pattern}*") for pattern in self.background):
                    yield one

    async def _pending_drivers(self, *, only_one: bool = False) -> list[Found]:
        """List the tasks, threads and calls that are pending; each notifies when that may change."""
        look = partial(self._pending_tasks, only_one=only_one)
        found = look() or self._pending_threads() if only_one else look() + self._pending_threads()
        for loop in self._other_loops():
            if not (only_one and found):
                found += await run_in_loop(loop, look) or []
        return found

    @property
    def _since(self) -> float:
        """The number of the first block; all that began after it counts."""
        return min((one.begun for one in self.blocks if one.begun is not None), default=inf)

    def _other_loops(self) -> set[Loop]:
        loops = {loop for block in self.blocks for loop in block.loops}
        begun = [one.thread for one in list(STARTED.values()) if one.order > self._since]
        blocked = threads.running_loops(threading.enumerate(), held=True)
        return loops.union(threads.running_loops(begun)) - {current_loop(), *blocked}

    def _pending_tasks(self, *, only_one: bool) -> list[Found]:
        """List the tasks of this event loop that are pending."""
        found, perhaps = list[Found](), list[Found]()
        readers = self._readers()
        for task in tasks_of_this_loop():
            waited, parked = awaited_future(task), self._parked.get(task)
            if parked is not None and parked is waited and not parked.done():
                continue
            block = None if task is self.here else self._block_of(task)
            if block is None:
                self._parked[task] = waited
                continue
            look = look_at(task)
            asked = any(task in one.asked for one in self.blocks)
            is_yours = look.is_users or asked or task in readers or task in self._awaited
            if is_yours:
                block.follow(task)
                self._awaited.update(awaited_tasks(task, look))
            is_apart = look.state is State.HOPS or (look.state is State.HELD and not self.held)
            if look.state is State.PARKED or frames.fits(self.background, look.frames):
                self._parked[task] = waited
            elif not is_apart:
                is_pending = is_yours or look.state in (State.RUNS, State.HELD)
                (found if is_pending else perhaps).append((task, look.frames))
            if found and only_one:
                break
        found += [one for one in perhaps if one[0] in self._awaited]
        for task, _ in found:
            notify_after_step(task)
        return found

    def _block_of(self, task: Any) -> OpenStreams | None:
        """Return the block in which a task counts, because it asked or is new."""
        found = None
        for block in self.blocks:
            is_background = block.asked.get(task)
            if is_background:
                return None
            is_new = block.begun is not None and task not in block.older
            if is_background is not None or (is_new and not self.asked):
                found = found or block
        if found is None or self.view is None:
            return found
        return found if self._counts_job(current_job(context_of(task))) else None

    def _counts_job(self, job: MarkedJob | None) -> bool:
        return self.view is None or (job is not None and job.view is self.view)

    def _readers(self) -> list[Any]:
        streams = [stream for block in self.blocks for stream in block.open()]
        return [reader() for stream in streams for reader in stream.readers]

    def _pending_threads(self) -> list[Found]:
        """List the threads and calls in pools that are pending."""
        readers = self._readers()
        found: list[Found] = []
        for begun in [*CALLS.values(), *STARTED.values()]:
            thread, stack = begun.thread, frames.frames_of(begun.thread)
            asked = [block.asked[thread] for block in self.blocks if thread in block.asked]
            if (
                thread is not self.here
                and (asked or (begun.order > self._since and not self.asked))
                and not any(asked)
                and self._counts_job(begun.job)
                and threads.is_pending(begun, stack, reads=thread in readers)
                and (self.held or not threads.is_held(stack))
                and not frames.fits(self.background, stack)
            ):
                found.append((thread or begun, stack))
        return found
