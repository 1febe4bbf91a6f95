"""The work that a task or a thread is in, from the request it made until it has left that work.

The work is what the outermost function of the user's own code does there: a handler that a
framework called, a job, a task. A stream's last event is not its end; what the code does with the
answer (the next round of tools, a save) belongs to it.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Hashable, Sequence
from types import FrameType
from typing import Any

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.current_task import Driver
from aquila_cassette.waiting.notifier import changed
from aquila_cassette.waiting.parking import parked
from aquila_cassette.waiting.task_graph import ring_after, waited_for_by, waits_for

__all__ = ["TaskWork", "TrioWork", "Work", "awaiting", "waiting_for"]


class Work:
    """What a driver is in.

    Args:
        driver: The task or thread.
        frame: The outermost frame of the user's own code; None if there is none: then the work is
            all that the driver does.
    """

    def __init__(self, driver: Driver, frame: FrameType | None) -> None:
        # The frame itself would keep alive what the function holds, after its end.
        self._frame = None if frame is None else (id(frame), frame.f_code)
        self.key: Hashable = (id(driver), self._frame)
        self._driver = weakref.ref(driver)

    @property
    def driver(self) -> Driver | None:
        """The task or thread, if it still exists."""
        return self._driver()

    @property
    def home(self) -> object:
        """Where it must be looked at: an event loop, trio's token; None for anywhere."""
        return None

    def gone(self) -> bool:
        """Tell whether the driver is gone for good."""
        raise NotImplementedError

    def pending(self) -> bool:
        """Tell, in its home, whether the driver is in the work; if so, ring at its next step."""
        raise NotImplementedError

    def stands(self) -> str | None:
        """Say where in the user's code it stands."""
        raise NotImplementedError

    def waiting(self) -> Sequence[Work]:
        """List the works of the tasks that wait for this one."""
        raise NotImplementedError

    def supersedes(self, other: Work) -> bool:
        """Tell whether `other`, of the same driver and function, has nothing to add."""
        return other.driver is self.driver and (self.asks or not other.asks)

    @property
    def asks(self) -> bool:
        """Whether the driver made a request itself, and not only waits for one that did."""
        return True

    def attend(self) -> None:
        """Have the bell rung when the driver ends; called by the driver itself."""

    def _in(self, inwards: list[FrameType]) -> bool:
        if self._frame is None:
            return True
        return any((id(frame), frame.f_code) == self._frame for frame in inwards)


class TaskWork(Work):
    """The work of a task of asyncio.

    Args:
        driver: The task.
        frame: See `Work`.
        waited: For a task that only waits for the driver of a stream: the future that it waits
            for; it is in the work once that is over.
    """

    def __init__(
        self,
        driver: asyncio.Task[Any],
        frame: FrameType | None,
        waited: asyncio.Future[Any] | None = None,
    ) -> None:
        super().__init__(driver, frame)
        self._home = driver.get_loop()
        self._waited = waited
        self._followed: weakref.ref[Any] | None = None

    @property
    def asks(self) -> bool:
        """Whether it made a request itself."""
        return self._waited is None

    @property
    def home(self) -> object:
        """Its event loop."""
        return self._home

    def gone(self) -> bool:
        """Tell whether the task is done, or its loop closed."""
        task = self.driver
        return task is None or task.done() or self._home.is_closed()

    def pending(self) -> bool:
        """Tell whether the task has not left its function, nor waits for an order in a queue."""
        task = self.driver
        if task is None or self.gone():
            return False
        waited = waits_for(task)
        waits = waited is not None and not waited.done()
        if waits and waited is self._waited:
            return False
        inwards = frames.suspended(task.get_coro())
        if not self._in(inwards) or (waits and parked(inwards)):
            return False
        self._follow(waited)
        return True

    def stands(self) -> str | None:
        """Say where in the user's code the task waits."""
        task = self.driver
        return None if task is None else frames.where(frames.suspended(task.get_coro()))

    def waiting(self) -> Sequence[Work]:
        """List the works of the tasks that wait for this one."""
        task = self.driver
        return [] if task is None else waiting_for(task)

    def attend(self) -> None:
        """Have the bell rung when the task is done."""
        if (task := self.driver) is not None:
            ring_after(task)

    def _follow(self, waited: asyncio.Future[Any] | None) -> None:
        if waited is None:
            self._home.call_soon(changed)
        elif self._followed is None or self._followed() is not waited:
            self._followed = weakref.ref(waited)
            # Added after the task's own callback, so that it rings when the task has had its step.
            ring_after(waited)


def waiting_for(future: Any) -> list[TaskWork]:
    """List the works of the user's own tasks that the end of `future` will wake."""
    works = []
    for task in waited_for_by(future):
        mine = frames.outermost_of_yours(frames.suspended(task.get_coro()))
        if mine is not None:
            works.append(TaskWork(task, mine, waits_for(task)))
    return works


class TrioWork(Work):
    """The work of a task of trio.

    Args:
        driver: The task.
        frame: See `Work`.
        nursery: For a task that only waits for its nursery: that; it is in the work once no task
            is left there.
    """

    def __init__(self, driver: Any, frame: FrameType | None, nursery: Any = None) -> None:
        super().__init__(driver, frame)
        self._home = sys.modules["trio"].lowlevel.current_trio_token()
        self._nursery = nursery
        self._follower: _Follower | None = None

    @property
    def asks(self) -> bool:
        """Whether it made a request itself."""
        return self._nursery is None

    @property
    def home(self) -> object:
        """Its trio token."""
        return self._home

    def gone(self) -> bool:
        """Tell whether the task is done."""
        task = self.driver
        return task is None or task.coro.cr_frame is None

    def pending(self) -> bool:
        """Tell whether the task has not left its function, nor waits for an order in a channel."""
        task = self.driver
        if task is None or self.gone():
            return False
        if self._nursery is not None and self._nursery.child_tasks:
            return False
        inwards = frames.suspended(task.coro)
        if not self._in(inwards) or parked(inwards):
            return False
        if self._follower is None or not self._follower.active:
            self._follower = _Follower(task)
        return True

    def stands(self) -> str | None:
        """Say where in the user's code the task waits."""
        task = self.driver
        return None if task is None else frames.where(frames.suspended(task.coro))

    def waiting(self) -> Sequence[Work]:
        """List the works of the tasks in whose nurseries this one runs."""
        works = []
        task = self.driver
        while task is not None and task.parent_nursery is not None:
            nursery = task.parent_nursery
            task = nursery.parent_task
            mine = frames.outermost_of_yours(frames.suspended(task.coro))
            if mine is not None:
                works.append(TrioWork(task, mine, nursery))
        return works


def awaiting(driver: Driver) -> Sequence[Work]:
    """List the works of the tasks that wait for the task `driver`."""
    if isinstance(driver, asyncio.Task):
        return waiting_for(driver)
    if hasattr(driver, "parent_nursery"):
        return TrioWork(driver, None).waiting()
    return []


class _Follower:
    """Rings at the next step of a task of trio, as an instrument of trio's."""

    def __init__(self, task: Any) -> None:
        self.active = True
        self._task = task
        self._trio = sys.modules["trio"]
        self._trio.lowlevel.add_instrument(self)

    def after_task_step(self, task: Any) -> None:
        """Ring, once."""
        if task is self._task and self.active:
            self.active = False
            self._trio.lowlevel.remove_instrument(self)
            changed()
