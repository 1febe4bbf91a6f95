"""What a task or thread is doing from its request until it returns from the user's function.

A stream's last event is not the end: what the code does with the answer (the next round of tools,
a save) belongs to it. An activity ends when the outermost function of the user's code in that task
or thread returns: a handler that a framework called, a job, a task.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from types import CodeType, FrameType
from typing import Any

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.event_loops import Loop, TaskOrThread, running_trio
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.task_graph import (
    awaited_future,
    awaits_executor,
    is_asyncio_task,
    notify_after,
    tasks_woken_by,
)


class Activity:
    """What a task or thread, its driver, is doing.

    `frame` is the outermost of the user's code; where there is none, the activity lasts as long as
    the driver. `loop` is where `is_pending` must be called; None for anywhere. A driver that made
    no request itself has `awaited`, what it waits for; it is pending once that is done.
    """

    def __init__(
        self,
        driver: TaskOrThread,
        frame: FrameType | None,
        loop: Loop = None,
        awaited: Any = None,
    ) -> None:
        # Holding the frame itself would keep alive what the function holds, after its end.
        self._frame = None if frame is None else (id(frame), frame.f_code)
        self.key: Hashable = (id(driver), self._frame)
        self._driver = weakref.ref(driver)
        self.loop = loop
        self._awaited = awaited

    @property
    def driver(self) -> TaskOrThread | None:
        """The task or thread, if it still exists."""
        return self._driver()

    def is_over(self) -> bool:
        """Return whether the driver has ended, or left the function for sure."""
        raise NotImplementedError

    def is_pending(self) -> bool:
        """Return whether the driver is still in the function; if so, notify at its next step."""
        raise NotImplementedError

    def waiting(self) -> Sequence[Activity]:
        """List the activities of the tasks that wait for the driver."""
        raise NotImplementedError

    def location(self) -> str | None:
        """Return the line of the user's code that the driver is at."""
        driver = self.driver
        return None if driver is None else frames.location(self._frames_of(driver))

    def covers(self, other: Activity) -> bool:
        """Return whether `other`, of the same driver and function, has nothing to add."""
        return other.driver is self.driver and (self._awaited is None or other._awaited is not None)

    def notify_at_end(self) -> None:
        """Notify when the driver ends."""

    def _frames_of(self, driver: TaskOrThread) -> list[FrameType]:
        """List the frames that the driver is in, from the outermost."""
        raise NotImplementedError

    def _contains(self, suspended: Sequence[FrameType]) -> bool:
        return self._frame is None or self._frame in ((id(one), one.f_code) for one in suspended)


def current_activity(driver: TaskOrThread, home: threading.Thread) -> Activity | None:
    """Return what `driver`, which runs this code, is doing.

    None for threads that are not waited for: the main one, and `home`, which opened the block.
    """
    if is_asyncio_task(driver):
        return TaskActivity(driver, _outermost_in_coroutine(driver.get_coro()))
    if running_trio() is not None:
        return TrioActivity(driver, _outermost_in_coroutine(driver.coro))
    if driver is home or driver is threading.main_thread():
        return None
    return ThreadActivity.of_this_thread(driver, _outermost_in_thread(sys._getframe(1)))


def activities_waiting_for(driver: TaskOrThread) -> Sequence[Activity]:
    """List the activities of the tasks that wait for a task; none for a thread."""
    if is_asyncio_task(driver):
        return _waiting_for_future(driver)
    if hasattr(driver, "parent_nursery"):
        return TrioActivity(driver, None).waiting()
    return []


def _outermost_in_coroutine(coroutine: Any) -> FrameType | None:
    outermost: FrameType | None = getattr(coroutine, "cr_frame", None)
    if outermost is not None and frames.is_user_code(outermost.f_code.co_filename):
        return outermost  # Mostly so; the walk below would come to the same frame.
    found: FrameType | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not outermost:
        if frames.is_user_code(frame.f_code.co_filename):
            found = frame
        frame = frame.f_back
    return found


def _outermost_in_thread(frame: FrameType) -> FrameType | None:
    """Return the outermost frame of the user's code, else of whatever function the thread runs."""
    outer = list(frames.callers(frame))[::-1]
    functions = (one for one in outer if not frames.is_plumbing(one))
    return frames.outermost_user_frame(outer) or next(functions, None)


# Tasks of asyncio


class TaskActivity(Activity):
    def __init__(
        self,
        driver: asyncio.Task[Any],
        frame: FrameType | None,
        awaited: asyncio.Future[Any] | None = None,
    ) -> None:
        super().__init__(driver, frame, driver.get_loop(), awaited)
        self._notifies_after: weakref.ref[Any] | None = None

    def is_over(self) -> bool:
        task = self.driver
        return task is None or task.done() or self.loop.is_closed()

    def is_pending(self) -> bool:
        task = self.driver
        if task is None or self.is_over():
            return False
        awaited = awaited_future(task)
        is_waiting = awaited is not None and not awaited.done()
        if is_waiting and awaited is self._awaited:
            return False
        suspended = self._frames_of(task)
        if not self._contains(suspended):
            return False
        if is_waiting and frames.is_waiting_on_queue(suspended):
            return False
        self._notify_at_next_step(awaited)
        return True

    def waiting(self) -> Sequence[Activity]:
        task = self.driver
        return [] if task is None else _waiting_for_future(task)

    def notify_at_end(self) -> None:
        if (task := self.driver) is not None:
            notify_after(task)

    def _frames_of(self, driver: asyncio.Task[Any]) -> list[FrameType]:
        return frames.suspended_frames(driver.get_coro())

    def _notify_at_next_step(self, awaited: asyncio.Future[Any] | None) -> None:
        if awaited is None:
            self.loop.call_soon(notify)
        elif self._notifies_after is None or self._notifies_after() is not awaited:
            self._notifies_after = weakref.ref(awaited)
            # Added after the task's own callback: it notifies when the task has had its step.
            notify_after(awaited)


def _waiting_for_future(future: Any) -> list[TaskActivity]:
    """List the activities of the tasks of the user's code that the end of `future` will wake."""
    found = []
    for task in tasks_woken_by(future):
        frame = frames.outermost_user_frame(frames.suspended_frames(task.get_coro()))
        if frame is not None:
            found.append(TaskActivity(task, frame, awaited_future(task)))
    return found


# Tasks of trio


class TrioActivity(Activity):
    def __init__(self, driver: Any, frame: FrameType | None, nursery: Any = None) -> None:
        token = sys.modules["trio"].lowlevel.current_trio_token()
        super().__init__(driver, frame, token, nursery)
        self._instrument: _NotifyAfterStep | None = None

    def is_over(self) -> bool:
        task = self.driver
        return task is None or task.coro.cr_frame is None

    def is_pending(self) -> bool:
        task = self.driver
        if task is None or self.is_over():
            return False
        if self._awaited is not None and self._awaited.child_tasks:
            return False
        suspended = self._frames_of(task)
        if not self._contains(suspended) or frames.is_waiting_on_queue(suspended):
            return False
        if self._instrument is None or not self._instrument.active:
            self._instrument = _NotifyAfterStep(task)
        return True

    def waiting(self) -> Sequence[Activity]:
        found = []
        task = self.driver
        while task is not None and task.parent_nursery is not None:
            nursery = task.parent_nursery
            task = nursery.parent_task
            frame = frames.outermost_user_frame(self._frames_of(task))
            if frame is not None:
                found.append(TrioActivity(task, frame, nursery))
        return found

    def _frames_of(self, driver: Any) -> list[FrameType]:
        return frames.suspended_frames(driver.coro)


class _NotifyAfterStep:
    """An instrument of trio's that notifies once, at the next step of a task."""

    def __init__(self, task: Any) -> None:
        self.active = True
        self._task = task
        self._trio = sys.modules["trio"]
        self._trio.lowlevel.add_instrument(self)

    def after_task_step(self, task: Any) -> None:
        if task is self._task and self.active:
            self.active = False
            self._trio.lowlevel.remove_instrument(self)
            notify()


# Threads

Call = asyncio.Future[Any] | concurrent.futures.Future[Any]

_local = threading.local()


class ThreadActivity(Activity):
    """What this thread is doing; a profile hook tells when it leaves its function.

    Nothing else tells: a pool's thread lives on, and waits for its next call in C. The thread that
    the tests run in never gets a hook, so sync tests keep their speed.
    """

    def __init__(self, driver: threading.Thread, frame: FrameType | None) -> None:
        super().__init__(driver, frame)
        self._has_left = False
        self._waits_on_queue = False
        self._calls = _calls_of_thread(frame)

    @classmethod
    def of_this_thread(cls, driver: threading.Thread, frame: FrameType | None) -> ThreadActivity:
        """Return what this thread is doing, and watch for the end of that."""
        known: ThreadActivity | None = getattr(_local, "activity", None)
        if known is not None and not known._has_left and frame and known._contains([frame]):
            return known
        activity = cls(driver, frame)
        _local.activity = activity
        if frame is not None:
            activity._watch(frame)
        return activity

    def is_over(self) -> bool:
        thread = self.driver
        return self._has_left or thread is None or not thread.is_alive()

    def is_pending(self) -> bool:
        return not self.is_over() and not self._waits_on_queue

    def waiting(self) -> Sequence[Activity]:
        return [activity for call in self._calls for activity in _waiting_for_future(call)]

    def _frames_of(self, driver: threading.Thread) -> list[FrameType]:
        frame = None if driver.ident is None else sys._current_frames().get(driver.ident)
        return list(frames.callers(frame))[::-1]

    def _watch(self, watched: FrameType) -> None:
        before: Any = sys.getprofile()
        if before is not None and not callable(before):
            # A profiler written in C cannot be shared: the activity ends with its stream.
            self._has_left = True
            return
        profiler: Callable[[FrameType, str, Any], object] | None = before
        get = queue.Queue.get.__code__

        def hook(frame: FrameType, event: str, argument: Any) -> None:
            # This runs at each call and return in the thread.
            if event == "return":
                if frame is watched:
                    sys.setprofile(profiler)
                    self._has_left = True
                    notify()
                elif frame.f_code is get:
                    self._waits_on_queue = False
            elif event == "call" and frame.f_code is get:
                self._waits_on_queue = True
                notify()
            if profiler is not None:
                profiler(frame, event, argument)

        sys.setprofile(hook)


def _calls_of_thread(frame: FrameType | None) -> list[Call]:
    """List the futures of the calls that a pool's thread is in; its outer frames hold them."""
    found: list[Call] = []
    for outer in frames.callers(frame):
        if frames.is_plumbing(outer):
            local = outer.f_locals
            future = local.get("future") or getattr(local.get("self"), "future", None)
            if asyncio.isfuture(future) or isinstance(future, concurrent.futures.Future):
                found.append(future)
    return found


# A thread around the event loop that it runs

_RUN = asyncio.BaseEventLoop.run_until_complete.__code__


class ThreadActivityAfterLoop(ThreadActivity):
    """What a thread does after the event loop that it runs has ended: after ``asyncio.run``."""

    def __init__(self, driver: threading.Thread, frame: FrameType | None) -> None:
        super().__init__(driver, frame)
        self.loop_has_ended: Callable[[], bool] = lambda: True

    def is_pending(self) -> bool:
        return self.loop_has_ended() and super().is_pending()


def activity_after_loop(driver: TaskOrThread, home: threading.Thread) -> Activity | None:
    """Return what this thread does once the event loop that runs the task `driver` has ended.

    None where the thread is not waited for, or where the loop does not end with `driver`: a
    server's goes on.
    """
    thread = threading.current_thread()
    if driver is thread or thread is home or thread is threading.main_thread():
        return None
    for frame in frames.callers(sys._getframe(1)):
        loop_has_ended = _end_of_loop(frame, driver)
        if loop_has_ended is not None:
            outermost = frames.outermost_user_frame(list(frames.callers(frame))[::-1])
            if outermost is None:
                return None
            activity = ThreadActivityAfterLoop.of_this_thread(thread, outermost)
            if isinstance(activity, ThreadActivityAfterLoop):
                activity.loop_has_ended = loop_has_ended
            return activity
    return None


def _end_of_loop(frame: FrameType, driver: TaskOrThread) -> Callable[[], bool] | None:
    """Return what tells whether the loop that `frame` runs has ended; None if `driver` ends none."""
    if frame.f_code is _RUN:
        main = frame.f_locals["future"]
        if driver is not main and main not in tasks_woken_by(driver):
            return None
        notify_after(main)
        done: Callable[[], bool] = main.done
        return done
    run = getattr(sys.modules.get("trio"), "run", None)
    if run is not None and frame.f_code is run.__code__:
        main_task: Any = frame.f_locals["runner"].main_task
        return lambda: main_task.coro.cr_frame is None
    return None


# Tasks that wait for a worker thread, which may be about to make a request


def tasks_in_worker_threads() -> list[Activity]:
    """List the activities of the user's tasks of this event loop that wait for a worker thread.

    Between a click and its request there may be ``await asyncio.to_thread(ask)``, or an SDK that
    asks which platform this is.
    """
    trio = running_trio()
    if trio is not None:
        return _trio_tasks_in_worker_threads(trio)
    codes = _to_thread_codes("anyio" in sys.modules)
    found: list[Activity] = []
    for task in asyncio.all_tasks():
        suspended = frames.suspended_frames(task.get_coro())
        frame = frames.outermost_user_frame(suspended)
        if _awaits_thread(suspended, codes) or (frame is not None and awaits_executor(task)):
            found.append(TaskActivity(task, frame))
    return found


def _trio_tasks_in_worker_threads(trio: Any) -> list[Activity]:
    found: list[Activity] = []
    codes = frozenset({trio.to_thread.run_sync.__code__})
    left = [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        suspended = frames.suspended_frames(task.coro)
        if _awaits_thread(suspended, codes):
            found.append(TrioActivity(task, frames.outermost_user_frame(suspended)))
    return found


def _awaits_thread(suspended: Sequence[FrameType], codes: frozenset[CodeType]) -> bool:
    """Return whether the user's code waits for a thread, or is what the thread runs."""
    to_thread = next((frame for frame in suspended if frame.f_code in codes), None)
    if to_thread is None:
        return False
    if frames.outermost_user_frame(suspended) is not None:
        return True
    function = to_thread.f_locals.get("func") or to_thread.f_locals.get("sync_fn")
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return code is not None and frames.is_user_code(code.co_filename)


@functools.cache
def _to_thread_codes(anyio: bool) -> frozenset[CodeType]:
    codes = {asyncio.to_thread.__code__}
    if anyio:
        from anyio import to_thread

        codes.add(to_thread.run_sync.__code__)
    return frozenset(codes)
