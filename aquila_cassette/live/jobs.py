"""The background jobs of a view: start, cancel, outcome; and `track`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar

import anyio

from aquila_cassette.errors import StreamError, UsageError
from aquila_cassette.waiting.event_loops import (
    call,
    current_task_or_thread,
    run_in_background,
    waker,
)
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending, mark_job

T = TypeVar("T")

_logger = logging.getLogger("aquila_cassette.live")


@dataclass(frozen=True)
class Completed:
    """The job returned `value`."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """The job raised a `StreamError`; its `reason`, `kind`, `ref`, `text` and `meta` say more."""

    error: StreamError


@dataclass(frozen=True)
class Exited:
    """The job raised anything else, or was cancelled.

    `reason` is the exception, or the reason that `cancel_async` was given; `ref`, `text` and `meta`
    are those of the stream that it read, until then.
    """

    reason: Any
    ref: Any = field(default=None, kw_only=True, compare=False)
    text: str = field(default="", kw_only=True, compare=False)
    meta: Any = field(default=None, kw_only=True, compare=False)


Outcome: TypeAlias = Completed | Failed | Exited
"""How a job ended."""


class Job:
    def __init__(self, name: str, title: str, function: partial[Any]) -> None:
        self.name = name
        self.title = title
        self.cancelled: Exited | None = None
        self.task: object = None
        self._function = function
        self._came: Callable[[], dict[str, Any]] = dict
        self._scope = anyio.CancelScope()
        self._cancel_scope = waker(self._scope.cancel)

    def cancel(self, reason: object) -> None:
        """End it with this outcome, whatever it returns; the first reason counts."""
        self.cancelled = self.cancelled or Exited(reason, **self._came())
        self._cancel_scope()

    async def run(self, view: object) -> Outcome | None:
        """Run it; None where the event loop ends."""
        self.task = current_task_or_thread()
        outcome: Outcome | None = None
        with self._scope, mark_job(self.title, view) as marked:
            self._came = lambda: marked.came()
            if self.cancelled is None:
                try:
                    outcome = Completed(await call(self._function))
                except StreamError as error:
                    outcome = Failed(error)
                except BaseException as error:
                    if must_propagate(error):
                        raise
                    outcome = Exited(error, **self._came())
        return self.cancelled or outcome


@dataclass(eq=False)
class Jobs:
    """The jobs of one view or component; a job supersedes the one of its name.

    `report` is called with a job and its outcome while the job still counts as running. `lock`
    guards them, and the inbox that their outcomes go to.
    """

    title: str
    view: object
    lock: threading.RLock
    report: Callable[[Job, Outcome], None]
    _current: dict[str, Job] = field(default_factory=dict, init=False)
    _running: dict[Job, None] = field(default_factory=dict, init=False)

    def start(self, name: str, function: partial[Any]) -> None:
        with self.lock:
            job = Job(name, f"job {name!r} of {self.title}", function)
            before = self._current.get(name)
            self._current[name] = job
            self._running[job] = None
            run_in_background(partial(self._run, job))  # at once, where tasks are eager
        if before is not None:
            before.cancel("superseded")
        notify()

    def cancel(self, name: str, reason: object) -> None:
        if job := self._current.get(name):
            job.cancel(reason)

    def close(self) -> None:
        with self.lock:
            self._current.clear()
            running = list(self._running)
        for job in running:
            job.cancel("closed")

    def pending(self) -> list[Pending]:
        with self.lock:
            return [Pending(job.title, driver=job.task) for job in self._running]

    def finish(self, job: Job, outcome: Outcome) -> Outcome | None:
        """Return the outcome to be handled; None where another job has superseded this one."""
        with self.lock:
            if self._current.get(job.name) is not job:
                return None
            del self._current[job.name]
        return job.cancelled or outcome

    async def _run(self, job: Job) -> None:
        outcome: Outcome | None = None
        try:
            outcome = await job.run(self.view)
        finally:
            with self.lock:
                if outcome is not None and self._current.get(job.name) is job:
                    _log(job, outcome)
                    self.report(job, outcome)
                # Under the same lock: at any time the job or its outcome is pending.
                self._running.pop(job, None)
            notify()


def must_propagate(error: BaseException) -> bool:
    """Return whether `error` ends the task that it came to, not only what the task was doing.

    A cancelled future raises asyncio's ``CancelledError`` in a task that awaits it and was not
    cancelled itself: that is only an error, as is what testing tools raise past ``except Exception``.
    """
    if isinstance(error, BaseExceptionGroup):  # trio's nurseries make one of what they cancel
        return all(must_propagate(one) for one in error.exceptions)
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return True
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, anyio.get_cancelled_exc_class())


def _log(job: Job, outcome: Outcome) -> None:
    match outcome:
        case Failed(error):
            _logger.error("%s failed (%s): %s", job.title, error.kind, error.reason)
        case Exited(BaseException() as error):
            _logger.error("%s raised %r.", job.title, error, exc_info=error)


class TrackedJobs:
    def __init__(self) -> None:
        self._jobs: dict[Any, None] = {}
        self._lock = threading.RLock()

    def add(self, job: Any) -> None:
        with self._lock:
            self._jobs[job] = None
        job.add_done_callback(lambda _job: notify())

    def pending(self) -> Sequence[Pending]:
        return [
            Pending(f"job {getattr(job, 'get_name', job.__repr__)()!r}", driver=job)
            for job in self._of_open_loops()
            if not job.done()
        ]

    def take_failure(self) -> BaseException | None:
        for job in self._of_open_loops():
            if job.done():
                with self._lock:
                    self._jobs.pop(job, None)
                error: BaseException | None = None if job.cancelled() else job.exception()
                if error is not None:
                    return error
        return None

    def _of_open_loops(self) -> list[Any]:
        with self._lock:
            for job in list(self._jobs):
                if asyncio.isfuture(job) and job.get_loop().is_closed():
                    del self._jobs[job]
            return list(self._jobs)


TRACKED_JOBS = TrackedJobs()


def track(job: T) -> T:
    """Have `render_async` and `wait_settled` wait for a job, and raise what it raised.

    The job, a task or future of asyncio or a future of a thread pool, is returned; anything else is
    a `UsageError`.
    """
    if not (asyncio.isfuture(job) or isinstance(job, concurrent.futures.Future)):
        what = f"{job!r} cannot be tracked: it is no task or future."
        raise UsageError(what, fix="Fix: track(asyncio.create_task(...))")
    TRACKED_JOBS.add(job)
    return job
