"""`Client` and `AsyncClient`: choose the endpoint, build the request, open a stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, TypeAlias, TypedDict, Unpack
from urllib.parse import quote

import httpx

from aquila_cassette.client.answer import StreamFailure
from aquila_cassette.client.endpoints import Endpoint, ModelRequest
from aquila_cassette.client.endpoints.anthropic import MESSAGES
from aquila_cassette.client.endpoints.gemini import GEMINI
from aquila_cassette.client.endpoints.openai import CHAT, RESPONSES
from aquila_cassette.client.events import Answer, StreamRef
from aquila_cassette.client.sinks import Sink
from aquila_cassette.client.stream_base import StreamDriver, Transport
from aquila_cassette.client.streams import AsyncStream, Stream
from aquila_cassette.client.tools import Tool, tools_by_name
from aquila_cassette.errors import StreamError, UsageError

ENDPOINTS = {one.name: one for one in (CHAT, RESPONSES, MESSAGES, GEMINI)}
"""All endpoints by their names."""

IDLE_TIMEOUT = 120.0
"""Seconds without a byte after which a stream fails by default."""

_ENDPOINTS_BY_MODEL = {"claude": MESSAGES, "gemini": GEMINI, "models/gemini": GEMINI}

Prompt: TypeAlias = str | Sequence[Mapping[str, Any]]
"""The user's text, or a whole conversation as the provider takes it."""


class StreamOptions(TypedDict, total=False):
    """The options of `stream` and `ask`."""

    model: str  # its name
    ref: Hashable  # what names the stream; a new `StreamRef` otherwise
    sink: Sink | None  # where the events go
    tools: Iterable[Tool | Callable[..., Any]]  # `Tool`s, or functions with type hints
    tool_context: Mapping[str, Any] | None  # what tools with a parameter ``context`` get
    instructions: str | None  # the system prompt
    endpoint: str | Endpoint | None  # ``chat``, ``responses``, ``messages``, ``gemini``, or yours
    previous_response_id: str | None  # the stored response that this one continues
    store: bool  # whether the provider stores the response; by default not
    max_tokens: int | None  # the most tokens of an answer
    max_rounds: int  # the most requests of one stream, tools included; 10
    idle_timeout: float | None  # seconds without a byte that fail the stream; 120, None for never
    timeout: float | None  # seconds that the whole stream may take; None, the default, for any
    extra_body: Mapping[str, Any] | None  # fields that replace others; None removes a field


class ClientBase:
    """The part of a client that does no input or output.

    Args:
        http: A client of httpx or httpx2, which stays yours to close; None for an own of httpx.
        model: The model to ask where a call names none.
        endpoint: The endpoint to ask where a call names none; None to choose by the model's name.
        api_key: The key; otherwise ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY``.
            Without a key, requests go without one: a cassette that replays needs none.
        base_url: The server's address; otherwise ``OPENAI_BASE_URL`` and so on.
    """

    _make_http: Callable[[], Any]

    def __init__(
        self,
        http: Any = None,
        *,
        model: str | None = None,
        endpoint: str | Endpoint | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self._http = http or self._make_http()
        self._owns_http = http is None
        self._model = model
        self._endpoint = endpoint
        self._api_key = api_key
        self._base_url = base_url
        self._active_refs: set[Hashable] = set()

    def _driver(self, prompt: Prompt, options: StreamOptions) -> StreamDriver:
        known = StreamOptions.__annotations__
        if name := next((name for name in options if name not in known), None):
            raise _unknown("option", name, known, f"extra_body={{{name!r}: ...}}")
        model = options.get("model") or self._model
        if not model:
            raise UsageError("No model is named.", fix="Fix: model='gpt-4o-mini'")
        previous, store = options.get("previous_response_id"), bool(options.get("store"))
        endpoint = self._choose(options.get("endpoint"), model, stored=store or bool(previous))
        transport = self._transport(endpoint, options.get("idle_timeout", IDLE_TIMEOUT))
        if previous and not endpoint.stored_path:
            raise UsageError(
                f"The endpoint {endpoint.name!r} cannot continue a stored response.",
                fix="Fix: endpoint='responses', or pass the messages of the last answer",
            )
        tools = tools_by_name(options.get("tools") or ())
        request = ModelRequest(
            model=model,
            messages=_messages(prompt),
            instructions=options.get("instructions"),
            tools=tuple(tools.values()),
            max_tokens=options.get("max_tokens"),
            previous_response_id=previous,
            store=store,
            extra_body=options.get("extra_body") or {},
        )
        ref = options.get("ref")
        ref = StreamRef() if ref is None else ref
        if ref in self._active_refs:
            raise UsageError(
                f"The ref {ref!r} names a stream that is not over yet.",
                fix="Fix: another ref, or wait for the stream: stream.result()",
            )
        self._active_refs.add(ref)
        return StreamDriver(
            request=request,
            ref=ref,
            tools=tools,
            context=options.get("tool_context") or {},
            max_rounds=options.get("max_rounds", 10),
            sink=options.get("sink"),
            transport=transport,
            timeout=options.get("timeout"),
            on_over=self._active_refs.discard,
        )

    async def _stored(self, method: str, response_id: str) -> Answer:
        endpoint = self._choose(None, self._model or "", stored=True)
        if endpoint.stored_path is None:
            raise UsageError(
                f"The endpoint {endpoint.name!r} stores no responses.",
                fix="Fix: Client(endpoint='responses')",
            )
        transport = self._transport(endpoint, IDLE_TIMEOUT)
        path = f"{endpoint.stored_path}/{quote(response_id, safe='')}"
        try:
            answer = await transport.send(method, path, ref=response_id)
            while not answer.is_over:
                for _ in answer.read(await transport.read()):
                    pass
        except StreamFailure as stopped:
            raise StreamError(str(stopped), kind=stopped.kind) from None
        finally:
            await transport.close()
        failure, meta = answer.failure(), answer.meta()
        if failure is not None and failure.kind == "http":
            facts = [f"status: {answer.status}"]
            raise StreamError(str(failure), kind="http", status=answer.status, facts=facts)
        status = failure.kind if failure else "completed"
        meta = replace(meta, response_id=meta.response_id or response_id, status=status)
        return Answer(answer.message.text, meta, answer.messages())

    def _choose(self, given: str | Endpoint | None, model: str, *, stored: bool) -> Endpoint:
        starts = (one for start, one in _ENDPOINTS_BY_MODEL.items() if model.startswith(start))
        chosen = given or self._endpoint or next(starts, RESPONSES if stored else CHAT)
        if isinstance(chosen, Endpoint):
            return chosen
        if chosen not in ENDPOINTS:
            raise _unknown("endpoint", chosen, ENDPOINTS, "endpoint='chat'")
        return ENDPOINTS[chosen]

    def _transport(self, endpoint: Endpoint, idle_timeout: float | None) -> Transport:
        provider = endpoint.provider
        variables = provider.name.upper()
        base_url = self._base_url or os.environ.get(f"{variables}_BASE_URL") or provider.base_url
        key = os.environ.get(f"{variables}_API_KEY", "") if self._api_key is None else self._api_key
        headers = {
            "accept": "text/event-stream",
            "content-type": "application/json",
            **provider.headers(key),
        }
        return Transport(self._http, endpoint, base_url.rstrip("/"), headers, idle_timeout)


class Client(ClientBase):
    """Asks models, and gives their answers as streams.

    Its arguments are those of `ClientBase`.

    Example:
        >>> from aquila_cassette.provider import Provider
        >>> with Provider(gap=0) as provider, Client(base_url=f"{provider.url}/v1") as client:
        ...     client.ask("Say hello", model="gpt-4o-mini").text
        'Hello! ...'
    """

    _make_http = httpx.Client

    def stream(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Stream:
        """Ask, and return the answer as a stream of events.

        Args:
            prompt: The user's text, or a whole conversation.
            options: See `StreamOptions`.

        Raises:
            UsageError: An option is invalid, or the ref is that of a stream not over yet.
        """
        return Stream(self._driver(prompt, options))

    def ask(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Answer:
        """Ask, and return the whole answer; the arguments are those of `stream`.

        Raises:
            StreamError: There was no real completion.
            UsageError: An option is invalid.
        """
        with self.stream(prompt, **options) as stream:
            return stream.result()

    def retrieve(self, response_id: str) -> Answer:
        """Fetch a stored response; a `StreamError` where the provider refuses."""
        return _run_now(self._stored("GET", response_id))

    def delete(self, response_id: str) -> None:
        """Delete a stored response."""
        _run_now(self._stored("DELETE", response_id))

    def close(self) -> None:
        """Close the connections, if they are not yours."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncClient(ClientBase):
    """As `Client`, for asyncio and trio."""

    _make_http = httpx.AsyncClient

    def stream(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> AsyncStream:
        """Ask at once, and return the answer as a stream of events; else as `Client.stream`.

        Without a sink, the stream ends when nobody holds it any more: keep it, or read it.

        Raises:
            UsageError: As `Client.stream`.
        """
        return AsyncStream(self._driver(prompt, options), goes_on=options.get("sink") is not None)

    async def ask(self, prompt: Prompt, **options: Unpack[StreamOptions]) -> Answer:
        """As `Client.ask`; cancelled, it closes the connection."""
        async with self.stream(prompt, **options) as stream:
            return await stream.result()

    async def retrieve(self, response_id: str) -> Answer:
        """As `Client.retrieve`."""
        return await self._stored("GET", response_id)

    async def delete(self, response_id: str) -> None:
        """As `Client.delete`."""
        await self._stored("DELETE", response_id)

    async def aclose(self) -> None:
        """Close the connections, if they are not yours."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


def _run_now(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine that never suspends, as those of a sync client are, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: Answer = stop.value
        return answer
    raise RuntimeError("an await suspended in the sync client")


def _messages(prompt: Prompt) -> tuple[dict[str, Any], ...]:
    if isinstance(prompt, str):
        return ({"role": "user", "content": prompt},)
    return tuple(dict(one) for one in prompt)


def _unknown(what: str, got: str, known: Iterable[str], fix: str) -> UsageError:
    return UsageError(
        f"There is no {what} {got!r}.",
        facts=[f"expected: {', '.join(known)}", f"got:      {got}"],
        fix=f"Fix: {fix}",
    )
