"""Whatever may have something pending, and says so when it is asked: views, jobs, open streams."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["InboxOf", "Pending", "Source", "register", "sources"]


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing that is still going on, as the one who waits for it is told.

    Args:
        what: What it is, in a line: ``job 'stream' of ChatLive``.
        facts: More lines about it.
        driver: The task or thread that does it, where one does.
    """

    what: str
    facts: tuple[str, ...] = ()
    driver: object = None


class Source(Protocol):
    """Something that may have something pending; it rings `changes` when that changes."""

    def pending(self) -> Sequence[Pending]:
        """List what is going on; an empty list when nothing is."""
        ...

    def take_failure(self) -> BaseException | None:
        """Give the next failure that nobody has been told of, once; None when there is none."""
        ...


class InboxOf:
    """What a source has pending that no task or thread of its own does: messages to be handled.

    Args:
        source: The source; its failures are told to others.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def pending(self) -> Sequence[Pending]:
        """List it."""
        return [one for one in self._source.pending() if one.driver is None]

    def take_failure(self) -> BaseException | None:
        """Give none."""
        return None


_sources: weakref.WeakSet[Source] = weakref.WeakSet()
_lock = threading.RLock()


def register(source: Source) -> None:
    """Have `source` asked from now on, for as long as somebody else holds it."""
    with _lock:
        _sources.add(source)


def sources() -> list[Source]:
    """List the sources there are."""
    with _lock:
        return list(_sources)
