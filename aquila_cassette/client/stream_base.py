"""Drive a stream: send, read, run tools, time out, cancel; shared by the sync and the async stream.

The code that drives a stream is async. The sync client runs it as well: with a sync client of
httpx it waits for nothing, and suspends only to pause after an event.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import types
from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio

from aquila_cassette.client.answer import AnswerParser, StreamFailure
from aquila_cassette.client.endpoints import Endpoint, ModelRequest
from aquila_cassette.client.events import Answer, Chunk, Done, Error, Meta, StreamEvent, ToolCall
from aquila_cassette.client.sinks import Sink, send
from aquila_cassette.client.tools import Tool, ToolRun, run_tools, run_tools_now
from aquila_cassette.errors import AquilaError, ResultTimeout, StreamError
from aquila_cassette.waiting.notifier import Notifier
from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams
from aquila_cassette.waiting.pending import current_job

OPEN_STREAMS = OpenStreams()
"""The open streams of all clients of this process, for whoever waits for them."""

_GRACE = 0.02
"""How long, in seconds, the async client waits after the last event for the end of an answer."""

_MOST_PIECES = 1000
"""How many pieces an answer that is closed may yield that have come already."""

_logger = logging.getLogger("aquila_cassette.client")


class StreamBase:
    def __init__(self, driver: StreamDriver) -> None:
        self.ref = driver.ref
        self._driver = driver

    @property
    def done(self) -> bool:
        """Whether the stream is over."""
        return self._driver.last is not None

    @property
    def text(self) -> str:
        """The text so far."""
        return self._driver.text

    def _result(self, timeout: float | None) -> Answer:
        last = self._driver.last
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
                ref=last.ref,
                text=last.text,
                meta=last.meta,
                facts=[f"status: {last.status}"] if last.kind == "http" else [],
            ) from last.cause
        return Answer(last.text, last.meta, list(last.messages))


@dataclass(eq=False)
class StreamDriver:
    """Drives one stream: it asks, reads the answer, runs tools, and asks again."""

    request: ModelRequest
    ref: Hashable
    tools: Mapping[str, Tool]
    context: Mapping[str, Any]
    max_rounds: int
    sink: Sink | None
    transport: Transport
    timeout: float | None
    on_over: Callable[[Hashable], None]
    events: list[StreamEvent] = field(default_factory=list, init=False)
    open: OpenStream | None = field(default=None, init=False)
    scope: anyio.CancelScope | None = field(default=None, init=False)
    stopped: StreamFailure | None = field(default=None, init=False)
    _added: Notifier = field(default_factory=Notifier, init=False)
    _answers: list[AnswerParser] = field(default_factory=list, init=False)
    _sink_got_end: bool = field(default=False, init=False)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Chunk))

    @property
    def last(self) -> Done | Error | None:
        """The event that ended the stream; None as long as it goes on."""
        event = self.events[-1] if self.events else None
        return event if isinstance(event, Done | Error) else None

    async def over(self) -> None:
        await self._added.until(lambda: self.last)

    async def wait_for_more(self, count: int) -> bool:
        """Wait for an event after the first `count`; return False if there will be none."""
        await self._added.until(lambda: len(self.events) > count or self.last is not None)
        return len(self.events) > count

    def start(self) -> None:
        label = f"stream {self.ref!r} of {self.request.model}"
        self.open = OPEN_STREAMS.start(label, lambda: [f"text:   {self.text[-60:]!r}"])
        if (job := current_job()) is not None:
            job.came = lambda: {"ref": self.ref, "text": self.text, "meta": self._meta()}

    def note_reader(self) -> None:
        if self.last is None:
            OPEN_STREAMS.add_reader(self.open)

    def stop(self, kind: str, reason: str) -> None:
        """End as soon as what is awaited is there; the first reason counts. From any thread."""
        self.stopped = self.stopped or StreamFailure(kind, reason)

    @property
    def too_late(self) -> str:
        return f"The stream took more than {self.timeout or 0:g} s."

    async def run(self) -> None:
        """Drive the stream to its end; of the sync client, pause after each event but the last."""
        failure = StreamFailure("timeout", self.too_late)
        try:
            with self.scope or contextlib.nullcontext():
                await self._run_rounds()
                messages = self.request.messages
                await self._emit(Done(self.text, self._meta(), messages=messages, ref=self.ref))
                return
        except Exception as error:
            failure = as_failure(error)
        except BaseException as error:
            # An interrupt, or the task was cancelled, as when its event loop ends.
            self._add(Error(repr(error), kind="cancelled", text=self.text, ref=self.ref))
            await self.transport.close()
            raise
        failure = self.stopped or failure
        await self.transport.close()
        await self._emit(
            Error(
                str(failure),
                kind=failure.kind,
                status=self._answers[-1].status if self._answers else None,
                text=self.text,
                meta=replace(self._meta(), status=failure.kind),
                cause=failure.__cause__,
                ref=self.ref,
            )
        )

    async def _run_rounds(self) -> None:
        for _ in range(self.max_rounds):
            answer = await self._ask()
            if failure := answer.failure():
                raise failure
            self._add_messages(answer.messages())
            runs = [
                ToolRun(call.id, call.name, call.arguments, self.tools, self.context)
                for call in answer.calls
            ]
            for run in runs:
                await self._emit(
                    ToolCall("start", run.name, run.arguments, id=run.id, ref=self.ref)
                )
            if not runs or not self.tools:
                return
            if self.transport.is_async:
                await run_tools(runs)
            else:
                run_tools_now(runs)
            for run in runs:
                self.context = {**self.context, **run.patch}
                result = (run.name, run.arguments, run.result)
                await self._emit(
                    ToolCall("result", *result, failed=run.failed, id=run.id, ref=self.ref)
                )
            self._add_messages(self.transport.endpoint.result_messages(runs))
        raise StreamFailure(
            "rounds", f"The model still calls tools after {self.max_rounds} rounds."
        )

    async def _ask(self) -> AnswerParser:
        self._check()
        endpoint = self.transport.endpoint
        fields = {**endpoint.body(self.request), **self.request.extra_body}
        given = {name: value for name, value in fields.items() if value is not None}
        body = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        path, content = endpoint.path(self.request), body.encode("utf-8", "replace")
        answer = await self.transport.send("POST", path, content, ref=self.ref)
        self._answers.append(answer)
        while not answer.is_over:
            self._check()
            piece = await self.transport.read()
            self._check()
            for event in answer.read(piece):
                await self._emit(event)
        await self.transport.close(was_read=True)
        return answer

    def _check(self) -> None:
        if self.stopped is not None:
            raise self.stopped

    async def _emit(self, event: StreamEvent) -> None:
        """Hand an event to the sink, then to the readers; an error to the readers first."""
        if isinstance(event, Error):
            # Readers that wait for the end must not wait for a sink that may never return.
            self._add(event)
        if self._sink_got_end:
            return  # the sink raised at Done, and this is the error of that
        self._sink_got_end = isinstance(event, Done)
        try:
            if self.sink is not None:
                await send(event, self.sink, is_async=self.transport.is_async)
        except BaseException as error:
            if not isinstance(event, Done):
                self._add(event)
            if not isinstance(error, Exception):
                raise
            if not isinstance(event, Error):
                raise StreamFailure("sink", f"The sink raised {error!r}.") from error
            _logger.warning("The sink raised at %r.", event, exc_info=True)
            return
        self._add(event)
        if not isinstance(event, Done | Error):
            if not self.transport.is_async:
                await _pause()
            self._check()

    def _add(self, event: StreamEvent) -> None:
        if self.last is not None:
            return
        self.events.append(event)
        self._added.notify()
        if isinstance(event, Done | Error):
            self.on_over(self.ref)
            OPEN_STREAMS.close(self.open)

    def _add_messages(self, messages: list[dict[str, Any]]) -> None:
        self.request = replace(self.request, messages=(*self.request.messages, *messages))

    def _meta(self) -> Meta:
        meta = Meta(endpoint=self.transport.endpoint.name)
        for answer in self._answers:
            one = answer.meta()
            meta = replace(
                one,
                response_id=one.response_id or meta.response_id,
                model=one.model or meta.model,
                usage=add_usage(meta.usage, one.usage),
            )
        return meta


@types.coroutine
def _pause() -> Generator[None, None, None]:
    yield


@dataclass(eq=False)
class Transport:
    """Does HTTP for one stream, with any client of httpx or httpx2; `idle_timeout` is in seconds."""

    http: Any
    endpoint: Endpoint
    base_url: str
    headers: dict[str, str]
    idle_timeout: float | None
    _response: Any = field(default=None, init=False)
    _pieces: Any = field(default=None, init=False)
    _network_stream: Any = field(default=None, init=False)

    @property
    def is_async(self) -> bool:
        return hasattr(self.http, "aclose")

    async def send(
        self, method: str, path: str, content: bytes = b"", *, ref: Hashable
    ) -> AnswerParser:
        # A version that both the base URL and the path name is named once.
        version = "/" + path.split("/")[1]
        request = self.http.build_request(
            method,
            self.base_url.removesuffix(version) + path,
            headers=self.headers,
            content=content or None,
            timeout=(None if self.is_async else self.idle_timeout,) * 4,
            extensions={} if self.is_async else {"trace": self._trace},
        )
        self._response = response = await self._awaited(self.http.send(request, stream=True))
        self._network_stream = response.extensions.get("network_stream")
        self._pieces = response.aiter_bytes() if self.is_async else response.iter_bytes()
        content_type = response.headers.get("content-type")
        return AnswerParser(self.endpoint, ref, response.status_code, content_type)

    async def read(self) -> bytes | None:
        following = anext if self.is_async else next
        piece: bytes | None = await self._awaited(following(self._pieces, None))
        return piece

    async def close(self, *, was_read: bool = False) -> None:
        """Close the answer, also in a task that is cancelled."""
        if was_read and self.is_async:
            # The connection may serve again if the answer ends at once.
            with anyio.move_on_after(_GRACE), contextlib.suppress(Exception):
                while await anext(self._pieces, None) is not None:
                    pass
        response, self._response = self._response, None
        self._network_stream = None
        if response is None:
            return
        with contextlib.suppress(Exception):
            if not self.is_async:
                response.close()
                return
            with anyio.CancelScope(shield=True):
                await self._unwind()
                await self._pieces.aclose()
                await response.aclose()

    async def _unwind(self) -> None:
        """End the generators within `_pieces`, which its `aclose` leaves to the garbage collector.

        Trio warns of each. A cancelled read ends them all; it first yields what has come already.
        """
        with anyio.CancelScope() as scope, contextlib.suppress(Exception):
            scope.cancel()
            for _ in range(_MOST_PIECES):
                if await anext(self._pieces, None) is None:
                    return

    def abort(self) -> None:
        """Wake the thread that waits for the server, by ending the connection."""
        network_stream, response = self._network_stream, self._response
        with contextlib.suppress(Exception):
            if network_stream is not None:
                sock = network_stream.get_extra_info("socket")
                # SSLSocket.shutdown would drop the TLS state of the thread that uses it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            elif response is not None:
                # Nothing is connected: a test's transport, or a replay that may be held.
                response.close()

    async def _awaited(self, waiting: Any) -> Any:
        """Await what an async client returns; a sync one has waited already."""
        if not self.is_async:
            return waiting
        with anyio.move_on_after(self.idle_timeout):
            return await waiting
        raise StreamFailure("timeout", f"Nothing came for {self.idle_timeout:g} s.")

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._network_stream = info["return_value"]


def as_failure(error: Exception) -> StreamFailure:
    """Return what failed a stream as a failure, with the error as its cause."""
    if isinstance(error, StreamFailure):
        return error
    name = type(error).__name__
    # httpx and httpx2 share these names, not the classes.
    is_late = isinstance(error, TimeoutError) or name.endswith(("Timeout", "TimeoutException"))
    text = str(error) if isinstance(error, AquilaError) else f"{name}: {error}".rstrip(": ")
    failure = StreamFailure("timeout" if is_late else "transport", text)
    failure.__cause__ = error
    return failure


def add_usage(one: Any, other: Any) -> Any:
    """Add the numbers of two usages, also nested ones; of anything else, take the later one."""
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: add_usage(one.get(name), other.get(name)) for name in names}
    are_numbers = type(one) in (int, float) and type(other) in (int, float)
    return one + other if are_numbers else other
