"""The jobs of a view or component: by name, in the background, each with one outcome."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread

from aquila_cassette.errors import StreamError, UsageError
from aquila_cassette.live.attempt import goes_on_up
from aquila_cassette.live.inbox import outside
from aquila_cassette.live.outcomes import Completed, Exited, Failed, Outcome
from aquila_cassette.waiting.event_loops import current_task_or_thread, run_in_background, waker
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending, mark_job

__all__ = ["Job", "Work"]

_logger = logging.getLogger("aquila_cassette.live")


class Job:
    """One run of a function, in a task of its own.

    Args:
        name: Its name, of which one runs at a time.
        what: What it is, for people: ``job 'stream' of ChatLive``.
        function: What to run: an async function in this event loop, any other in a thread.
        over: Is called once, with the outcome; with None where the event loop ended before.

    Raises:
        RuntimeError: No event loop runs here.
    """

    def __init__(
        self,
        name: str,
        what: str,
        function: Callable[[], Any],
        over: Callable[[Job, Outcome | None], None],
    ) -> None:
        self.name = name
        self.what = what
        self.cancelled: Exited | None = None
        self._function = function
        self._over = over
        self.task: object = None
        self._scope = anyio.CancelScope()
        self._cancel_scope = waker(self._scope.cancel)

    def cancel(self, reason: object) -> None:
        """Have it end, with this outcome whatever comes of it; the first reason stands.

        A function that runs in a thread cannot be stopped: it is let go.
        """
        self.cancelled = self.cancelled or Exited(reason)
        self._cancel_scope()

    def pending(self) -> Pending:
        """Describe it, for whoever waits."""
        function = inspect.unwrap(getattr(self._function, "func", self._function))
        name = getattr(function, "__qualname__", repr(function))
        return Pending(self.what, (f"runs: {name}",), self.task)

    async def run(self) -> None:
        """Run it."""
        outside()
        self.task = current_task_or_thread()
        outcome: Outcome | None = None
        try:
            with self._scope, mark_job(self.what):
                if self.cancelled is None:
                    outcome = await self._attempt()
            outcome = self.cancelled or outcome
        finally:
            self._over(self, outcome)

    async def _attempt(self) -> Outcome:
        try:
            return Completed(await self._value())
        except StreamError as error:
            return Failed(error)
        except BaseException as error:
            if goes_on_up(error):
                raise
            return Exited(error)

    async def _value(self) -> Any:
        function = self._function
        if inspect.iscoroutinefunction(function):
            return await function()
        # What looks like a plain function may still give a coroutine, which belongs to this task.
        (value,) = await anyio.to_thread.run_sync(lambda: [function()], abandon_on_cancel=True)
        return await value if inspect.isawaitable(value) else value


class Work:
    """The jobs of one view or component; a job supersedes the one of its name.

    Args:
        title: Whose they are, for people: ``ChatLive``.
        lock: Guards them, together with the inbox that their outcomes go to.
        tell: Is called with the job and its outcome while the job still counts as running.
    """

    def __init__(
        self, title: str, lock: threading.RLock, tell: Callable[[Job, Outcome], None]
    ) -> None:
        self._title = title
        self._lock = lock
        self._tell = tell
        self._current: dict[str, Job] = {}
        self._running: dict[Job, None] = {}

    @property
    def running(self) -> list[Job]:
        """The jobs whose tasks have not ended, in the order in which they were started."""
        with self._lock:
            return list(self._running)

    def start(self, name: str, function: Callable[[], Any]) -> None:
        """Start a job, and cancel the one of this name.

        Raises:
            UsageError: No event loop runs here.
        """
        what = f"job {name!r} of {self._title}"
        with self._lock:
            try:
                job = Job(name, what, function, self._over)
                run_in_background(job.run)
            except RuntimeError:
                raise UsageError(
                    f"start_async of {what} was called where no event loop runs.",
                    fix="Call it in a handler; from a thread, self.send(...) a message",
                ) from None
            before = self._current.get(name)
            self._current[name] = job
            self._running[job] = None
        if before is not None:
            before.cancel("superseded")
        notify()

    def cancel(self, name: str, reason: object) -> None:
        """Cancel the job of this name, if there is one."""
        if job := self._current.get(name):
            job.cancel(reason)

    def refuse_inside(self, waiting: str) -> None:
        """Refuse to wait for these jobs in one of them.

        Raises:
            UsageError: The job that this is called in would wait for itself.
        """
        here = current_task_or_thread()
        for job in self.running:
            if job.task is here:
                raise UsageError(
                    f"{waiting} was called inside {job.what}, and would wait for it.",
                    fix="Call it outside the view: whoever mounted it closes it",
                )

    def close(self) -> None:
        """Cancel all jobs; their outcomes are told to nobody."""
        with self._lock:
            self._current.clear()
        for job in self.running:
            job.cancel("closed")

    def settle(self, job: Job, outcome: Outcome) -> Outcome | None:
        """Give what is to be made of an outcome that was told; None where it came too late."""
        with self._lock:
            if self._current.get(job.name) is not job:
                return None
            del self._current[job.name]
        return job.cancelled or outcome

    def _over(self, job: Job, outcome: Outcome | None) -> None:
        with self._lock:
            if outcome is not None and self._current.get(job.name) is job:
                _log(job, outcome)
                self._tell(job, outcome)
            # Under the same lock: at no time is there neither a job nor its outcome to wait for.
            self._running.pop(job, None)
        notify()


def _log(job: Job, outcome: Outcome) -> None:
    match outcome:
        case Failed(error):
            _logger.error("%s failed (%s): %s", job.what, error.kind, error.reason)
        case Exited(BaseException() as error):
            _logger.error("%s raised %r.", job.what, error, exc_info=error)
        case Exited(reason):
            _logger.info("%s exited: %s", job.what, reason)
