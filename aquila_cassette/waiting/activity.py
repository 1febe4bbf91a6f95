"""Which tasks and threads work on a request, from the request until the user's function returns.

A stream's last event is not the end: what the code does with the answer (the next round of tools,
a save) belongs to it. An activity ends when the outermost function of the user's code in that task
or thread returns: a handler that a framework called, a job, a task.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from types import FrameType
from typing import Any

from aquila_cassette.waiting import inspection
from aquila_cassette.waiting.event_loops import (
    Loop,
    TaskOrThread,
    current_loop,
    is_asyncio_task,
    tasks_of_this_loop,
)
from aquila_cassette.waiting.notifier import notify


class Activity:
    """What a task or thread, its driver, is doing.

    `frame` is the outermost of the user's code; where there is none, the activity lasts as long as
    the driver. `loop` is where `is_pending` must be called; None for anywhere. A driver that made
    no request itself has `awaited`, what it waits for; it is pending once that is done.
    """

    def __init__(
        self, driver: TaskOrThread, frame: FrameType | None, loop: Loop = None, awaited: Any = None
    ) -> None:
        # Holding the frame itself would keep alive what the function holds, after its end.
        self._frame = None if frame is None else (id(frame), frame.f_code)
        self.key: Hashable = (id(driver), self._frame)
        self._driver = weakref.ref(driver)
        self.loop = loop
        self._awaited = awaited

    @property
    def driver(self) -> TaskOrThread | None:
        return self._driver()

    def is_over(self) -> bool:
        """Return whether the driver has ended, or left the function for sure."""
        raise NotImplementedError

    def is_pending(self) -> bool:
        """Return whether the driver is still in the function; if so, notify at its next step."""
        raise NotImplementedError

    def waiting(self) -> Sequence[Activity]:
        raise NotImplementedError

    def location(self) -> str | None:
        return inspection.location(self._frames())

    def covers(self, other: Activity) -> bool:
        """Return whether `other`, of the same driver and function, has nothing to add."""
        return other.driver is self.driver and (self._awaited is None or other._awaited is not None)

    def _frames(self) -> list[FrameType]:
        return [] if self.driver is None else inspection.suspended_frames(self.driver)

    def _contains(self, suspended: Sequence[FrameType]) -> bool:
        return self._frame is None or self._frame in ((id(one), one.f_code) for one in suspended)


def current_activity(driver: TaskOrThread, home: threading.Thread) -> Activity | None:
    """Return what `driver`, which runs this code, is doing.

    None for threads that are not waited for: the main one, and `home`, which opened the block.
    """
    if not isinstance(driver, threading.Thread):
        return _task_activity(driver, _outermost_in_task(driver))
    if driver is home or driver is threading.main_thread():
        return None
    outer = inspection.stack(sys._getframe(1))
    frame = inspection.outermost_user_frame(outer)
    others = (one for one in outer if not inspection.is_plumbing(one))
    return _thread_activity(driver, frame or next(others, None))


def activities_waiting_for(driver: TaskOrThread) -> Sequence[Activity]:
    """List the activities of the tasks that wait for a task; none for a thread."""
    return [] if isinstance(driver, threading.Thread) else _task_activity(driver, None).waiting()


def tasks_in_worker_threads() -> list[Activity]:
    """List the activities of the user's tasks here that wait for a thread; it may make a request."""
    found: list[Activity] = []
    for task in tasks_of_this_loop():
        suspended = inspection.suspended_frames(task)
        if inspection.awaits_thread(task, suspended):
            found.append(_task_activity(task, inspection.outermost_user_frame(suspended)))
    return found


def _task_activity(task: Any, frame: FrameType | None) -> Activity:
    if is_asyncio_task(task):
        return TaskActivity(task, frame, task.get_loop())
    return TrioActivity(task, frame, current_loop())


def _outermost_in_task(task: Any) -> FrameType | None:
    outermost: FrameType | None = getattr(inspection.coroutine_of(task), "cr_frame", None)
    if outermost is not None and inspection.is_user_code(outermost.f_code.co_filename):
        return outermost  # as it mostly is; the walk, which each request pays for, ends there too
    stack = inspection.stack(sys._getframe(1))
    if outermost in stack:
        stack = stack[stack.index(outermost) :]
    return inspection.outermost_user_frame(stack)


class TaskActivity(Activity):
    def is_over(self) -> bool:
        task = self.driver
        return task is None or task.done() or self.loop.is_closed()

    def is_pending(self) -> bool:
        task = self.driver
        if task is None or self.is_over():
            return False
        awaited = inspection.awaited_future(task)
        is_waiting = awaited is not None and not awaited.done()
        if is_waiting and awaited is self._awaited:
            return False
        suspended = inspection.suspended_frames(task)
        is_parked = is_waiting and inspection.is_waiting_on_queue(suspended)
        if is_parked or not self._contains(suspended):
            return False
        if awaited is None:
            self.loop.call_soon(notify)
        else:  # after the task's own callback: when the task has had its step
            inspection.notify_after(awaited)
        return True

    def waiting(self) -> Sequence[Activity]:
        task = self.driver
        return [] if task is None else _waiting_for_future(task)


def _waiting_for_future(future: Any) -> list[TaskActivity]:
    """List the activities of the tasks of the user's code that the end of `future` will wake."""
    return [
        TaskActivity(task, frame, task.get_loop(), inspection.awaited_future(task))
        for task in inspection.tasks_woken_by(future)
        if (frame := inspection.outermost_user_frame(inspection.suspended_frames(task))) is not None
    ]


class TrioActivity(Activity):
    """What a task of trio is doing; what it awaits is a nursery."""

    _instrument: _NotifyAfterStep | None = None

    def is_over(self) -> bool:
        task = self.driver
        return task is None or task.coro.cr_frame is None

    def is_pending(self) -> bool:
        if self.is_over() or (self._awaited is not None and self._awaited.child_tasks):
            return False
        suspended = self._frames()
        if not self._contains(suspended) or inspection.is_waiting_on_queue(suspended):
            return False
        if self._instrument is None or not self._instrument.active:
            self._instrument = _NotifyAfterStep(self.driver)
        return True

    def waiting(self) -> Sequence[Activity]:
        found = []
        task = self.driver
        while task is not None and task.parent_nursery is not None:
            nursery = task.parent_nursery
            task = nursery.parent_task
            frame = inspection.outermost_user_frame(inspection.suspended_frames(task))
            if frame is not None:
                found.append(TrioActivity(task, frame, self.loop, nursery))
        return found


class _NotifyAfterStep:
    def __init__(self, task: Any) -> None:
        self.active = True
        self._task = task
        self._lowlevel = sys.modules["trio"].lowlevel
        self._lowlevel.add_instrument(self)

    def after_task_step(self, task: Any) -> None:
        if task is self._task and self.active:
            self.active = False
            self._lowlevel.remove_instrument(self)
            notify()


_local = threading.local()


class ThreadActivity(Activity):
    """What a thread is doing; a profile hook in it tells when it leaves its function.

    Nothing else tells: a pool's thread lives on. The thread of the tests never gets a hook.
    """

    def __init__(self, driver: threading.Thread, frame: FrameType | None) -> None:
        super().__init__(driver, frame)
        self.has_begun: Callable[[], bool] = lambda: True
        self.has_left = False
        self._waits_on_queue = False
        self._calls = _calls_of_thread(frame)

    def is_over(self) -> bool:
        thread = self.driver
        return self.has_left or thread is None or not thread.is_alive()

    def is_pending(self) -> bool:
        return self.has_begun() and not self.is_over() and not self._waits_on_queue

    def waiting(self) -> Sequence[Activity]:
        return [activity for call in self._calls for activity in _waiting_for_future(call)]

    def _frames(self) -> list[FrameType]:
        thread = self.driver
        frame = sys._current_frames().get(thread.ident) if thread is not None else None
        return inspection.stack(frame)

    def watch(self, watched: FrameType) -> None:
        profiler: Any = sys.getprofile()
        if profiler is not None and not callable(profiler):
            # A profiler written in C cannot be shared: the activity ends with its stream.
            self.has_left = True
            return
        get = queue.Queue.get.__code__

        def hook(frame: FrameType, event: str, argument: Any) -> None:
            # This runs at each call and return in the thread.
            if event == "return":
                if frame is watched:
                    sys.setprofile(profiler)
                    self.has_left = True
                    notify()
                elif frame.f_code is get:
                    self._waits_on_queue = False
            elif event == "call" and frame.f_code is get:
                self._waits_on_queue = True
                notify()
            if profiler is not None:
                profiler(frame, event, argument)

        sys.setprofile(hook)


def _thread_activity(thread: threading.Thread, frame: FrameType | None) -> ThreadActivity:
    """Return what this thread is doing in the function of `frame`, and watch for the end of that."""
    known: ThreadActivity | None = getattr(_local, "activity", None)
    if known is not None and not known.has_left and frame and known._contains([frame]):
        return known
    _local.activity = activity = ThreadActivity(thread, frame)
    if frame is not None:
        activity.watch(frame)
    return activity


def _calls_of_thread(
    frame: FrameType | None,
) -> list[asyncio.Future[Any] | concurrent.futures.Future[Any]]:
    """List the futures of the calls that a pool's thread is in; its outer frames hold them."""
    found = []
    for outer in inspection.callers(frame):
        if inspection.is_plumbing(outer):
            local = outer.f_locals
            future = local.get("future") or getattr(local.get("self"), "future", None)
            if asyncio.isfuture(future) or isinstance(future, concurrent.futures.Future):
                found.append(future)
    return found


def activity_after_loop(driver: TaskOrThread, home: threading.Thread) -> Activity | None:
    """Return what this thread does once the event loop that runs the task `driver` has ended.

    That is what stands after ``asyncio.run(...)``. None where the thread is not waited for, or
    where the loop does not end with `driver`: a server's goes on.
    """
    thread = threading.current_thread()
    if driver is thread or thread is home or thread is threading.main_thread():
        return None
    for frame in inspection.callers(sys._getframe(1)):
        has_ended = _end_of_loop(frame, driver)
        if has_ended is not None:
            outermost = inspection.outermost_user_frame(inspection.stack(frame))
            if outermost is None:
                return None
            activity = _thread_activity(thread, outermost)
            activity.has_begun = has_ended
            return activity
    return None


def _end_of_loop(frame: FrameType, driver: TaskOrThread) -> Callable[[], bool] | None:
    """Return what tells whether the loop that `frame` runs has ended; None if `driver` ends none."""
    if frame.f_code is asyncio.BaseEventLoop.run_until_complete.__code__:
        main = frame.f_locals["future"]
        if driver is not main and main not in inspection.tasks_woken_by(driver):
            return None
        inspection.notify_after(main)
        done: Callable[[], bool] = main.done
        return done
    run = getattr(sys.modules.get("trio"), "run", None)
    if run is not None and frame.f_code is run.__code__:
        main_task: Any = frame.f_locals["runner"].main_task
        return lambda: main_task.coro.cr_frame is None
    return None
