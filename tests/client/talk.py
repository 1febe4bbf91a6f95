"""Both clients behind one face: a test says once what the sync and the async one must do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio
import httpx

from aquila_cassette.client import AsyncClient, Client, StreamEvent

__all__ = ["BACKENDS", "MODELS", "answering", "events_of", "sse", "stored_of"]

BACKENDS = ["sync", "asyncio", "trio"]
"""The sync client, and the async one in each event loop."""

MODELS = {
    "chat": "gpt-4o-mini",
    "responses": "gpt-4o-mini",
    "messages": "claude-sonnet-5-5",
    "gemini": "gemini-2.5-flash",
}
"""A model for each endpoint."""


def events_of(backend: str, prompt: Any, *, made: dict[str, Any], **options: Any) -> list[Any]:
    """Ask, and give all events of the stream."""
    if backend == "sync":
        with Client(**made) as client:
            return list(client.stream(prompt, **options))

    async def talk() -> list[StreamEvent]:
        async with AsyncClient(**made) as client:
            return [event async for event in client.stream(prompt, **options)]

    return anyio.run(talk, backend=backend)


def sse(*data: str, event: str = "") -> bytes:
    """Frame data as server-sent events."""
    named = f"event: {event}\n" if event else ""
    return "".join(f"{named}data: {one}\n\n" for one in data).encode()


def answering(
    *bodies: bytes | Iterable[bytes],
    status: int = 200,
    content_type: str = "text/event-stream",
    asked: list[httpx.Request] | None = None,
) -> httpx.Client:
    """Make a client whose server gives these bodies, one a request, in their pieces."""
    left = iter(bodies)

    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        body = next(left)
        pieces = [body] if isinstance(body, bytes) else body
        headers = {"content-type": content_type}
        return httpx.Response(status, headers=headers, content=iter(pieces))

    return httpx.Client(transport=httpx.MockTransport(handle))


def stored_of(backend: str, response_id: str) -> Any:
    """Fetch a stored response, and delete it."""
    if backend == "sync":
        with Client(model="gpt-4o-mini") as client:
            response = client.retrieve(response_id)
            client.delete(response_id)
            return response

    async def talk() -> Any:
        async with AsyncClient(model="gpt-4o-mini") as client:
            response = await client.retrieve(response_id)
            await client.delete(response_id)
            return response

    return anyio.run(talk, backend=backend)
