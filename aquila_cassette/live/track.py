"""Jobs that no view has started: tasks and futures that `render_async` shall wait for."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending
from aquila_cassette.waiting.task_graph import is_asyncio_task

__all__ = ["TRACKED", "track"]

Job = asyncio.Future[Any] | concurrent.futures.Future[Any]
T = TypeVar("T")


class Tracked:
    """The tracked jobs of this process."""

    def __init__(self) -> None:
        self._jobs: dict[Job, None] = {}
        self._lock = threading.RLock()

    def add(self, job: Job) -> None:
        """Wait for `job` from now on."""
        with self._lock:
            self._jobs[job] = None
        job.add_done_callback(lambda _job: notify())

    def pending(self) -> Sequence[Pending]:
        """List those that are not done."""
        return [
            Pending(f"job {_name(job)}", driver=job) for job in self._listed() if not job.done()
        ]

    def take_failure(self) -> BaseException | None:
        """Give the exception of the next one that raised, once."""
        for job in self._listed():
            if job.done():
                with self._lock:
                    self._jobs.pop(job, None)
                if not job.cancelled() and (error := job.exception()) is not None:
                    return error
        return None

    def _listed(self) -> list[Job]:
        """List the jobs; those whose event loop has ended are nobody's any more."""
        with self._lock:
            for job in list(self._jobs):
                if asyncio.isfuture(job) and job.get_loop().is_closed():
                    del self._jobs[job]
            return list(self._jobs)


def _name(job: Job) -> str:
    return repr(job.get_name()) if is_asyncio_task(job) else repr(job)


TRACKED = Tracked()


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
    TRACKED.add(job)
    return job
