"""The demo's three streams, the clients that consume them, and what a recording and its replay gave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

import httpx

from aquila_cassette import aquila_cassette
from aquila_cassette.sse import Decoder, Event

__all__ = [
    "STREAMS",
    "Consumed",
    "Demo",
    "DemoStream",
    "Opener",
    "is_installed",
    "record",
    "replay",
    "with_httpx",
    "with_sdk",
]

_KEY = "sk-demo-no-key-is-needed"
_LONGEST_ITEM = 60

Consumer = Callable[[], Iterator[tuple[object, str]]]
"""Sends the request, and yields what it gets item by item, each with the text that it adds."""

Opener = Callable[["DemoStream", str], AbstractContextManager[Consumer]]
"""Opens a consumer of a stream of the provider at a URL."""


@dataclass(frozen=True, slots=True)
class DemoStream:
    """One of the streams: what is asked where, and the SDK's client class and method for it."""

    name: str  # the first part of its cassettes' names
    title: str
    path: str
    body: dict[str, Any]
    text_of: Callable[[dict[str, Any]], str]  # the text that an event's JSON adds
    sdk: str
    client_class: str
    method: str


def _chat_text(event: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in event["choices"])


def _responses_text(event: dict[str, Any]) -> str:
    return str(event["delta"]) if event["type"] == "response.output_text.delta" else ""


def _messages_text(event: dict[str, Any]) -> str:
    return str(event["delta"]["text"]) if event["type"] == "content_block_delta" else ""


STREAMS = (
    DemoStream(
        "chat",
        "OpenAI chat",
        "/v1/chat/completions",
        {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "Say hello to a streamer."}],
            "stream": True,
        },
        _chat_text,
        "openai",
        "OpenAI",
        "chat.completions.create",
    ),
    DemoStream(
        "responses",
        "OpenAI responses",
        "/v1/responses",
        {"model": "gpt-4o-mini", "input": "Hello, how are you?", "stream": True},
        _responses_text,
        "openai",
        "OpenAI",
        "responses.create",
    ),
    DemoStream(
        "messages",
        "Anthropic messages",
        "/v1/messages",
        {
            "model": "claude-sonnet-5-5",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "Say hello in one short sentence."}],
            "stream": True,
        },
        _messages_text,
        "anthropic",
        "Anthropic",
        "messages.create",
    ),
)


def is_installed(package: str) -> bool:
    """Return whether an SDK is installed, without importing it."""
    return find_spec(package) is not None


@contextmanager
def with_httpx(stream: DemoStream, url: str) -> Iterator[Consumer]:
    """Open a consumer of raw bytes: each item is a piece off the wire."""
    headers = {"authorization": f"Bearer {_KEY}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:

        def consume() -> Iterator[tuple[object, str]]:
            decoder = Decoder()
            with client.stream("POST", stream.path, json=stream.body) as response:
                response.raise_for_status()
                for piece in response.iter_raw():
                    frames = decoder.decode(piece)
                    yield piece, "".join(_event_text(stream, frame.event) for frame in frames)

        yield consume


@contextmanager
def with_sdk(stream: DemoStream, url: str) -> Iterator[Consumer]:
    """Open a consumer that is the provider's own SDK: each item is a parsed event."""
    base_url = f"{url}/v1" if stream.sdk == "openai" else url
    client_class = getattr(import_module(stream.sdk), stream.client_class)
    with client_class(base_url=base_url, api_key=_KEY, max_retries=0) as client:
        send = attrgetter(stream.method)(client)

        def consume() -> Iterator[tuple[object, str]]:
            for event in send(**stream.body):
                parsed = event.to_dict()
                yield parsed, stream.text_of(parsed)

        yield consume


def _event_text(stream: DemoStream, event: Event | None) -> str:
    if event is None or event.data == "[DONE]":
        return ""
    return stream.text_of(json.loads(event.data))


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a consumer got: pieces or parsed events; when the first came, and all (ms)."""

    items: tuple[object, ...]
    first: float
    total: float


@dataclass(slots=True)
class Demo:
    """One stream consumed by one client: live, and then from the cassette."""

    stream: DemoStream
    client: str
    opens: Opener
    live: Consumed
    pieces: int  # reads off the wire
    octets: int
    replayed: Consumed | None = None
    failure: str = "not replayed"  # where `replayed` is None

    @property
    def difference(self) -> str:
        """What differs on replay, expected before got; empty where nothing does."""
        if self.replayed is None:
            return self.failure
        expected, got = self.live.items, self.replayed.items
        for number, (one, other) in enumerate(zip(expected, got, strict=False), 1):
            if one != other:
                return f"item {number}: expected {_cropped(one)}, got {_cropped(other)}"
        if len(expected) != len(got):
            return f"expected {len(expected)} items, got {len(got)}"
        return ""


def record(
    stream: DemoStream,
    client: str,
    opens: Opener,
    *,
    url: str,
    folder: Path,
    show: Callable[[str], None],
) -> Demo:
    """Record a stream while its consumer reads it; `show` gets each chunk of text as it comes."""
    block = aquila_cassette(f"{stream.name}.{client}", mode="all", cassette_dir=folder)
    with opens(stream, url) as consume, block as cassette:
        live = _consume(consume, show)
    response = cassette.recorded[0].response
    return Demo(stream, client, opens, live, len(response.pieces), len(response.body))


def replay(demo: Demo, *, url: str, folder: Path) -> None:
    """Replay what was recorded to a new consumer, and note what it got; nothing is sent."""
    name = f"{demo.stream.name}.{demo.client}"
    try:
        block = aquila_cassette(name, mode="none", cassette_dir=folder)
        with demo.opens(demo.stream, url) as consume, block:
            demo.replayed = _consume(consume, lambda _text: None)
    except Exception as error:  # whatever it is, the demo must say that the replay failed
        demo.replayed = None
        demo.failure = f"{type(error).__name__}: {error}"


def _consume(consume: Consumer, show: Callable[[str], None]) -> Consumed:
    items: list[object] = []
    first = 0.0
    started = time.perf_counter()
    for item, text in consume():
        first = first or time.perf_counter() - started
        items.append(item)
        show(text)
    total = time.perf_counter() - started
    return Consumed(tuple(items), first * 1000, total * 1000)


def _cropped(item: object) -> str:
    text = repr(item)
    return text if len(text) <= _LONGEST_ITEM else f"{text[:_LONGEST_ITEM]}..."
