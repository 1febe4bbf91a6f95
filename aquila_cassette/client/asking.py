"""What both clients make of the arguments of a call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

from aquila_cassette.client.conversation import Close, Conversation, Open, Read
from aquila_cassette.client.dialects import Endpoint, endpoint_for
from aquila_cassette.client.dialects.ask import Ask, ToolOffer
from aquila_cassette.client.events import Response
from aquila_cassette.client.ref import StreamRef
from aquila_cassette.client.settings import Settings
from aquila_cassette.client.sinks import SinkLike
from aquila_cassette.client.stored import stored
from aquila_cassette.client.tools import Tool, tools_of
from aquila_cassette.errors import UsageError

__all__ = ["IDLE_TIMEOUT", "Asking", "Options", "Prompt"]

IDLE_TIMEOUT = 120.0
"""Seconds without a byte after which a stream fails where nothing else is said."""

Prompt: TypeAlias = str | Sequence[Mapping[str, Any]]
"""What a user says, or a whole conversation as the provider takes it."""


class Options(TypedDict, total=False):
    """The options of `stream` and `ask`.

    Args:
        model: The model's name.
        ref: What shall name the stream; a new `StreamRef` otherwise.
        sink: Where its events go.
        tools: What the model may call: `Tool`s, or functions with type hints.
        tool_context: What tools get that want a context.
        instructions: What the model is told beforehand.
        endpoint: ``chat``, ``responses``, ``messages``, ``gemini``, or an `Endpoint` of your own.
        previous_response_id: The stored response that this one continues.
        store: Whether the provider shall store the response; by default not.
        max_tokens: The most tokens of an answer.
        max_rounds: The most requests of one stream, tools included; 10.
        idle_timeout: Seconds without a byte after which the stream fails, 120; None for never.
        timeout: Seconds that the stream may take in all; None, the default, for any time.
        extra_body: Fields of the request that go over all others; None takes a field away.
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


class Asking:
    """The part of a client that does nothing: it makes conversations, and knows which are active.

    Args:
        http: A client of httpx or httpx2, which stays yours to close; None for an own of httpx.
        model: The model to ask where a call names none.
        provider: ``openai``, ``anthropic`` or ``gemini``; told from the model where it is None.
        endpoint: The endpoint to ask where a call names none.
        api_key: The key; otherwise ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY``.
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
        self._given = http
        self._settings = Settings(model, provider, endpoint, api_key, base_url, headers or {})
        self._active: set[Hashable] = set()

    def _conversation(self, prompt: Prompt, options: Options) -> Conversation:
        _refuse_unknown(options)
        settings = self._settings
        model = options.get("model") or settings.model
        if not model:
            raise UsageError(
                "No model is named.", fix="Fix: client.stream(prompt, model='gpt-4o-mini')"
            )
        previous = options.get("previous_response_id")
        stored = bool(previous or options.get("store"))
        endpoint = endpoint_for(
            model,
            provider=settings.provider,
            endpoint=options.get("endpoint") or settings.endpoint,
            stored=stored,
        )
        if previous and endpoint.stored != "/responses":
            raise UsageError(
                f"The endpoint {endpoint.name!r} cannot continue a stored response.",
                fix="Fix: endpoint='responses', or pass the messages of the last answer",
            )
        tools = tools_of(options.get("tools") or ())
        rounds = options.get("max_rounds", 10)
        if rounds < 1:
            raise UsageError(f"max_rounds is {rounds}.", fix="Fix: max_rounds=1 or more")
        return Conversation(
            endpoint=endpoint,
            ask=Ask(
                model=model,
                messages=_messages(prompt),
                instructions=options.get("instructions"),
                tools=tuple(
                    ToolOffer(one.name, one.description, one.parameters) for one in tools.values()
                ),
                max_tokens=options.get("max_tokens"),
                previous_response_id=previous,
                store=bool(options.get("store")),
                extra_body=options.get("extra_body") or {},
            ),
            base_url=settings.base_url_of(endpoint.provider),
            headers=settings.headers_of(endpoint.provider),
            ref=self._taken(options.get("ref")),
            tools=tools,
            context=options.get("tool_context") or {},
            max_rounds=rounds,
        )

    def _stored(
        self, method: str, response_id: str, endpoint: str | Endpoint | None
    ) -> Generator[Open | Read | Close, Any, Response]:
        settings = self._settings
        found = endpoint_for(
            settings.model or "",
            provider=settings.provider,
            endpoint=endpoint or settings.endpoint,
            stored=True,
        )
        if found.stored is None:
            raise UsageError(
                f"The endpoint {found.name!r} stores no responses.",
                fix="Fix: endpoint='responses'",
            )
        where = settings.base_url_of(found.provider), settings.headers_of(found.provider)
        return stored(method, response_id, found, *where)

    def _taken(self, ref: Hashable) -> Hashable:
        ref = StreamRef() if ref is None else ref
        if ref in self._active:
            raise UsageError(
                f"The ref {ref!r} names a stream that is not over yet.",
                fix="Pass another ref, or wait: stream.result()",
            )
        self._active.add(ref)
        return ref


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


def _refuse_unknown(options: Mapping[str, Any]) -> None:
    unknown = [name for name in options if name not in Options.__annotations__]
    if unknown:
        raise UsageError(
            f"There is no option {unknown[0]!r}.",
            facts=[f"expected: {', '.join(Options.__annotations__)}", f"got:      {unknown[0]}"],
            fix=f"Send it as it is: extra_body={{{unknown[0]!r}: ...}}",
        )
