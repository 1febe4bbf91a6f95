"""Waiting until a view has nothing going on, and giving what it then shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeGuard

import anyio

from aquila_cassette.client.stream_base import OPEN_STREAMS
from aquila_cassette.errors import RenderTimeout, SettleTimeout, UsageError
from aquila_cassette.live.adapters import Adapter, adapter_for
from aquila_cassette.live.track import TRACKED
from aquila_cassette.session import current as scope
from aquila_cassette.session.wait_until_idle import default_timeout, idle, pending_lines
from aquila_cassette.waiting.event_loops import (
    TaskOrThread,
    current_task_or_thread,
    run_in_own_loop,
    running_trio,
)
from aquila_cassette.waiting.idle import NOT_STARTED, Idle
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.pending import Pending, Source, forbid_inside_job, sources

__all__ = ["render_async", "render_sync", "wait_settled"]


async def render_async(
    view: object, *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> Any:
    """Wait until nothing goes on that could still change `view`, and give what it shows.

    What goes on is: jobs (of `View.start_async`, and those that were given to `track`); streams of
    our client; every response of any SDK in an open cassette, and the task or thread that reads it
    until it has left the function it was in; a call in a worker thread that such code awaits; and
    the view's inbox. What a finished job starts is waited for.

    Args:
        view: An object with ``render()``, a function, a Textual Pilot or App, a NiceGUI User, a
            Playwright page, or what `register_view` has taught it. Of a `View` only its own jobs
            count; else those of all views.
        timeout: The longest wait, in seconds; by default 5 on replay, 120 while recording.
        streams: How many streams must have been opened in the open cassettes, at least: for a
            request that comes late.
        once: Wait only for what goes on now, not for what that starts.

    Raises:
        RenderTimeout: Something was still going on; the error lists it, and where it waits.
        MissError: A request had no recording; at once, whatever an SDK makes of it.
        UsageError: Called inside a job that it would wait for, or nothing is known of `view`.
        Exception: What a job or a handler raised that nobody handled.

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
    adapter = adapter_for(view)
    waiting = _Waiting("render_async", view, adapter, current_task_or_thread(), timeout, streams)
    with anyio.move_on_after(waiting.limit):
        while True:
            await waiting.unless_failed(adapter.settle)
            count = notifier.count
            await waiting.idle(once=once)
            await waiting.unless_failed(adapter.settle)
            if once or (notifier.count == count and not await waiting.look()):
                break
        return await adapter.render()
    raise await waiting.too_late()


def render_sync(
    view: object, *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> Any:
    """Do what `render_async` does, from a thread without an event loop: sync tests and browsers.

    Args:
        view: See `render_async`.
        timeout: See `render_async`.
        streams: See `render_async`.
        once: See `render_async`.

    Raises:
        RenderTimeout: Something was still going on; the error lists it, and where it waits.
        MissError: A request had no recording.
        UsageError: Called where an event loop runs, which it would block.
    """
    forbid_inside_job("render_sync")
    _refuse_in_a_task("render_sync", "await render_async(view)")
    adapter = adapter_for(view)
    waiting = _Waiting("render_sync", view, adapter, current_task_or_thread(), timeout, streams)
    deadline = time.monotonic() + waiting.limit
    while True:
        adapter.settle_sync()
        count = notifier.count
        run_in_own_loop(lambda: _until(waiting, deadline, once=once))
        adapter.settle_sync()
        if once or (notifier.count == count and not run_in_own_loop(waiting.look)):
            return adapter.render_sync()


def wait_settled(
    *, timeout: float | None = None, streams: int | None = None, once: bool = False
) -> None:
    """Wait in this thread for what `render_async` waits for, and render nothing.

    Args:
        timeout: See `render_async`.
        streams: See `render_async`.
        once: See `render_async`.

    Raises:
        SettleTimeout: Something was still going on; the error lists it, and where it waits.
        MissError: A request had no recording.
        UsageError: Called where an event loop runs, which it would block.
    """
    forbid_inside_job("wait_settled")
    _refuse_in_a_task("wait_settled", "await cassette.settled(), or await render_async(view)")
    waiting = _Waiting("wait_settled", None, None, current_task_or_thread(), timeout, streams)
    deadline = time.monotonic() + waiting.limit
    run_in_own_loop(lambda: _until(waiting, deadline, once=once))


class _Waiting:
    def __init__(
        self,
        called: str,
        view: object,
        adapter: Adapter | None,
        here: TaskOrThread,
        timeout: float | None,
        streams: int | None,
    ) -> None:
        cassettes = scope.opened()
        self._called = called
        self.limit = default_timeout(cassettes) if timeout is None else timeout
        asked: list[Source] = [TRACKED]
        asked += [view] if _is_source(view) else sources()
        if adapter is not None:
            asked.append(_Of(adapter))
        _refuse_for_oneself(called, here, asked)
        self._draws = False
        self._idle: Idle = idle(
            cassettes, here=here, streams=streams, also=[OPEN_STREAMS], sources=asked
        )

    async def idle(self, *, once: bool) -> None:
        """Wait without an end."""
        await self._idle.wait(None, once=once)

    async def look(self) -> list[Pending]:
        """List what goes on."""
        return await self._idle.look()

    async def unless_failed(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run `function`, but raise a failure as soon as there is one."""
        failures: list[BaseException] = []
        self._draws = True

        async def watch() -> None:
            while True:
                count = notifier.count
                failure = self._idle.failure()
                if failure is not None:
                    failures.append(failure)
                    group.cancel_scope.cancel()
                    return
                await notifier.wait(count)

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                await function()
            except Exception as error:  # raised below, where no group wraps it
                failures.append(error)
            group.cancel_scope.cancel()
        self._draws = False
        if failures:
            raise failures[0]

    async def too_late(self) -> SettleTimeout:
        """Make the error that says what still goes on."""
        left = await self._idle.wait(0)
        if self._draws:
            left = [*(one for one in left if one != NOT_STARTED), Pending("the view still draws")]
        things = f"{len(left)} thing{'' if len(left) == 1 else 's'}"
        kind = SettleTimeout if self._called == "wait_settled" else RenderTimeout
        return kind(
            f"{self._called}: {things} still going on after {self.limit:g} s.",
            facts=pending_lines(left),
            fix="Fix: end it, name what stays open on purpose to background=(...), or wait "
            f"longer: {self._called}(..., timeout=...)",
        )


def _refuse_for_oneself(called: str, here: TaskOrThread, asked: Sequence[Source]) -> None:
    for source in asked:
        for one in source.pending():
            if one.driver is here:
                raise UsageError(
                    f"{called} was called inside {one.what}, and would wait for it.",
                    fix=f"Call {called} in the test; here, await what you need itself",
                )


class _Of:
    """What an adapter has going on; it has no failures."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def pending(self) -> Sequence[Pending]:
        return self._adapter.pending()

    def take_failure(self) -> BaseException | None:
        return None


def _is_source(view: object) -> TypeGuard[Source]:
    return callable(getattr(view, "pending", None)) and callable(
        getattr(view, "take_failure", None)
    )


async def _until(waiting: _Waiting, deadline: float, *, once: bool) -> None:
    with anyio.move_on_after(deadline - time.monotonic()):
        await waiting.idle(once=once)
        return
    raise await waiting.too_late()


def _refuse_in_a_task(called: str, instead: str) -> None:
    try:
        in_a_task = running_trio() is not None or asyncio.current_task() is not None
    except RuntimeError:
        return
    if in_a_task:
        raise UsageError(
            f"{called} was called in an event loop, which it would block.",
            fix=f"Fix: {instead}",
        )
