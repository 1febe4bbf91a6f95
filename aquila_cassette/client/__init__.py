"""The streaming client: one set of events for every provider.

It knows no cassette: recording and replay happen below it. It needs httpx (or a client of httpx2)
and anyio.

Example:
    >>> from aquila_cassette.client import Chunk, Client, Done
    >>> from aquila_cassette.provider import Provider
    >>> with Provider(gap=0) as provider, Client(base_url=provider.url) as client:
    ...     for event in client.stream("Say hello", model="claude-sonnet-5-5"):
    ...         match event:
    ...             case Chunk(text):
    ...                 print(text, end="")
    ...             case Done(text, meta):
    ...                 print(f" ({meta.finish_reason})")
    Hello! ... (end_turn)
"""

from __future__ import annotations

from aquila_cassette.client.clients import AsyncClient, Client
from aquila_cassette.client.events import (
    Answer,
    Chunk,
    Done,
    Error,
    Meta,
    Raw,
    Reasoning,
    StreamEvent,
    StreamRef,
    ToolCall,
)
from aquila_cassette.client.sinks import collector, queue, tee
from aquila_cassette.client.streams import AsyncStream, Stream
from aquila_cassette.client.tools import Patched, Tool, tool

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncStream",
    "Chunk",
    "Client",
    "Done",
    "Error",
    "Meta",
    "Patched",
    "Raw",
    "Reasoning",
    "Stream",
    "StreamEvent",
    "StreamRef",
    "Tool",
    "ToolCall",
    "collector",
    "queue",
    "tee",
    "tool",
]
