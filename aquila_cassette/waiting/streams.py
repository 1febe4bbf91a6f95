"""Which streams are open, and the works of those who read them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar

from aquila_cassette.waiting.activity import Work
from aquila_cassette.waiting.current_activity import work_here
from aquila_cassette.waiting.current_task import Driver, current_driver
from aquila_cassette.waiting.loop_owner import work_around
from aquila_cassette.waiting.notifier import changed

__all__ = ["OpenStream", "OpenStreams", "Readers", "on_behalf_of"]

_MANY_WORKS = 64

on_behalf_of: ContextVar[OpenStream | None] = ContextVar("aquila_on_behalf_of", default=None)
"""The stream of a client in whose background task this runs: the requests it makes are its own."""


def _no_facts() -> Sequence[str]:
    return ()


class OpenStream:
    """One stream from its request's start until it is over.

    Args:
        label: What it is, for people: method and URL.
        facts: Gives lines on what was asked and what came; called only when somebody is told.
        background: Whether it stays open on purpose, and is not waited for.
    """

    __slots__ = ("background", "facts", "held", "label", "parent", "works")

    def __init__(self, label: str, facts: Callable[[], Sequence[str]], *, background: bool) -> None:
        self.label = label
        self.facts = facts
        self.background = background
        self.held = False
        self.parent = on_behalf_of.get()
        self.works: list[Work] = []

    def has_reader_but(self, mine: set[int], home: object = None) -> bool:
        """Tell whether somebody may still read it whose ``id`` is not in `mine`.

        Args:
            mine: The ids of drivers that do not count.
            home: The event loop that this runs in: who lives there, or in a thread, is asked
                whether it has left the work that it read the stream for. Others may be at it.
        """
        return any(
            not work.gone()
            and id(work.driver) not in mine
            and (home is None or work.home not in (None, home) or work.pending())
            for work in self.works
        )

    def with_parents(self) -> list[OpenStream]:
        """List it, and the client's stream on whose behalf it is open."""
        return [self] if self.parent is None else [self, self.parent]

    def reader(self) -> str | None:
        """Say where in the user's code its reader waits."""
        for stream in self.with_parents():
            for work in stream.works:
                if stands := work.stands():
                    return stands
        return None


class Readers:
    """Those who read certain streams, and those who wait for them.

    Args:
        works: The works of those who read.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = works

    def open(self) -> Sequence[OpenStream]:
        """List no stream."""
        return ()

    def works(self) -> Sequence[Work]:
        """List the works of those who have not left them."""
        works = [work for work in self._works if not work.gone()]
        return [*works, *(waiting for work in works for waiting in work.waiting())]


class OpenStreams:
    """The open streams of one cassette, or of our own client."""

    def __init__(self) -> None:
        self.started = 0
        self._home = threading.current_thread()
        self._streams: set[OpenStream] = set()
        self._works: dict[Hashable, Work] = {}
        self._lock = threading.RLock()

    def opened(
        self,
        label: str,
        facts: Callable[[], Sequence[str]] = _no_facts,
        *,
        background: bool = False,
    ) -> OpenStream:
        """Note a request that starts now, driven from here."""
        stream = OpenStream(label, facts, background=background)
        # Only with its reader does it count, for who looks from another thread.
        self._read(stream)
        with self._lock:
            self.started += 1
            self._streams.add(stream)
        changed()
        return stream

    def read(self, stream: OpenStream) -> None:
        """Note that this task or thread reads `stream`."""
        self._read(stream)
        changed()

    def attend(self, stream: OpenStream | None) -> None:
        """Note who begins to read `stream`, if that is not who asked for it."""
        if stream is not None:
            driver = current_driver()
            if all(work.driver is not driver for work in stream.works):
                self.read(stream)

    def _read(self, stream: OpenStream) -> None:
        driver = current_driver()
        work = work_here(driver, self._home)
        if work is not None:
            if not stream.background:
                work = self._known(work)
                self._add_waiting(work)
                self._add_around(driver)
            if work not in stream.works:
                stream.works.append(work)

    def over(self, stream: OpenStream | None) -> None:
        """Note that `stream` is over; a second call does nothing."""
        if stream is None or stream not in self._streams:
            return
        if not stream.background:
            for work in stream.works:
                self._add_waiting(work)
        with self._lock:
            self._streams.discard(stream)
        changed()

    def open(self) -> Sequence[OpenStream]:
        """List the streams that are open and are waited for."""
        with self._lock:
            return [stream for stream in self._streams if not stream.background]

    def works(self) -> Sequence[Work]:
        """List the works of those who read streams here, and of who waits for them."""
        with self._lock:
            self._forget()
            return list(self._works.values())

    def leave(self, work: Work) -> None:
        """Note that its driver has left `work`."""
        with self._lock:
            self._works.pop(work.key, None)

    def _known(self, work: Work) -> Work:
        with self._lock:
            if len(self._works) > _MANY_WORKS:
                self._forget()
            known = self._works.get(work.key)
            if known is not None and not known.gone() and known.supersedes(work):
                return known
            self._works[work.key] = work
        work.attend()
        return work

    def _add_around(self, driver: Driver) -> None:
        around = work_around(driver, self._home)
        if around is not None:
            self._add_waiting(self._known(around))

    def _add_waiting(self, work: Work) -> None:
        for waiting in work.waiting():
            with self._lock:
                known = self._works.get(waiting.key)
                if known is None or not known.supersedes(waiting):
                    self._works[waiting.key] = waiting

    def _forget(self) -> None:
        for key in [key for key, work in self._works.items() if work.gone()]:
            del self._works[key]
