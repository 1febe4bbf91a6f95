"""The sync client: whoever wants a stream's next event drives the stream."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, Unpack

import anyio
import httpx

from aquila_cassette.client.client_base import IDLE_TIMEOUT, ClientBase, Prompt, StreamOptions
from aquila_cassette.client.dialects import Endpoint
from aquila_cassette.client.events import Answer, StreamEvent
from aquila_cassette.client.rounds import Stopped
from aquila_cassette.client.sinks import as_sink
from aquila_cassette.client.stream_base import OPEN_STREAMS, StreamDriver, Transport, run_now
from aquila_cassette.client.tools import ToolRun
from aquila_cassette.waiting.open_streams import parent_stream


class Client(ClientBase):
    """Asks models, and gives their answers as streams.

    Its arguments are those of `ClientBase`.

    Example:
        >>> from aquila_cassette.provider import Provider
        >>> with Provider(gap=0) as provider, Client(base_url=f"{provider.url}/v1") as client:
        ...     client.ask("Say hello", model="gpt-4o-mini").text
        'Hello! ...'
    """

    def stream(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Stream:
        """Ask, and return the answer as a stream of events.

        Args:
            prompt: The user's text, or a whole conversation.
            options: See `StreamOptions`.

        Raises:
            UsageError: An option is invalid, or the ref is that of a stream not over yet.
        """
        sink = as_sink(options.get("sink"))
        rounds = self._rounds_for(prompt, options)
        transport = Transport(self._http(), options.get("idle_timeout", IDLE_TIMEOUT))
        timeout = options.get("timeout")
        return Stream(rounds, sink, self._active_refs.discard, transport, timeout)

    def ask(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Answer:
        """Ask, and return the whole answer.

        Args:
            prompt: The user's text, or a whole conversation.
            options: See `StreamOptions`.

        Raises:
            StreamError: There was no real completion.
            UsageError: An option is invalid.
        """
        with self.stream(prompt, **options) as stream:
            return stream.result()

    def retrieve(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> Answer:
        """Fetch a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        steps = self._stored_response("GET", response_id, endpoint)
        return run_now(Transport(self._http(), IDLE_TIMEOUT).run(steps))

    def delete(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> None:
        """Delete a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        steps = self._stored_response("DELETE", response_id, endpoint)
        run_now(Transport(self._http(), IDLE_TIMEOUT).run(steps))

    def close(self) -> None:
        """Close the connections, if they are not yours."""
        if self._own_http is not None:
            self._own_http.close()
            self._own_http = None

    def __enter__(self) -> Self:
        self._http()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _http(self) -> Any:
        return self._open_http(httpx.Client)


class Stream(StreamDriver):
    """One stream of the sync client; get it from `Client.stream`.

    Nothing is asked before somebody wants the first event: by iterating, or by `result`. Several
    threads may iterate; each gets all events from the first.
    """

    def __init__(self, *driver: Any) -> None:
        super().__init__(*driver)
        self._driving = threading.Lock()
        self._timer: threading.Timer | None = None

    def __iter__(self) -> Iterator[StreamEvent]:
        at = 0
        while at < len(self._log.events) or self._drive_past(at):
            yield self._log.events[at]
            at += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # A stream that is dropped half read must keep neither its connection nor its ref.
        if not self.done:
            run_now(self._transport.close())
            self._on_over(self.ref)
            OPEN_STREAMS.close(self._open)

    def result(self, timeout: float | None = None) -> Answer:
        """Wait until the stream is over and return the whole answer; any number of times.

        Args:
            timeout: Seconds to wait at most; the stream goes on after that, in the background.

        Raises:
            StreamError: The stream ended without a real completion.
            ResultTimeout: It was not over in time.
        """
        if timeout is None:
            self.wait()
        elif not self.done:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self.wait,), daemon=True).start()
            self._log.wait_until_over(timeout)
        return self._result(timeout)

    def wait(self) -> None:
        """Read the stream to its end, however it ends."""
        while self._drive_past(len(self._log.events)):
            pass

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        A thread that waits for the server is woken; on a connection that was used before and has
        not begun to answer, the idle time-out wakes it.
        """
        self._stop(Stopped("cancelled", "The stream was cancelled."))

    def _stop(self, stopped: Stopped) -> None:
        self._rounds.stop(stopped)
        while not self.done:
            if not self._driving.acquire(blocking=False):
                # Its driver, maybe this very thread within a sink, ends it after its step.
                self._transport.abort()
                return
            try:
                self._drive_to_end()
            finally:
                self._driving.release()

    def _drive_past(self, at: int) -> bool:
        """Drive until there is an event after the first `at`; return False if there is none."""
        with self._driving:
            if self._open is None and not self.done:
                self._open = self._open_stream()
            self._note_reader()
            self._start_timer()
            token = parent_stream.set(self._open)
            try:
                self._drive_now(at)
            finally:
                parent_stream.reset(token)
        # A thread that stopped it meanwhile could not end it.
        while self._rounds.is_stopping and not self.done:
            with self._driving:
                self._drive_to_end()
        return len(self._log.events) > at

    def _drive_to_end(self) -> None:
        if self._rounds.is_stopping and not self._rounds.is_at_last_step:
            self._rounds.resume()
        self._drive_now(len(self._log.events))

    def _drive_now(self, past: int) -> None:
        run_now(self._end_if_interrupted(self._drive(past=past)))
        if self.done and self._timer is not None:
            self._timer.cancel()

    def _start_timer(self) -> None:
        if self._timeout is None or self._timer is not None or self.done:
            return
        stopped = Stopped("timeout", f"The stream took more than {self._timeout:g} s.")
        self._timer = threading.Timer(self._timeout, self._stop, (stopped,))
        self._timer.daemon = True
        self._timer.start()

    async def _send_to_sink(self, event: StreamEvent) -> None:
        self._sink.send(event)

    async def _run_tools(self, runs: list[ToolRun]) -> None:
        if len(runs) == 1:
            _run_tool(runs[0])
            return
        with ThreadPoolExecutor(len(runs), "tool") as pool:
            for one in runs:
                pool.submit(contextvars.copy_context().run, _run_tool, one)


def _run_tool(one: ToolRun) -> None:
    if one.run is None:
        return
    try:
        value = one.run()
        one.returned(anyio.run(_await, value) if inspect.isawaitable(value) else value)
    except Exception as error:
        one.raised(error)


async def _await(value: Any) -> Any:
    return await value
