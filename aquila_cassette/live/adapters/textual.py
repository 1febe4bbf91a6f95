"""Textual: its workers are waited for, its messages handled, and its screen read as text."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.worker import NoActiveWorker, Worker, WorkerError, WorkerFailed, get_current_worker

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapters.adapter import Adapter
from aquila_cassette.waiting import frames
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.pending import Pending
from aquila_cassette.waiting.task_graph import is_asyncio_task

__all__ = ["TextualApp"]

_ROUNDS = 20
"""A screen on which something always moves is never quiet; this many rounds are enough for one."""

_SEGMENT = re.compile(
    r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>(.*?)</text>',
    re.DOTALL,
)

_watchers: set[asyncio.Task[None]] = set()


class _Ear:
    """Counts what is handled in an app; there is one for each app, however often it is rendered."""

    def __init__(self) -> None:
        self.handled = 0
        self.nodes: WeakSet[DOMNode] = WeakSet()
        self.workers: WeakSet[Worker[Any]] = WeakSet()

    def hear(self, message: Message) -> None:
        if isinstance(message, events.Callback):
            function = getattr(message.callback, "func", message.callback)
            if getattr(function, "__module__", None) == Pilot.__module__:
                return  # The pilot's own question.
        self.handled += 1


_ears: WeakKeyDictionary[App[Any], _Ear] = WeakKeyDictionary()


class TextualApp(Adapter):
    """A running Textual app; what it renders is the text on its screen, a line per row.

    Args:
        view: The app, inside its `run_test`, or the pilot that this gave.
    """

    def __init__(self, view: App[Any] | Pilot[Any]) -> None:
        self._app: App[Any] = view.app if isinstance(view, Pilot) else view
        self._pilot = Pilot(self._app)
        self._ear = _ears.setdefault(self._app, _Ear())

    def pending(self) -> Sequence[Pending]:
        """List the workers that run.

        Raises:
            UsageError: This is called inside one of them.
        """
        running = [worker for worker in self._app.workers if worker.is_running]
        try:
            here = get_current_worker()
        except NoActiveWorker:
            here = None
        if here in running:
            raise UsageError(
                f"render_async was called inside {_named(here)}, and would wait for it.",
                fix="Call render_async in the test; here, await what you need itself",
            )
        for worker in running:
            if worker not in self._ear.workers:
                self._ear.workers.add(worker)
                watcher = asyncio.create_task(_ring_at_the_end_of(worker))
                _watchers.add(watcher)
                watcher.add_done_callback(_watchers.discard)
        return [_pending(worker) for worker in running]

    async def settle(self) -> None:
        """Wait until all messages were handled, those that follow from them too, and it is drawn.

        Of an app that has failed or does not run there is nothing to wait for; `render` says so.
        """
        for _ in range(_ROUNDS):
            if self._failure() is not None:
                return
            await self._app.animator.wait_until_complete()
            self._listen()
            before = self._ear.handled
            try:
                # Its delay of none asks for no pause; without one it would watch the processor's
                # load for at least 20 ms, which under the load of others takes a second.
                await self._pilot.pause(0)
            except WaitForScreenTimeout:
                continue  # A handler takes long; how long is too long is not decided here.
            if self._ear.handled == before:
                return

    async def render(self) -> str:
        """Give the text of the screen as people see it.

        Raises:
            Exception: What a worker or a message handler raised, and the app has ended of.
            UsageError: The app does not run.
        """
        if (failure := self._failure()) is not None:
            raise failure
        return _text_of(self._app.export_screenshot(simplify=True))

    def settle_sync(self) -> None:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        self.render_sync()

    def render_sync(self) -> Any:
        """Refuse.

        Raises:
            UsageError: Always: a Textual app lives in an event loop.
        """
        raise UsageError(
            f"{type(self._app).__name__} is a Textual app and lives in an event loop.",
            fix="Make the test async: await render_async(pilot)",
        )

    def _failure(self) -> Exception | None:
        # Textual re-raises it when `run_test` ends, which is too late for who asserts before; it
        # has no public name.
        failure = self._app._exception
        if isinstance(failure, WorkerFailed) and isinstance(failure.error, Exception):
            return failure.error
        if failure is None and not self._app.is_running:
            return UsageError(
                f"{type(self._app).__name__} does not run.",
                fix="Render it inside: async with app.run_test() as pilot:",
            )
        return failure

    def _listen(self) -> None:
        for node in [self._app, *self._app.screen.walk_children(with_self=True)]:
            if node.is_running and node not in self._ear.nodes:
                self._ear.nodes.add(node)
                node.message_signal.subscribe(self._app, self._ear.hear, immediate=True)


def _text_of(screenshot: str) -> str:
    """Read the text off a screenshot, which is all of a screen that Textual gives publicly.

    Args:
        screenshot: As `App.export_screenshot` draws it: SVG, a `text` for each run of a style.
    """
    rows: dict[str, str] = {}
    for x, y, length, escaped in _SEGMENT.findall(screenshot):
        text = html.unescape(escaped)
        row = rows.get(y, "")
        column = round(float(x) / (float(length) / len(text)))
        rows[y] = row + " " * (column - cell_len(row)) + text.replace("\xa0", " ")
    return "\n".join(row.rstrip() for row in rows.values()).rstrip("\n")


async def _ring_at_the_end_of(worker: Worker[Any]) -> None:
    # Never cancel this: Textual cancels a worker together with who waits for it.
    try:
        await worker.wait()
    except WorkerError:
        pass  # Failed or cancelled; the app knows, and handles it or ends.
    finally:
        notify()


def _named(worker: Worker[Any]) -> str:
    return f"worker {worker.name!r} of {type(worker.node).__name__}"


def _pending(worker: Worker[Any]) -> Pending:
    # Only its task knows in which line a worker waits, and only this private name knows the task.
    # Where it is a thread's, it waits for the thread.
    task = getattr(worker, "_task", None)
    if not is_asyncio_task(task):
        return Pending(_named(worker))
    where = frames.location(frames.suspended_frames(task.get_coro()))
    return Pending(_named(worker), (f"waits:  {where}",) if where else (), task)
