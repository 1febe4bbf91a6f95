"""The two clients."""

from __future__ import annotations

from typing import Any, Self, Unpack

import httpx

from aquila_cassette.client.asking import IDLE_TIMEOUT, Asking, Options, Prompt
from aquila_cassette.client.async_stream import AsyncStream
from aquila_cassette.client.dialects import Endpoint
from aquila_cassette.client.events import Response
from aquila_cassette.client.sinks import as_sink
from aquila_cassette.client.stream import Stream
from aquila_cassette.client.wire import AsyncWire, Wire

__all__ = ["AsyncClient", "Client"]


class Client(Asking):
    """Asks models, and gives their answers as streams.

    Its arguments are those of `Asking`.

    Example:
        >>> from aquila_cassette.provider import Provider
        >>> with Provider(gap=0) as provider, Client(base_url=f"{provider.url}/v1") as client:
        ...     client.ask("Say hello", model="gpt-4o-mini").text
        'Hello! ...'
    """

    _owned: httpx.Client | None = None

    def stream(self, prompt: Prompt, **options: Unpack[Options]) -> Stream:
        """Ask, and give the answer as a stream of events.

        Args:
            prompt: What the user says, or a whole conversation.
            options: See `Options`.

        Raises:
            UsageError: An option cannot be meant, or the ref is that of a stream not over yet.
        """
        sink = as_sink(options.get("sink"))
        conversation = self._conversation(prompt, options)
        return Stream(
            conversation,
            sink,
            self._active.discard,
            wire=Wire(self._transport(), options.get("idle_timeout", IDLE_TIMEOUT)),
            timeout=options.get("timeout"),
        )

    def ask(self, prompt: Prompt, **options: Unpack[Options]) -> Response:
        """Ask, and give the whole answer.

        Args:
            prompt: What the user says, or a whole conversation.
            options: See `Options`.

        Raises:
            StreamError: There was no real completion.
            UsageError: An option cannot be meant.
        """
        with self.stream(prompt, **options) as stream:
            return stream.result()

    def retrieve(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> Response:
        """Fetch a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        return self._ask_for_stored("GET", response_id, endpoint)

    def delete(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> None:
        """Delete a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        self._ask_for_stored("DELETE", response_id, endpoint)

    def close(self) -> None:
        """Close the connections, if they are not yours."""
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    def __enter__(self) -> Self:
        self._transport()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _transport(self) -> Any:
        if self._given is not None:
            return self._given
        if self._owned is None:
            self._owned = httpx.Client()
        return self._owned

    def _ask_for_stored(
        self, method: str, response_id: str, endpoint: str | Endpoint | None
    ) -> Response:
        steps = self._stored(method, response_id, endpoint)
        wire = Wire(self._transport(), IDLE_TIMEOUT)
        try:
            step = next(steps)
            while True:
                step = steps.send(wire.do(step))
        except StopIteration as stop:
            response: Response = stop.value
            return response
        finally:
            wire.close()


class AsyncClient(Asking):
    """Asks models, and gives their answers as streams; for asyncio and trio.

    Its arguments are those of `Asking`.

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

    _owned: httpx.AsyncClient | None = None

    def stream(self, prompt: Prompt, **options: Unpack[Options]) -> AsyncStream:
        """Ask at once, and give the answer as a stream of events.

        Without a sink, the stream ends when nobody holds it any more: keep it, or read it.

        Args:
            prompt: What the user says, or a whole conversation.
            options: See `Options`.

        Raises:
            UsageError: An option cannot be meant, the ref is that of a stream not over yet, or no
                event loop runs here.
        """
        sink = as_sink(options.get("sink"))
        conversation = self._conversation(prompt, options)
        return AsyncStream(
            conversation,
            sink,
            self._active.discard,
            wire=AsyncWire(self._transport()),
            idle_timeout=options.get("idle_timeout", IDLE_TIMEOUT),
            timeout=options.get("timeout"),
            goes_on=options.get("sink") is not None,
        )

    async def ask(self, prompt: Prompt, **options: Unpack[Options]) -> Response:
        """Ask, and give the whole answer; cancelled, it closes the connection.

        Args:
            prompt: What the user says, or a whole conversation.
            options: See `Options`.

        Raises:
            StreamError: There was no real completion.
            UsageError: An option cannot be meant.
        """
        async with self.stream(prompt, **options) as stream:
            return await stream.result()

    async def retrieve(
        self, response_id: str, *, endpoint: str | Endpoint | None = None
    ) -> Response:
        """Fetch a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        return await self._ask_for_stored("GET", response_id, endpoint)

    async def delete(self, response_id: str, *, endpoint: str | Endpoint | None = None) -> None:
        """Delete a stored response.

        Raises:
            StreamError: The provider refused.
            UsageError: The endpoint stores no responses.
        """
        await self._ask_for_stored("DELETE", response_id, endpoint)

    async def aclose(self) -> None:
        """Close the connections, if they are not yours."""
        if self._owned is not None:
            await self._owned.aclose()
            self._owned = None

    async def __aenter__(self) -> Self:
        # To make it takes a while (certificates), in which the event loop would stand still later.
        self._transport()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _transport(self) -> Any:
        if self._given is not None:
            return self._given
        if self._owned is None:
            self._owned = httpx.AsyncClient()
        return self._owned

    async def _ask_for_stored(
        self, method: str, response_id: str, endpoint: str | Endpoint | None
    ) -> Response:
        steps = self._stored(method, response_id, endpoint)
        wire = AsyncWire(self._transport())
        try:
            step = next(steps)
            while True:
                step = steps.send(await wire.do(step))
        except StopIteration as stop:
            response: Response = stop.value
            return response
        finally:
            await wire.close()
