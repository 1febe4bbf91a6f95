"""A streaming client for language models: one set of events, whoever answers.

It knows no cassette: a recorder is a transport that it does not see. It needs httpx (or a client
of httpx2) and anyio, nothing else.

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

from aquila_cassette.client.async_stream import AsyncStream
from aquila_cassette.client.clients import AsyncClient, Client
from aquila_cassette.client.events import (
    Chunk,
    Done,
    Error,
    Meta,
    Raw,
    Reasoning,
    Response,
    StreamEvent,
    ToolCall,
)
from aquila_cassette.client.ref import StreamRef
from aquila_cassette.client.sinks import callback, collector, null, queue, tee
from aquila_cassette.client.stream import Stream
from aquila_cassette.client.tools import Patched, Tool, tool

__all__ = [
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
    "Response",
    "Stream",
    "StreamEvent",
    "StreamRef",
    "Tool",
    "ToolCall",
    "callback",
    "collector",
    "null",
    "queue",
    "tee",
    "tool",
]
