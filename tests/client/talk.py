"""Both clients behind one function: a test says once what the sync and the async one must do."""

import json
from collections.abc import Iterable
from typing import Any

import anyio
import httpx
import pytest

from aquila_cassette.client import AsyncClient, Client, StreamEvent

BACKENDS = ["sync", "asyncio", "trio"]
"""The sync client, and the async one in each event loop."""

MODELS = {
    "chat": "gpt-4o-mini",
    "responses": "gpt-4o-mini",
    "messages": "claude-sonnet-5-5",
    "gemini": "gemini-2.5-flash",
}
"""A model for each endpoint."""

each_backend = pytest.mark.parametrize("backend", BACKENDS)
each_loop = pytest.mark.parametrize("backend", BACKENDS[1:])
each_endpoint = pytest.mark.parametrize("endpoint", MODELS)


def events_of(backend: str, prompt: Any, *, made: dict[str, Any], **options: Any) -> list[Any]:
    """Ask, and return all events of the stream; `made` may have a `transport` of httpx."""
    made = dict(made)
    transport = made.pop("transport", None)
    if backend == "sync":
        http = httpx.Client(transport=transport) if transport else None
        with Client(http, **made) as client:
            return list(client.stream(prompt, **options))

    async def talk() -> list[StreamEvent]:
        http = httpx.AsyncClient(transport=transport) if transport else None
        async with AsyncClient(http, **made) as client:
            return [event async for event in client.stream(prompt, **options)]

    return anyio.run(talk, backend=backend)


def sse(*data: str | dict[str, Any], event: str = "", end: str = "\n") -> bytes:
    """Frame texts, or objects as JSON, as server-sent events."""
    named = f"event: {event}{end}" if event else ""
    texts = (one if isinstance(one, str) else json.dumps(one) for one in data)
    return "".join(f"{named}data: {text}{end}{end}" for text in texts).encode()


def mocked(
    *bodies: bytes | Iterable[bytes] | dict[str, Any] | list[Any],
    status: int = 200,
    content_type: str = "text/event-stream",
    asked: list[httpx.Request] | None = None,
) -> httpx.MockTransport:
    """Make a server that answers with these bodies, one a request: bytes, pieces or JSON."""
    left = iter(bodies)

    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        body = next(left)
        if isinstance(body, dict) or (isinstance(body, list) and isinstance(body[0], dict)):
            return httpx.Response(status, json=body)
        headers = {"content-type": content_type} if content_type else {}
        content: Any = body if isinstance(body, bytes) else iter(body)
        return httpx.Response(status, headers=headers, content=content)

    return httpx.MockTransport(handle)


def answering(*bodies: Any, **options: Any) -> httpx.Client:
    """Make a sync client of httpx with such a server."""
    return httpx.Client(transport=mocked(*bodies, **options))


def chat(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make a chunk of a chat completion."""
    return {"object": "chat.completion.chunk", "choices": list(choices), **more}


def delta(reason: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    """Make a choice of such a chunk."""
    return {"index": index, "delta": fields, "finish_reason": reason}


def calling(*calls: tuple[str, str]) -> bytes:
    """Make a stream that calls tools, with their arguments as they are given."""
    rows = [
        {"index": at, "id": f"call_{at}", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(calls)
    ]
    return sse(chat(delta("tool_calls", tool_calls=rows)), "[DONE]")
