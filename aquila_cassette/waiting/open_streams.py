"""What a block began: open streams, threads, calls in pools, who sent requests; the tasks from before it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import itertools
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from contextvars import Context, ContextVar
from types import CodeType
from typing import Any

from aquila_cassette.errors import MissError
from aquila_cassette.waiting.event_loops import (
    Loop,
    TaskOrThread,
    context_of,
    current_loop,
    current_task_or_thread,
    elapsed,
    has_unretrieved_failure,
    is_asyncio_task,
    tasks_of_this_loop,
    wall_time,
)
from aquila_cassette.waiting.frames import (
    PACKAGE,
    callers,
    frames_of,
    is_user_code,
    location,
    runs_user_code,
)
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import MarkedJob, current_job

_A_SLEEP = 1.0
"""Waiting for an event with a time-out of so many seconds is a way to sleep."""

parent_stream: ContextVar[OpenStream | None] = ContextVar("aquila_parent_stream", default=None)
"""The client's stream for which this task or thread makes requests."""

_order = itertools.count(1)
"""Numbers blocks, threads and calls as they begin."""


class Begun:
    """A thread that was started or asked, or a call that a pool was given, in the job of a view.

    A call `is_users` if the user's code made it, or is called; it ends when its callbacks have run,
    of which `left` are left.
    """

    def __init__(self, thread: threading.Thread | None = None, *, is_users: bool = False) -> None:
        self.order = next(_order)
        self.job = current_job()
        self.thread = thread
        self.is_users = is_users
        self.left = 0
        self.failure: Exception | None = None


STARTED: dict[threading.Thread, Begun] = {}
CALLS: dict[concurrent.futures.Future[Any], Begun] = {}
_failed: list[Begun] = []
HOMES: weakref.WeakSet[threading.Thread] = weakref.WeakSet()  # that opened a block
PARKED: dict[threading.Thread, object] = {}
"""Which threads wait for what others do: a condition, or the end of a thread.

A plain dict: to leave it is one step, right after the wait, and no other thread looks in between.
"""
_local = threading.local()


def note_request(thread: threading.Thread, since: int) -> None:
    """Note that this thread asked in the block that began at `since`; it may be older."""
    if thread not in STARTED or STARTED[thread].order < since:
        _local.end = _End(thread)  # the one before it ends now
        STARTED[thread] = Begun(thread)


class _End:
    """Lives as long as a thread."""

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread

    def __del__(self) -> None:
        STARTED.pop(self._thread, None)
        notify()


class OpenStream:
    """One stream; `facts` gives lines for an error, one in the `background` stays open on purpose."""

    __slots__ = ("background", "facts", "label", "parent", "readers")

    def __init__(self, label: str, facts: Callable[[], Sequence[str]], *, background: bool) -> None:
        self.label = label
        self.facts = facts
        self.background = background
        self.parent = parent_stream.get()
        self.readers: list[weakref.ref[TaskOrThread]] = []

    def is_read_by(self, driver: TaskOrThread) -> bool:
        return driver in [reader() for reader in self.readers]

    def reader_location(self) -> str | None:
        """Return where the user's code reads it."""
        streams = [self] if self.parent is None else [self, self.parent]
        readers = [reader() for stream in streams for reader in stream.readers]
        places = (location(frames_of(reader)) for reader in readers)
        return next(filter(None, places), None)


class OpenStreams:
    """The streams of a block, or of our client, which has no block."""

    def __init__(self) -> None:
        self.started = 0
        # In ms, so that they tell the order: a request starts after each piece before it.
        self.last_request = self.last_piece = 0
        self.asked: weakref.WeakKeyDictionary[TaskOrThread, bool] = weakref.WeakKeyDictionary()
        """Who asked, and whether the last time for something that stays open on purpose."""
        self.loops: weakref.WeakSet[Loop] = weakref.WeakSet()
        """The event loops in which somebody asked."""
        self.begun: int | None = None
        self.older: weakref.WeakSet[Any] = weakref.WeakSet()
        self._followed: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._failed: list[asyncio.Task[Any]] = []
        self._origins = 0
        self._home = threading.current_thread()
        HOMES.add(self._home)
        self._streams: set[OpenStream] = set()
        self._lock = threading.RLock()

    # The block.

    def begin(self) -> None:
        """Enter the block: tasks, threads and calls that begin from now on belong to it."""
        _wrap_methods(1)
        self.begun = next(_order)
        self.older.clear()
        in_trio = getattr(sys.modules.get("trio.lowlevel"), "in_trio_task", bool)()
        if in_trio or asyncio._get_running_loop() is not None:
            self.older.update(tasks_of_this_loop())
        # From now on coroutines know who made them; those of trio's tasks trio makes itself.
        self._origins = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(max(self._origins, 4 if in_trio else 1))

    def end(self) -> None:
        """Leave the block: what it began, and still runs, does not count any more."""
        sys.set_coroutine_origin_tracking_depth(self._origins)
        _wrap_methods(-1)
        self.begun = None
        self._failed.clear()

    def follow(self, task: Any) -> None:
        """Keep a task that raises something, for `take_failure`."""
        if is_asyncio_task(task) and task not in self._followed:
            self._followed.add(task)
            # It may outlive the block: an empty context keeps no cassette alive.
            task.add_done_callback(self._task_ended, context=Context())

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        if self.begun is not None and has_unretrieved_failure(task):
            self._failed.append(task)

    def take_failure(self, counts: Callable[[MarkedJob | None], bool]) -> BaseException | None:
        """Return what a task or thread raised, in a job that `counts`, and nobody retrieved; once.

        Not a miss, which the session raises.
        """
        errors: list[BaseException | None] = []
        for task in [one for one in self._failed if counts(current_job(context_of(one)))]:
            self._failed.remove(task)
            errors.append(task.exception() if has_unretrieved_failure(task) else None)
        for begun in list(_failed):
            if self.begun is not None and begun.order > self.begun and counts(begun.job):
                _failed.remove(begun)
                errors.append(begun.failure)
        return next((one for one in errors if one and not isinstance(one, MissError)), None)

    # Its streams.

    @functools.cached_property
    def epoch(self) -> int:
        """When `elapsed` was 0, in ms since 1970: the same for all that is recorded here."""
        return round((wall_time() - elapsed()) * 1000)

    def start(
        self,
        label: str,
        facts: Callable[[], Sequence[str]],
        *,
        background: bool = False,
        counts: bool = True,
    ) -> OpenStream:
        """Add a stream, which `counts` as started; this task or thread starts its request now."""
        stream = OpenStream(label, facts, background=background)
        self._add_reader(stream, current_task_or_thread())
        with self._lock:
            self.started += counts
            self._streams.add(stream)
        notify()
        return stream

    @property
    def any_is_open(self) -> bool:
        return bool(self._streams)

    def is_at_home(self) -> bool:
        """Return whether this task or thread is older than the block, or opened it."""
        driver = current_task_or_thread()
        return driver in (self._home, threading.main_thread()) or driver in self.older

    def add_reader(self, stream: OpenStream | None) -> None:
        """Note that this task or thread begins to read."""
        driver = current_task_or_thread()
        if stream is not None and driver is not self._home and not stream.is_read_by(driver):
            self._add_reader(stream, driver)
            notify()

    def close(self, stream: OpenStream | None) -> None:
        """Record that `stream` is over; a second call does nothing."""
        if stream in self._streams:
            self._streams.discard(stream)
            notify()

    def open(self) -> Sequence[OpenStream]:
        return [stream for stream in tuple(self._streams) if not stream.background]

    def _add_reader(self, stream: OpenStream, driver: TaskOrThread) -> None:
        if driver is self._home or driver is threading.main_thread():  # which are not waited for
            return
        stream.readers.append(weakref.ref(driver))
        was_background = self.asked.get(driver)
        if was_background is None:
            if isinstance(driver, threading.Thread):
                note_request(driver, self.begun or 0)
            else:
                self.follow(driver)
                self.loops.add(current_loop())
        if was_background is not stream.background:
            self.asked[driver] = stream.background


# The wrappers: some public methods, as long as a block is open.


def _noting_start(start: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(start)
    def noted(thread: threading.Thread) -> None:
        begun, run = Begun(thread), thread.run

        def run_noted() -> None:
            try:
                run()
            except Exception as error:
                begun.failure = error
                _failed.append(begun)
                raise
            finally:
                STARTED.pop(thread, None)
                notify()

        if _is_known(threading.current_thread()):  # not a server that is older than the block
            STARTED[thread] = begun
            thread.run = run_noted  # type: ignore[method-assign]
        start(thread)

    return noted


def _noting_wait(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def noted(waited: Any, timeout: float | None = None) -> Any:
        is_event = sys._getframe(1).f_code is threading.Event.wait.__code__
        if timeout is not None and timeout <= (_A_SLEEP if is_event else 0):
            return wait(waited, timeout)
        me = threading.current_thread()
        PARKED[me] = waited
        notify()
        try:
            return wait(waited, timeout)
        finally:
            PARKED.pop(me, None)

    return noted


def _noting_run(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def noted(runner: asyncio.Runner, *args: Any, **kwargs: Any) -> Any:
        runner.get_loop().call_soon(notify)  # from now on its tasks count, and not the thread
        return run(runner, *args, **kwargs)

    return noted


def _noting_submit(submit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(submit)
    def noted(pool: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        call = Begun(is_users=_is_users(function))

        def call_noted(*args: Any, **kwargs: Any) -> Any:
            call.thread = threading.current_thread()
            return function(*args, **kwargs)

        in_thread = isinstance(pool, concurrent.futures.ThreadPoolExecutor)
        future = submit(pool, call_noted if in_thread else function, *args, **kwargs)
        CALLS[future] = call
        add = future.add_done_callback

        def add_noted(callback: Callable[[Any], object]) -> None:
            def run_noted(future: Any) -> None:
                try:
                    callback(future)
                finally:
                    call.left -= 1
                    if not call.left:
                        CALLS.pop(future, None)
                    notify()

            call.left += 1
            add(run_noted)

        future.add_done_callback = add_noted
        add_noted(bool)
        return future

    return noted


def _is_users(function: Any) -> bool:
    """Return whether a call is the user's: of his code, by his code, or by a task, that awaits it."""
    is_in_task = not isinstance(current_task_or_thread(), threading.Thread)
    file = getattr(code_of(function), "co_filename", PACKAGE)
    return is_in_task or is_user_code(file) or runs_user_code(callers(sys._getframe(1)))


def _is_known(thread: threading.Thread) -> bool:
    calls = [call.thread for call in list(CALLS.values())]
    return thread is threading.main_thread() or thread in (*STARTED, *HOMES, *calls)


def code_of(function: Any) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__code__", None)


_open_blocks = 0
_wrappers: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()
_wrapped: dict[tuple[type, str], Any] = {}
_lock = threading.RLock()


def _wrap_methods(blocks: int) -> None:
    """Wrap the methods as long as there are open blocks: one more now, or one less."""
    global _open_blocks
    with _lock:
        _open_blocks += blocks
        if _open_blocks:
            pools = sys.modules.get("concurrent.futures.process")  # which costs much to import
            _wrap(threading.Thread, "start", _noting_start)
            _wrap(threading.Thread, "join", _noting_wait)
            _wrap(threading.Condition, "wait", _noting_wait)
            _wrap(asyncio.Runner, "run", _noting_run)
            _wrap(concurrent.futures.ThreadPoolExecutor, "submit", _noting_submit)
            _wrap(getattr(pools, "ProcessPoolExecutor", None), "submit", _noting_submit)
        else:
            for (owner, name), wrapper in _wrapped.items():
                if vars(owner)[name] is wrapper:  # else something was wrapped around it since
                    setattr(owner, name, wrapper.__wrapped__)
            _wrapped.clear()
            _failed.clear()


def _wrap(owner: type | None, name: str, noting: Callable[[Any], Any]) -> None:
    if owner is None or (owner, name) in _wrapped:
        return
    wrapper = vars(owner)[name]
    if wrapper not in _wrappers:  # as it is where a mock put back what it found in an earlier block
        wrapper = noting(wrapper)
        _wrappers.add(wrapper)
        setattr(owner, name, wrapper)
    _wrapped[owner, name] = wrapper
