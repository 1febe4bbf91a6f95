"""The demo's three streams, and the two kinds of client that consume them: httpx and an SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any

import httpx

from aquila_cassette.sse import Decoder, Event

__all__ = ["STREAMS", "Consumer", "Opener", "Stream", "installed", "with_httpx", "with_sdk"]

KEY = "sk-demo-no-key-is-needed"

Consumer = Callable[[], Iterator[tuple[object, str]]]
"""Asks, and gives what it gets, an item at a time, each with the text that it adds."""

Opener = Callable[["Stream", str], AbstractContextManager[Consumer]]
"""Makes a consumer of a stream of the provider at a URL."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One of the streams.

    Args:
        name: The first part of its cassettes' names.
        title: Its name as a person reads it.
        path: Where the provider answers.
        body: What it is asked.
        text_of: Gives the text that an event's JSON adds.
        sdk: The package of the provider's SDK.
        make: The SDK's class of clients.
        ask: The method of such a client that asks for this stream.
    """

    name: str
    title: str
    path: str
    body: dict[str, Any]
    text_of: Callable[[dict[str, Any]], str]
    sdk: str
    make: str
    ask: str


def _chat_text(event: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in event["choices"])


def _responses_text(event: dict[str, Any]) -> str:
    return str(event["delta"]) if event["type"] == "response.output_text.delta" else ""


def _messages_text(event: dict[str, Any]) -> str:
    return str(event["delta"]["text"]) if event["type"] == "content_block_delta" else ""


STREAMS = (
    Stream(
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
    Stream(
        "responses",
        "OpenAI responses",
        "/v1/responses",
        {"model": "gpt-4o-mini", "input": "Hello, how are you?", "stream": True},
        _responses_text,
        "openai",
        "OpenAI",
        "responses.create",
    ),
    Stream(
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


def installed(package: str) -> bool:
    """Tell whether an SDK is installed, without importing it.

    Args:
        package: The SDK's package.
    """
    return find_spec(package) is not None


@contextmanager
def with_httpx(stream: Stream, url: str) -> Iterator[Consumer]:
    """Make a consumer of raw bytes: each item is a piece off the wire.

    Args:
        stream: What to ask for.
        url: Where the provider is.
    """
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:

        def consume() -> Iterator[tuple[object, str]]:
            decoder = Decoder()
            with client.stream("POST", stream.path, json=stream.body) as response:
                response.raise_for_status()
                for piece in response.iter_raw():
                    frames = decoder.decode(piece)
                    yield piece, "".join(_text_of(stream, frame.event) for frame in frames)

        yield consume


@contextmanager
def with_sdk(stream: Stream, url: str) -> Iterator[Consumer]:
    """Make a consumer that is the provider's own SDK: each item is a parsed event.

    Args:
        stream: What to ask for.
        url: Where the provider is.
    """
    base = f"{url}/v1" if stream.sdk == "openai" else url
    make = getattr(import_module(stream.sdk), stream.make)
    with make(base_url=base, api_key=KEY, max_retries=0) as client:
        ask = attrgetter(stream.ask)(client)

        def consume() -> Iterator[tuple[object, str]]:
            for event in ask(**stream.body):
                parsed = event.to_dict()
                yield parsed, stream.text_of(parsed)

        yield consume


def _text_of(stream: Stream, event: Event | None) -> str:
    if event is None or event.data == "[DONE]":
        return ""
    return stream.text_of(json.loads(event.data))
