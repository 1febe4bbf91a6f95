"""The adapter for Textual."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import anyio
from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.timer import Timer
from textual.worker import Worker, WorkerError, WorkerFailed

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapter import LONGEST_INTERVAL, Adapter
from aquila_cassette.waiting.event_loops import run_in_background
from aquila_cassette.waiting.notifier import notifier, notify
from aquila_cassette.waiting.pending import Pending

_MAX_ROUNDS = 20
"""How often to let a screen draw on which something always moves."""

_SEGMENT = re.compile(
    r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>(.*?)</text>',
    re.DOTALL,
)


class _MessageCounter:
    """Counts the messages that an app handles; there is one for each app."""

    def __init__(self) -> None:
        self.handled = 0
        self.nodes: WeakSet[DOMNode] = WeakSet()
        self.workers: WeakSet[Worker[Any]] = WeakSet()

    def count(self, message: Message) -> None:
        if isinstance(message, events.Callback):
            function = getattr(message.callback, "func", message.callback)
            if getattr(function, "__module__", None) == Pilot.__module__:
                return  # The pilot's own question.
        self.handled += 1


_counters: WeakKeyDictionary[App[Any], _MessageCounter] = WeakKeyDictionary()


class TextualAdapter(Adapter):
    """A Textual app inside its `run_test`, or its pilot; it renders the screen, a line per row."""

    def __init__(self, view: App[Any] | Pilot[Any]) -> None:
        self._app: App[Any] = view.app if isinstance(view, Pilot) else view
        self._pilot = Pilot(self._app)
        self._counter = _counters.setdefault(self._app, _MessageCounter())
        self._drawn = -1

    def pending(self) -> Sequence[Pending]:
        running = [worker for worker in self._app.workers if worker.is_running]
        for worker in running:
            if worker not in self._counter.workers:
                self._counter.workers.add(worker)
                run_in_background(partial(_notify_at_end_of, worker))
        # Only this private name knows the task that a worker is.
        return [
            Pending(
                f"worker {worker.name!r} of {type(worker.node).__name__}",
                driver=getattr(worker, "_task", None),
            )
            for worker in running
        ]

    async def settle(self) -> None:
        """Wait until the app's timers redrew, all messages were handled, and it is drawn."""
        await self._redraw()
        for _ in range(_MAX_ROUNDS):
            if self._failure() is not None:
                return  # `render` raises it.
            await self._app.animator.wait_until_complete()
            self._subscribe()
            before = self._counter.handled
            try:
                # Without a delay, `pause` watches the processor's load for at least 20 ms.
                await self._pilot.pause(0)
            except WaitForScreenTimeout:
                continue  # A handler takes long; the waiter has a time-out.
            if self._counter.handled == before:
                return

    async def _redraw(self) -> None:
        """Let each timer tick that may draw what has changed since the last time."""
        if notifier.count == self._drawn or not self._app.is_running:
            return
        nodes = [self._app, *self._app.screen.walk_children(with_self=True)]
        for node in nodes:
            if node.auto_refresh:
                node.automatic_refresh()
        # Nothing public lists the timers. Those of Textual's own widgets draw no data.
        timers = [timer for node in nodes for timer in node._timers if _is_users(timer)]
        intervals = [timer._interval for timer in timers]
        if intervals := [one for one in intervals if one <= LONGEST_INTERVAL]:
            ticked = anyio.Event()
            self._app.set_timer(max(intervals), ticked.set)
            await ticked.wait()
        self._drawn = notifier.count

    async def render(self) -> str:
        if (failure := self._failure()) is not None:
            raise failure
        return _text_of(self._app.export_screenshot(simplify=True))

    def _failure(self) -> Exception | None:
        # Textual raises it when `run_test` ends, which is too late for assertions before that. It
        # has no public name.
        failure = self._app._exception
        if isinstance(failure, WorkerFailed) and isinstance(failure.error, Exception):
            return failure.error
        if failure is None and not self._app.is_running:
            return UsageError(
                f"{type(self._app).__name__} does not run.",
                fix="Fix: render it inside: async with app.run_test() as pilot:",
            )
        return failure

    def _subscribe(self) -> None:
        for node in [self._app, *self._app.screen.walk_children(with_self=True)]:
            if node.is_running and node not in self._counter.nodes:
                self._counter.nodes.add(node)
                node.message_signal.subscribe(self._app, self._counter.count, immediate=True)


def _is_users(timer: Timer) -> bool:
    function = getattr(timer._callback, "func", timer._callback)
    return not str(getattr(function, "__module__", "")).startswith("textual.")


def _text_of(screenshot: str) -> str:
    """Read the text off an SVG screenshot, which is all of a screen that Textual gives publicly."""
    rows: dict[str, str] = {}
    for x, y, length, escaped in _SEGMENT.findall(screenshot):
        text = html.unescape(escaped)
        row = rows.get(y, "")
        column = round(float(x) / (float(length) / len(text)))
        rows[y] = row + " " * (column - cell_len(row)) + text.replace("\xa0", " ")
    return "\n".join(row.rstrip() for row in rows.values()).rstrip("\n")


async def _notify_at_end_of(worker: Worker[Any]) -> None:
    # Never cancel this: Textual cancels a worker together with whatever waits for it.
    try:
        await worker.wait()
    except WorkerError:
        pass  # The app handles that, or ends.
    finally:
        notify()
