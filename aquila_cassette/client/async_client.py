"""The async client, for asyncio and trio: a background task drives each stream."""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import AsyncIterator
from typing import Any, Self, Unpack

import anyio
import anyio.to_thread
import httpx

from aquila_cassette.client.client_base import IDLE_TIMEOUT, ClientBase, Prompt, StreamOptions
from aquila_cassette.client.dialects import Endpoint
from aquila_cassette.client.events import Answer, StreamEvent
from aquila_cassette.client.rounds import Stopped
from aquila_cassette.client.sinks import as_sink
from aquila_cassette.client.stream_base import StreamBase, StreamDriver, Transport
from aquila_cassette.client.tools import ToolRun
from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.event_loops import run_in_background, waker
from aquila_cassette.waiting.open_streams import OpenStream, parent_stream


class AsyncClient(ClientBase):
    """Asks models, and gives their answers as streams; for asyncio and trio.

    Its arguments are those of `ClientBase`.

    Example:
        >>> import asyncio
        >>> from aquila_cassette.provider import Provider
        >>> async def hello(url):
        ...     async with AsyncClient(base_url=f"{url}/v1", model="gpt-4o-mini") as client:
        ...         return (await client.ask("Say hello")).text
        >>> with Provider(gap=0) as provider:
        ...     asyncio.run(hello(provider.url))
        'Hello! ...'
    """

    def stream(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> AsyncStream:
        """Ask at once, and return the answer as a stream of events; else as `Client.stream`.

        Without a sink, the stream ends when nobody holds it any more: keep it, or read it.

        Raises:
            UsageError: As `Client.stream`, or no event loop runs here.
        """
        sink = as_sink(options.get("sink"))
        rounds = self._rounds_for(prompt, options)
        transport = Transport(self._http(), options.get("idle_timeout", IDLE_TIMEOUT))
        timeout = options.get("timeout")
        driver = _Driver(rounds, sink, self._active_refs.discard, transport, timeout)
        return AsyncStream(driver, goes_on=options.get("sink") is not None)

    async def ask(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Answer:
        """As `Client.ask`; cancelled, it closes the connection."""
        async with self.stream(prompt, **options) as stream:
            return await stream.result()

    async def retrieve(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> Answer:
        """Fetch a stored response; as `Client.retrieve`."""
        steps = self._stored_response("GET", response_id, endpoint)
        return await Transport(self._http(), IDLE_TIMEOUT).run(steps)

    async def delete(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> None:
        """Delete a stored response; as `Client.delete`."""
        steps = self._stored_response("DELETE", response_id, endpoint)
        await Transport(self._http(), IDLE_TIMEOUT).run(steps)

    async def aclose(self) -> None:
        """Close the connections, if they are not yours."""
        if self._own_http is not None:
            await self._own_http.aclose()
            self._own_http = None

    async def __aenter__(self) -> Self:
        # Making it loads certificates: better now than when the first stream starts.
        self._http()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _http(self) -> Any:
        return self._open_http(httpx.AsyncClient)


class AsyncStream(StreamBase):
    """One stream of the async client; get it from `AsyncClient.stream`.

    It has started when you get it. Several tasks may iterate; each gets all events from the first.
    """

    def __init__(self, driver: _Driver, *, goes_on: bool) -> None:
        super().__init__(driver._rounds, driver._log)
        self._driver = driver
        self._open = driver.start()
        if not goes_on:
            weakref.finalize(self, driver.cancel_from_finalizer).atexit = False

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return _Iterator(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cancel()
        with anyio.CancelScope(shield=True):
            await self._log.over()

    async def result(self, timeout: float | None = None) -> Answer:
        """Wait for the whole answer; as `Stream.result`, in the event loop of any thread."""
        self._note_reader()
        with anyio.move_on_after(timeout):
            await self._log.over()
        return self._result(timeout)

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        The stream is over as soon as its task has run again: ``async with`` waits for that.
        """
        self._driver.cancel()


class _Iterator(AsyncIterator[StreamEvent]):
    # Not a generator: an event loop would keep one that was left early, and with it the stream.
    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream
        self._at = 0

    async def __anext__(self) -> StreamEvent:
        stream, at = self._stream, self._at
        if at == 0:
            stream._note_reader()
        if not await stream._log.wait_for_more(at):
            raise StopAsyncIteration
        self._at += 1
        return stream._log.events[at]


class _Driver(StreamDriver):
    """Drives one stream in a task. It does not know its `AsyncStream`, which may be dropped."""

    def start(self) -> OpenStream:
        try:
            self._scope = anyio.CancelScope()
            run_in_background(self._run)
            self._open = self._open_stream()
        except RuntimeError:
            self._on_over(self.ref)
            raise UsageError(
                "AsyncClient.stream was called where no event loop runs.",
                fix="Fix: call it in an async function, or use Client",
            ) from None
        self._cancel_scope = waker(self._scope.cancel)
        return self._open

    def cancel(self) -> None:
        if not self.done:
            self._rounds.stop(Stopped("cancelled", "The stream was cancelled."))
            self._cancel_scope()

    def cancel_from_finalizer(self) -> None:
        # An event loop that another thread closes right now has ended the stream.
        with contextlib.suppress(RuntimeError):
            self.cancel()

    async def _run(self) -> None:
        self._note_reader()
        parent_stream.set(self._open)
        await self._end_if_interrupted(self._drive_in_scope())

    async def _drive_in_scope(self) -> None:
        if self._timeout is not None:
            self._scope.deadline = anyio.current_time() + self._timeout
        with self._scope:
            await self._drive()
        if self._rounds.step is not None and not self.done:
            late = f"The stream took more than {self._timeout or 0:g} s."
            self._rounds.resume(error=Stopped("timeout", late))
            await self._drive()

    async def _send_to_sink(self, event: StreamEvent) -> None:
        await self._sink.asend(event)

    async def _run_tools(self, runs: list[ToolRun]) -> None:
        async with anyio.create_task_group() as group:
            for one in runs:
                group.start_soon(_run_tool, one)


async def _run_tool(one: ToolRun) -> None:
    run = one.run
    if run is None:
        return
    try:
        # A sync function may block, so it runs in a thread. An async one only makes its coroutine
        # there; within a list, because trio takes a bare coroutine for a mistake.
        (value,) = await anyio.to_thread.run_sync(lambda: [run()], abandon_on_cancel=True)
        one.returned(await value if inspect.isawaitable(value) else value)
    except Exception as error:
        one.raised(error)
