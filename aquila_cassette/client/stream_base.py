"""What the streams of both clients share: their events so far, their driver, and its transport.

The code that drives a stream is async. The sync client runs the same code: with a client of httpx
that is sync it never suspends, see `run_now`.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping
from typing import Any, TypeVar

import anyio

from aquila_cassette.client.events import Answer, Chunk, Done, Error, StreamEvent
from aquila_cassette.client.rounds import (
    CloseResponse,
    EmitEvent,
    HttpStep,
    ReadPiece,
    ResponseHead,
    Rounds,
    RunTools,
    SendRequest,
    Step,
    Stopped,
)
from aquila_cassette.client.sinks import Sink
from aquila_cassette.client.tools import ToolRun
from aquila_cassette.errors import ResultTimeout, StreamError
from aquila_cassette.waiting.event_loops import waker
from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams

OPEN_STREAMS = OpenStreams()
"""The open streams of all clients of this process, for whoever waits for them."""

_GRACE = 0.02
"""How long, in seconds, the async client waits after the last event for the end of an answer."""

T = TypeVar("T")
_logger = logging.getLogger("aquila_cassette.client")


class EventLog:
    """The events of one stream so far, for readers in any task or thread."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []

    @property
    def last(self) -> Done | Error | None:
        """The event that ended the stream; None as long as it goes on."""
        event = self.events[-1] if self.events else None
        return event if isinstance(event, Done | Error) else None

    def add(self, event: StreamEvent) -> bool:
        """Keep an event, and return True; False, and nothing else, after the last event."""
        with self._changed:
            if self.last is not None:
                return False
            self.events.append(event)
            self._changed.notify_all()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
        return True

    def wait_until_over(self, timeout: float | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.last is not None, timeout)

    async def wait_for_more(self, count: int) -> bool:
        """Wait for an event after the first `count`; return False if there will be none."""
        while len(self.events) <= count and self.last is None:
            event = anyio.Event()
            wake = waker(event.set)
            with self._changed:
                if len(self.events) > count or self.last is not None:
                    break
                self._wakers.append(wake)
            await event.wait()
        return len(self.events) > count

    async def over(self) -> None:
        while await self.wait_for_more(len(self.events)):
            pass


class StreamBase:
    """What readers have of a stream."""

    def __init__(self, rounds: Rounds, log: EventLog) -> None:
        self.ref = rounds.ref
        self._rounds = rounds
        self._log = log
        self._open: OpenStream | None = None

    @property
    def done(self) -> bool:
        """Whether the stream is over."""
        return self._log.last is not None

    @property
    def text(self) -> str:
        """The text so far."""
        return self._rounds.text

    @property
    def tool_context(self) -> Mapping[str, Any]:
        """The tool context, with all patches so far."""
        return self._rounds.context

    def _note_reader(self) -> None:
        if not self.done:
            OPEN_STREAMS.add_reader(self._open)

    def _result(self, timeout: float | None) -> Answer:
        last = self._log.last
        if last is None:
            raise ResultTimeout(
                f"The stream was not over after {timeout:g} s; it goes on.",
                facts=[f"so far: {self.text[-200:]!r}"],
                fix="Fix: wait longer, or end it: stream.cancel()",
            )
        if isinstance(last, Error):
            raise StreamError(
                last.reason,
                kind=last.kind,
                status=last.status,
                text=last.text,
                facts=[f"status: {last.status}"] if last.kind == "http" else [],
            ) from last.cause
        return Answer(last.text, last.meta, list(last.messages))


class StreamDriver(StreamBase):
    """What drives a stream: it does the steps of the rounds, and hands on the events.

    It calls `on_over` once with the ref, when the stream is over. `timeout` is in seconds.
    """

    def __init__(
        self,
        rounds: Rounds,
        sink: Sink,
        on_over: Callable[[Hashable], None],
        transport: Transport,
        timeout: float | None,
    ) -> None:
        super().__init__(rounds, EventLog())
        self._sink = sink
        self._on_over = on_over
        self._transport = transport
        self._timeout = timeout
        self._sink_got_end = False

    async def _send_to_sink(self, event: StreamEvent) -> None:
        raise NotImplementedError

    async def _run_tools(self, runs: list[ToolRun]) -> None:
        raise NotImplementedError

    def _open_stream(self) -> OpenStream:
        rounds = self._rounds
        return OPEN_STREAMS.start(
            f"stream {self.ref!r} of {rounds.request.model}",
            lambda: [f"text:   {rounds.text[-60:]!r}"],
        )

    async def _drive(self, *, past: int | None = None) -> None:
        """Do the steps of the rounds, all, or until there are more than `past` events."""
        while (step := self._rounds.step) is not None:
            if past is not None and (self.done or len(self._log.events) > past):
                return
            try:
                value = await self._do(step)
            except Exception as error:
                self._rounds.resume(error=error)
            else:
                self._rounds.resume(value)

    async def _end_if_interrupted(self, driving: Coroutine[Any, Any, None]) -> None:
        try:
            await driving
        except BaseException as error:
            # An interrupt, or the task was cancelled, as when its event loop ends.
            self._add(Error(repr(error), kind="cancelled", text=self.text, ref=self.ref))
            await self._transport.close()
            raise

    async def _do(self, step: Step) -> object:
        match step:
            case EmitEvent(event):
                await self._emit(event)
            case RunTools(runs):
                await self._run_tools(runs)
            case _:
                return await self._transport.do(step)
        return None

    async def _emit(self, event: StreamEvent) -> None:
        """Hand an event to the sink, then to the readers; an error to the readers first."""
        if isinstance(event, Error):
            # Readers that wait for the end must not wait for a sink that may never return.
            self._add(event)
        if self._sink_got_end:
            return  # the sink raised at Done, and this is the error of that
        self._sink_got_end = isinstance(event, Done)
        try:
            await self._send_to_sink(event)
        except BaseException as error:
            if not isinstance(event, Done):
                self._add(event)
            if not isinstance(error, Exception):
                raise
            if isinstance(event, Error):
                _logger.warning("The sink raised at %r.", event, exc_info=True)
                return
            raise Stopped("sink", f"The sink raised {error!r}.", error) from error
        self._add(event)

    def _add(self, event: StreamEvent) -> None:
        if isinstance(event, Chunk):
            self._rounds.chunks.append(event.text)
        if self._log.add(event) and isinstance(event, Done | Error):
            self._on_over(self.ref)
            OPEN_STREAMS.close(self._open)


class Transport:
    """Does the HTTP steps of one stream, with any client of httpx or httpx2.

    A step fails after `idle_timeout` seconds without a byte.
    """

    def __init__(self, http: Any, idle_timeout: float | None) -> None:
        self._http = http
        self._is_async = hasattr(http, "aclose")
        self._idle_timeout = idle_timeout
        self._response: Any = None
        self._pieces: Any = None
        self._network_stream: Any = None

    async def run(self, steps: Generator[HttpStep, Any, T]) -> T:
        """Do all steps, and return what they come to."""
        value = None
        try:
            while True:
                try:
                    step = steps.send(value)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                value = await self.do(step)
        except Stopped as stopped:
            raise StreamError(str(stopped), kind=stopped.failure.kind) from None
        finally:
            await self.close()

    async def do(self, step: HttpStep) -> ResponseHead | bytes | None:
        if not self._is_async:
            return await self._do(step)
        with anyio.move_on_after(self._idle_timeout):
            return await self._do(step)
        raise Stopped("timeout", f"Nothing came for {self._idle_timeout:g} s.")

    async def _do(self, step: HttpStep) -> ResponseHead | bytes | None:
        match step:
            case SendRequest():
                return await self._send(step)
            case ReadPiece():
                return await self._read()
            case CloseResponse(was_read):
                if was_read and self._is_async:
                    with anyio.move_on_after(_GRACE), contextlib.suppress(Exception):
                        while await self._read() is not None:
                            pass
                await self.close()
                return None

    async def _send(self, step: SendRequest) -> ResponseHead:
        await self.close()
        request = self._http.build_request(
            step.method,
            step.url,
            headers=dict(step.headers),
            content=step.content or None,
            timeout=(None if self._is_async else self._idle_timeout,) * 4,
            extensions={} if self._is_async else {"trace": self._trace},
        )
        response = self._http.send(request, stream=True)
        response = self._response = await response if self._is_async else response
        self._network_stream = response.extensions.get("network_stream")
        self._pieces = response.aiter_bytes() if self._is_async else response.iter_bytes()
        return ResponseHead(response.status_code, response.headers.get("content-type"))

    async def _read(self) -> bytes | None:
        pieces = self._pieces
        piece: bytes | None = await anext(pieces, None) if self._is_async else next(pieces, None)
        return piece

    async def close(self) -> None:
        """Close the answer, also in a task that is cancelled."""
        response, self._response = self._response, None
        self._network_stream = None
        if response is None:
            return
        with contextlib.suppress(Exception):
            if not self._is_async:
                response.close()
                return
            with anyio.CancelScope(shield=True):
                await self._pieces.aclose()
                await response.aclose()

    def abort(self) -> None:
        """Wake the thread that waits for the server, by ending the connection."""
        network_stream, response = self._network_stream, self._response
        if network_stream is None and response is not None:
            # Nothing is connected: a test's transport, or a replay that may be held.
            with contextlib.suppress(Exception):
                response.close()
            return
        sock = network_stream and network_stream.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                # SSLSocket.shutdown would drop the TLS state of the thread that uses it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._network_stream = info["return_value"]


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("an await suspended in the sync client")
