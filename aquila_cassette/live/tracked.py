"""Jobs that no view has started: tasks and futures that `render_async` waits for."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.event_loops import is_asyncio_task
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending

T = TypeVar("T")


class TrackedJobs:
    """The tracked jobs of this process."""

    def __init__(self) -> None:
        self._jobs: dict[Any, None] = {}
        self._lock = threading.RLock()

    def add(self, job: Any) -> None:
        with self._lock:
            self._jobs[job] = None
        job.add_done_callback(lambda _job: notify())

    def pending(self) -> Sequence[Pending]:
        return [
            Pending(f"job {repr(job.get_name()) if is_asyncio_task(job) else job}", driver=job)
            for job in self._of_open_loops()
            if not job.done()
        ]

    def take_failure(self) -> BaseException | None:
        """Return the exception of the next job that raised, once."""
        for job in self._of_open_loops():
            if job.done():
                with self._lock:
                    self._jobs.pop(job, None)
                if not job.cancelled() and (error := job.exception()) is not None:
                    failure: BaseException = error
                    return failure
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

    Args:
        job: A task or future of asyncio, or a future of a thread pool.

    Returns:
        The same job.

    Raises:
        UsageError: It is none of these.

    Example:
        >>> async def test(save):
        ...     task = track(asyncio.create_task(save()))
    """
    if not (asyncio.isfuture(job) or isinstance(job, concurrent.futures.Future)):
        raise UsageError(
            f"{job!r} cannot be tracked.",
            facts=["expected: a task or future of asyncio, or a future of a thread pool"],
            fix="Fix: track(asyncio.create_task(...))",
        )
    TRACKED_JOBS.add(job)
    return job
