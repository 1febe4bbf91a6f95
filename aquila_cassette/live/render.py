"""`render_async`, `render_sync` and `wait_settled`: ask for a page, and get it whole."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import anyio

from aquila_cassette.client.stream_base import OPEN_STREAMS
from aquila_cassette.errors import RenderTimeout, SettleTimeout, UsageError
from aquila_cassette.live.adapter import adapter_for
from aquila_cassette.live.jobs import TRACKED_JOBS
from aquila_cassette.live.view import View
from aquila_cassette.session import current_session as scope
from aquila_cassette.session.cassette import default_timeout, idle
from aquila_cassette.session.stream_text import time_out
from aquila_cassette.waiting.event_loops import (
    current_task_or_thread,
    elapsed,
    run_in_own_loop,
    running_trio,
    time_limit,
)
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.pending import forbid_inside_job, sources


async def render_async(
    view: object, *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> Any:
    """Wait until nothing is pending that could still change `view`, and return what it shows.

    Pending are jobs (of `View.start_async`, and what `track` was given), messages in a view's
    inbox, streams of our client, and every response of any SDK in an open cassette until the code
    that reads it has returned.

    Args:
        view: An object with ``render()``, a function, a Textual Pilot or App, a NiceGUI User, a
            Playwright page, or a kind given to `register_view`. Of a `View` only its own jobs
            count; else those of all views.
        timeout: The longest wait, in seconds; by default 5 on replay, 120 while recording.
        streams: How many streams must have started in the open cassettes, at least.
        once: Wait only for what is pending now, not for what that starts.

    Raises:
        RenderTimeout: Something was still pending; the error lists it, and where it waits.
        MissError: A request had no matching interaction; at once, whatever an SDK does then.
        UsageError: Called inside a job that it would wait for, or there is no adapter for `view`.
        Exception: What a job or a handler raised and nothing has caught.

    Example:
        >>> from aquila_cassette.client import AsyncClient, collector
        >>> from aquila_cassette.provider import Provider
        >>> async def main(url):
        ...     said = collector()
        ...     async with AsyncClient(base_url=url, model="claude-sonnet-5-5") as client:
        ...         client.stream("Say hello", sink=said)
        ...         return await render_async(lambda: said.text)
        >>> with Provider(gap=0) as provider:
        ...     asyncio.run(main(provider.url))
        'Hello! ...'
    """
    forbid_inside_job("render_async")
    waiting = _Waiting("render_async", view, timeout, streams)
    with time_limit(waiting.limit):
        while True:
            await waiting.settle()
            await waiting.idle.wait(None, once=once)
            await waiting.settle()
            if once or not await waiting.idle.look():
                break
        return await waiting.adapter.render()
    raise await waiting.too_late()


def render_sync(
    view: object, *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> Any:
    """Do what `render_async` does, in a thread without an event loop: sync tests and browsers.

    Arguments and errors are those of `render_async`; a `UsageError` where an event loop runs, which
    it would block.
    """
    return _render_sync("render_sync", view, timeout, streams, once=once)


def wait_settled(
    *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> None:
    """Wait in this thread for what `render_async` waits for, and render nothing.

    Arguments and errors are those of `render_sync`, but it is a `SettleTimeout` where something was
    still pending.
    """
    _render_sync("wait_settled", lambda: None, timeout, streams, once=once)


def _render_sync(
    called: str, view: object, timeout: float | None, streams: int | None, *, once: bool
) -> Any:
    forbid_inside_job(called)
    with contextlib.suppress(RuntimeError):  # no event loop of asyncio runs here
        if running_trio() is not None or asyncio.current_task() is not None:
            raise UsageError(
                f"{called} was called in an event loop, which it would block.",
                fix="Fix: await render_async(view), or await cassette.settled()",
            )
    waiting = _Waiting(called, view, timeout, streams)
    deadline = elapsed() + waiting.limit
    while True:
        waiting.adapter.settle_sync()
        run_in_own_loop(lambda: waiting.wait_until(deadline, once=once))
        waiting.adapter.settle_sync()
        if once or not run_in_own_loop(waiting.idle.look):
            return waiting.adapter.render_sync()


class _Waiting:
    def __init__(
        self, called: str, view: object, timeout: float | None, streams: int | None
    ) -> None:
        self.adapter = adapter_for(view)
        sessions = scope.opened()
        views = [view] if isinstance(view, View) else sources()
        self.limit = default_timeout(sessions) if timeout is None else timeout
        self.idle = idle(
            sessions,
            here=current_task_or_thread(),
            streams=streams,
            also=[OPEN_STREAMS],
            sources=[*sessions, TRACKED_JOBS, *views, self.adapter],
            view=view if isinstance(view, View) else None,
        )
        self._called = called

    async def settle(self) -> None:
        """Let the view draw, but raise a failure as soon as there is one."""
        failures: list[BaseException] = []

        async def watch() -> None:
            failures.append(await notifier.until(self.idle.failure))
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                await self.adapter.settle()
            except Exception as error:  # raised below, where no group wraps it
                failures.append(error)
            group.cancel_scope.cancel()
        if failures:
            raise failures[0]

    async def wait_until(self, deadline: float, *, once: bool) -> None:
        with time_limit(deadline - elapsed()):
            await self.idle.wait(None, once=once)
            return
        raise await self.too_late()

    async def too_late(self) -> SettleTimeout:
        left = await self.idle.wait(0)
        kind = SettleTimeout if self._called == "wait_settled" else RenderTimeout
        longer = f"{self._called}(..., timeout=...)"
        return time_out(kind, f"{self._called}: ", left, self.limit, longer)
