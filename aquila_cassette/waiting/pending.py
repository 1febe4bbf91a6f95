"""The interface of whatever can be pending: streams, jobs, messages."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from aquila_cassette.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing that goes on, as ``job 'stream' of ChatLive``; its `driver`, if any, does it."""

    what: str
    facts: tuple[str, ...] = ()
    driver: object = None


class Source(Protocol):
    """What may have something pending; it calls `notify` when that changes."""

    def pending(self) -> Sequence[Pending]: ...

    def take_failure(self) -> BaseException | None:
        """Return the next failure that was not raised anywhere, once; None when there is none."""


class ClosableSource(Source, Protocol):
    def is_closed(self) -> bool: ...


_sources: weakref.WeakSet[ClosableSource] = weakref.WeakSet()
_lock = threading.RLock()


def register(source: ClosableSource) -> None:
    """Ask `source` from now on, for as long as it is open and something else keeps it alive."""
    with _lock:
        _sources.add(source)


def sources() -> list[ClosableSource]:
    """Return those that are open: what a closed view did not raise is nothing to a later test."""
    with _lock:
        return [source for source in _sources if not source.is_closed()]


@dataclass(eq=False)
class MarkedJob:
    """A job or handler of a view that runs; `owner` is what must not wait for it.

    `came` returns ref, text and meta of the stream that it has begun, as far as that came.
    """

    title: str
    view: object
    owner: object
    is_over: bool = False
    came: Callable[[], dict[str, Any]] = dict


_marked: ContextVar[MarkedJob | None] = ContextVar("aquila_cassette_job", default=None)


@contextlib.contextmanager
def mark_job(title: str, view: object, owner: object = None) -> Iterator[MarkedJob]:
    """Mark this context, and the tasks and threads that inherit it, as the inside of a job."""
    job = MarkedJob(title, view, owner or view)
    before = _marked.get()
    _marked.set(job)
    try:
        yield job
    finally:
        job.is_over = True
        _marked.set(before)


def current_job(context: Context | None = None) -> MarkedJob | None:
    """Return the job that this code, or a context, belongs to."""
    return _marked.get() if context is None else context.get(_marked)


def forbid_inside_job(
    function: str, owner: object = None, fix: str = "call {function} in the test"
) -> None:
    """Raise a `UsageError` inside a job, of `owner` or any: it would wait for its own caller."""
    job = _marked.get()
    if job is not None and not job.is_over and owner in (None, job.owner):
        raise UsageError(
            f"{function} was called inside {job.title}, and would wait for it.",
            fix=f"Fix: {fix.format(function=function)}",
        )
