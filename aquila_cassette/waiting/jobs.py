"""Work that somebody will wait for: what may not be done inside it is to wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from aquila_cassette.errors import UsageError

__all__ = ["inside", "refuse_inside"]


class _Inside:
    __slots__ = ("over", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.over = False


_here: ContextVar[_Inside | None] = ContextVar("aquila_cassette_job", default=None)


@contextlib.contextmanager
def inside(what: str) -> Iterator[None]:
    """Mark this context, and the tasks and threads that inherit it, as the inside of a job.

    Args:
        what: What the job is, for people: ``job 'stream' of ChatLive``.
    """
    mark = _Inside(what)
    before = _here.get()
    _here.set(mark)
    try:
        yield
    finally:
        mark.over = True
        _here.set(before)


def refuse_inside(waiting: str) -> None:
    """Refuse to wait where that would be waiting for oneself.

    Args:
        waiting: What was called: ``render_async``.

    Raises:
        UsageError: This runs inside a job that is not over.
    """
    mark = _here.get()
    if mark is not None and not mark.over:
        raise UsageError(
            f"{waiting} was called inside {mark.what}, and would wait for it.",
            fix=f"Call {waiting} in the test; here, await what you need itself",
        )
