"""What both clients make of their arguments: which endpoint to ask, where, and what."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

from aquila_cassette.client.dialects import Endpoint, ModelRequest
from aquila_cassette.client.dialects.anthropic import MESSAGES
from aquila_cassette.client.dialects.gemini import GEMINI
from aquila_cassette.client.dialects.openai import CHAT, RESPONSES
from aquila_cassette.client.events import Answer, StreamRef
from aquila_cassette.client.rounds import (
    HttpStep,
    Rounds,
    Server,
    stored_response,
)
from aquila_cassette.client.sinks import SinkLike
from aquila_cassette.client.tools import Tool, tools_by_name
from aquila_cassette.errors import UsageError

ENDPOINTS = {one.name: one for one in (CHAT, RESPONSES, MESSAGES, GEMINI)}
"""All endpoints by their names; a provider's first one is its default."""

IDLE_TIMEOUT = 120.0
"""Seconds without a byte after which a stream fails by default."""

_PROVIDER_OF_MODEL = {"claude": "anthropic", "gemini": "gemini"}

Prompt: TypeAlias = str | Sequence[Mapping[str, Any]]
"""The user's text, or a whole conversation as the provider takes it."""


class StreamOptions(TypedDict, total=False):
    """The options of `stream` and `ask`.

    Args:
        model: The model's name.
        ref: What names the stream; a new `StreamRef` otherwise.
        sink: Where its events go.
        tools: What the model may call: `Tool`s, or functions with type hints.
        tool_context: What tools with a parameter ``context`` get.
        instructions: The system prompt.
        endpoint: ``chat``, ``responses``, ``messages``, ``gemini``, or an `Endpoint` of your own.
        previous_response_id: The stored response that this one continues.
        store: Whether the provider stores the response; by default not.
        max_tokens: The most tokens of an answer.
        max_rounds: The most requests of one stream, tools included; 10.
        idle_timeout: Seconds without a byte after which the stream fails, 120; None for never.
        timeout: Seconds that the whole stream may take; None, the default, for any time.
        extra_body: Fields of the request that replace all others; None removes a field.
    """

    model: str
    ref: Hashable
    sink: SinkLike | None
    tools: Iterable[Tool | Callable[..., Any]]
    tool_context: Mapping[str, Any] | None
    instructions: str | None
    endpoint: str | Endpoint | None
    previous_response_id: str | None
    store: bool
    max_tokens: int | None
    max_rounds: int
    idle_timeout: float | None
    timeout: float | None
    extra_body: Mapping[str, Any] | None


class ClientBase:
    """The part of a client that does no input or output.

    Args:
        http: A client of httpx or httpx2, which stays yours to close; None for an own of httpx.
        model: The model to ask where a call names none.
        provider: ``openai``, ``anthropic`` or ``gemini``; None to choose by the model's name.
        endpoint: The endpoint to ask where a call names none.
        api_key: The key; otherwise ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY``.
            Without a key, requests go without one: a cassette that replays needs none.
        base_url: The server's address; otherwise ``OPENAI_BASE_URL`` and so on.
        headers: Headers of every request.
    """

    def __init__(
        self,
        http: Any = None,
        *,
        model: str | None = None,
        provider: str | None = None,
        endpoint: str | Endpoint | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._given_http = http
        self._own_http: Any = None
        self._model = model
        self._provider = provider
        self._endpoint = endpoint
        self._api_key = api_key
        self._base_url = base_url
        self._headers = headers or {}
        self._active_refs: set[Hashable] = set()

    def _open_http(self, make: Callable[[], Any]) -> Any:
        if self._given_http is None and self._own_http is None:
            self._own_http = make()
        return self._own_http if self._given_http is None else self._given_http

    def _rounds_for(self, prompt: Prompt, options: StreamOptions) -> Rounds:
        for name in options:
            if name not in StreamOptions.__annotations__:
                raise _unknown(
                    "option", name, StreamOptions.__annotations__, f"extra_body={{{name!r}: ...}}"
                )
        model = options.get("model") or self._model
        if not model:
            raise UsageError("No model is named.", fix="Fix: model='gpt-4o-mini'")
        previous = options.get("previous_response_id")
        server = self._server(
            options.get("endpoint"), model, stored=bool(previous or options.get("store"))
        )
        if previous and server.endpoint.stored_path != "/responses":
            raise UsageError(
                f"The endpoint {server.endpoint.name!r} cannot continue a stored response.",
                fix="Fix: endpoint='responses', or pass the messages of the last answer",
            )
        max_rounds = options.get("max_rounds", 10)
        if max_rounds < 1:
            raise UsageError(f"max_rounds is {max_rounds}.", fix="Fix: max_rounds=1 or more")
        tools = tools_by_name(options.get("tools") or ())
        request = ModelRequest(
            model=model,
            messages=_messages(prompt),
            instructions=options.get("instructions"),
            tools=tuple(tools.values()),
            max_tokens=options.get("max_tokens"),
            previous_response_id=previous,
            store=bool(options.get("store")),
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
        context = options.get("tool_context") or {}
        return Rounds(server, request, ref, tools, context, max_rounds)

    def _stored_response(
        self, method: str, response_id: str, endpoint: str | Endpoint | None
    ) -> Generator[HttpStep, Any, Answer]:
        server = self._server(endpoint, self._model or "", stored=True)
        if server.endpoint.stored_path is None:
            raise UsageError(
                f"The endpoint {server.endpoint.name!r} stores no responses.",
                fix="Fix: endpoint='responses'",
            )
        return stored_response(server, method, response_id)

    def _server(self, endpoint: str | Endpoint | None, model: str, *, stored: bool) -> Server:
        chosen = choose_endpoint(model, self._provider, endpoint or self._endpoint, stored=stored)
        provider = chosen.provider
        variables = provider.name.upper()
        base_url = self._base_url or os.environ.get(f"{variables}_BASE_URL") or provider.base_url
        key = self._api_key
        if key is None:
            key = os.environ.get(f"{variables}_API_KEY", "")
        headers = {
            "accept": "text/event-stream",
            "content-type": "application/json",
            **provider.headers(key),
            **self._headers,
        }
        return Server(chosen, base_url, headers)


def choose_endpoint(
    model: str, provider: str | None, endpoint: str | Endpoint | None, *, stored: bool
) -> Endpoint:
    """Return the endpoint that is named, or the default of the provider, or of the model's one.

    `stored` prefers an endpoint with stored responses.

    Example:
        >>> choose_endpoint("claude-sonnet-5-5", None, None, stored=False).name
        'messages'
    """
    if isinstance(endpoint, Endpoint):
        return endpoint
    if endpoint is not None:
        if endpoint not in ENDPOINTS:
            raise _unknown("endpoint", endpoint, ENDPOINTS)
        chosen = ENDPOINTS[endpoint]
        if provider not in (None, chosen.provider.name):
            raise UsageError(
                f"The endpoint {endpoint!r} is not one of the provider {provider!r}.",
                fix=f"Fix: name one of the two, or provider={chosen.provider.name!r}",
            )
        return chosen
    if provider is None:
        name = model.removeprefix("models/")
        starts = (one for start, one in _PROVIDER_OF_MODEL.items() if name.startswith(start))
        provider = next(starts, "openai")
    offered = [one for one in ENDPOINTS.values() if one.provider.name == provider]
    if not offered:
        providers = dict.fromkeys(one.provider.name for one in ENDPOINTS.values())
        raise _unknown("provider", provider, providers)
    return RESPONSES if stored and RESPONSES in offered else offered[0]


def _messages(prompt: Prompt) -> tuple[dict[str, Any], ...]:
    if isinstance(prompt, str):
        return ({"role": "user", "content": prompt},)
    if isinstance(prompt, Sequence) and prompt:
        messages = [dict(one) for one in prompt if isinstance(one, Mapping)]
        if len(messages) == len(prompt):
            return tuple(messages)
    raise UsageError(
        f"A prompt cannot be {prompt!r}.",
        facts=["expected: a string, or a list of messages", f"got:      {type(prompt).__name__}"],
        fix="Fix: client.stream('Say hello')",
    )


def _unknown(what: str, got: str, known: Iterable[str], fix: str = "") -> UsageError:
    names = list(known)
    return UsageError(
        f"There is no {what} {got!r}.",
        facts=[f"expected: {', '.join(names)}", f"got:      {got}"],
        fix=f"Fix: {fix or f'{what}={names[0]!r}'}",
    )
