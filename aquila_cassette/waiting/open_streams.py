"""The open streams of a session and their readers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from functools import cached_property

from aquila_cassette.waiting.activity import Activity, activity_after_loop, current_activity
from aquila_cassette.waiting.event_loops import (
    Loop,
    TaskOrThread,
    current_task_or_thread,
    elapsed,
    is_asyncio_task,
    wall_time,
)
from aquila_cassette.waiting.inspection import notify_after
from aquila_cassette.waiting.notifier import notify

parent_stream: ContextVar[OpenStream | None] = ContextVar("aquila_parent_stream", default=None)
"""The client's stream for which this task or thread makes requests."""


class OpenStream:
    """One stream from the start of its request until it is over.

    `facts` gives lines for an error. A `background` stream stays open on purpose.
    """

    __slots__ = ("activities", "background", "facts", "label", "parent")

    def __init__(self, label: str, facts: Callable[[], Sequence[str]], *, background: bool) -> None:
        self.label = label
        self.facts = facts
        self.background = background
        self.parent = parent_stream.get()
        self.activities: list[Activity] = []

    def has_reader_except(self, ignored: set[int], loop: Loop = None) -> bool:
        """Return whether a task or thread with an id not in `ignored` may still read it.

        With a `loop`, this one, readers in it and in threads count only while they are pending.
        """
        return any(
            not one.is_over()
            and id(one.driver) not in ignored
            and (loop is None or one.loop not in (None, loop) or one.is_pending())
            for one in self.activities
        )

    def with_parents(self) -> list[OpenStream]:
        return [self] if self.parent is None else [self, self.parent]

    def reader_location(self) -> str | None:
        activities = [one for stream in self.with_parents() for one in stream.activities]
        return next(filter(None, (one.location() for one in activities)), None)


class OpenStreams:
    def __init__(self) -> None:
        self.started = 0
        # In ms, so that they tell the order: a request starts after each piece before it.
        self.last_request = self.last_piece = 0
        self._home = threading.current_thread()
        self._streams: set[OpenStream] = set()
        self._activities: dict[Hashable, Activity] = {}
        self._is_watched = False
        self._lock = threading.RLock()

    @cached_property
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
        # Before it can be seen from another thread: without a reader it would not count there.
        driver = current_task_or_thread()
        if driver is not self._home:  # which opened the block, and is not waited for
            self._add_reader(stream, driver)
        with self._lock:
            self.started += counts
            self._streams.add(stream)
        notify()
        return stream

    @property
    def any_is_open(self) -> bool:
        return bool(self._streams)

    def add_reader(self, stream: OpenStream | None) -> None:
        if stream is None:
            return
        driver = current_task_or_thread()
        if driver is self._home or driver in [one.driver for one in stream.activities]:
            return
        self._add_reader(stream, driver)
        notify()

    def close(self, stream: OpenStream | None) -> None:
        """Record that `stream` is over; a second call does nothing."""
        if stream is None or stream not in self._streams:
            return
        # Whoever waits for a reader goes on after it: that is found out where anybody asks.
        if self._is_watched and not stream.background:
            for activity in stream.activities:
                self._add_waiting_for(activity)
        with self._lock:
            self._streams.discard(stream)
        notify()

    def open(self) -> Sequence[OpenStream]:
        with self._lock:
            return [stream for stream in self._streams if not stream.background]

    def activities(self) -> Sequence[Activity]:
        """List the activities of those who read streams here, and of those who wait for them."""
        with self._lock:
            self._is_watched = True
            for key in [key for key, one in self._activities.items() if one.is_over()]:
                del self._activities[key]
            for activity in list(self._activities.values()):
                self._add_waiting_for(activity)
            return list(self._activities.values())

    def _add_reader(self, stream: OpenStream, driver: TaskOrThread) -> None:
        activity = current_activity(driver, self._home)
        if activity is None:
            return
        if not stream.background:
            known = self._remember(activity)
            if known is activity and (around := activity_after_loop(driver, self._home)):
                self._add_waiting_for(self._remember(around))
            activity = known
        if activity not in stream.activities:
            stream.activities.append(activity)

    def _remember(self, activity: Activity) -> Activity:
        with self._lock:
            known = self._activities.get(activity.key)
            if known is not None and not known.is_over() and known.covers(activity):
                return known
            self._activities[activity.key] = activity
        if is_asyncio_task(activity.driver):
            notify_after(activity.driver)
        self._add_waiting_for(activity)
        return activity

    def _add_waiting_for(self, activity: Activity) -> None:
        for waiting in activity.waiting():
            with self._lock:
                known = self._activities.get(waiting.key)
                if known is None or not known.covers(waiting):
                    self._activities[waiting.key] = waiting
