"""`demo`: record live streams, stop the provider, replay them, compare."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx

from aquila_cassette import aquila_cassette
from aquila_cassette.cli.answer_stream import AnswerReader
from aquila_cassette.cli.output import NO, YES, Screen, Span
from aquila_cassette.errors import UsageError
from aquila_cassette.provider import Provider
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    format_duration,
    format_size,
)

_KEY = "sk-demo-no-key-is-needed"
_INDENT = 22
_LONGEST_ITEM = 60
_HEADINGS = ("STREAM", "CLIENT", "FIRST", "PIECES", "BYTES", "RECORDED", "REPLAYED", "EQUAL")
_RIGHT = (2, 3, 4, 5, 6)
_SETTINGS = ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED")

Consumer = Callable[[], Iterator[tuple[object, bytes]]]
"""Sends the request, and yields what it gets item by item, each with the bytes of its events."""

Opener = Callable[["DemoStream", str], AbstractContextManager[Consumer]]
"""Opens a consumer of a stream of the provider at a URL."""


@dataclass(frozen=True, slots=True)
class DemoStream:
    """One of the streams: what is asked where, and the SDK's client class and method for it."""

    name: str  # the first part of its cassettes' names
    title: str
    path: str
    body: dict[str, Any]
    sdk: str
    client_class: str
    method: str


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
        "openai",
        "OpenAI",
        "chat.completions.create",
    ),
    DemoStream(
        "responses",
        "OpenAI responses",
        "/v1/responses",
        {"model": "gpt-4o-mini", "input": "Hello, how are you?", "stream": True},
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
        "anthropic",
        "Anthropic",
        "messages.create",
    ),
)


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


def run(keep: Path | None, gap: float) -> int:
    """Run the demo with `gap` seconds between tokens; return 1 where a replay differs.

    The cassettes stay in the folder `keep`, or in a new temporary one.
    """
    if keep is not None and keep.exists() and not keep.is_dir():
        raise UsageError(
            f"The demo cannot keep its cassettes in {display_path(keep)!r}: that is a file.",
            fix="Fix: aquila-cassette demo --keep cassettes",
        )
    screen = Screen()
    screen.line(("Record model streams while they are read, replay them offline.", "bold"))
    screen.line()
    folder = keep or Path(tempfile.mkdtemp(prefix="aquila-demo-"))
    # What is set for tests, and proxies, stay out of the demo.
    own = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    own |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    with patch.dict(os.environ, own, clear=True), Provider(gap) as provider:
        host = urlsplit(provider.url).netloc

        demos: list[Demo] = []
        screen.line(("●", "red"), f" recording from a provider at {host}")
        screen.line()
        for sdk in ("", *dict.fromkeys(stream.sdk for stream in STREAMS)):
            client, opens = sdk or "httpx", with_sdk if sdk else with_httpx
            if find_spec(client) is None:
                fix = "pip install 'aquila-cassette[demo]'"
                screen.line((f"  {client} is not installed: {fix}", "yellow"))
                continue
            screen.line(f"  with {client}")
            for stream in STREAMS:
                if sdk in ("", stream.sdk):
                    screen.part("  ", (stream.title.ljust(_INDENT - 2), "cyan"))
                    show = screen.typist(_INDENT)
                    demos.append(
                        record(stream, client, opens, url=provider.url, folder=folder, show=show)
                    )
                    screen.line()
        screen.line()
        provider.stop()
        screen.line(("■", "dim"), f" provider stopped: {host}")
        screen.line(("▶", "green"), f" replaying from {display_path(folder)}")
        screen.line()
        demos.sort(key=lambda demo: STREAMS.index(demo.stream))
        for demo in demos:
            replay(demo, url=provider.url, folder=folder)
    code = print_table(demos, screen)
    path = display_path(folder / f"{demos[-1].stream.name}.{demos[-1].client}.yaml")
    screen.line("Look inside a cassette:  ", (f"aquila-cassette show {shlex.quote(path)}", "bold"))
    screen.line("Record your own:     ", ('with aquila_cassette("my.first"): ...', "bold"))
    return code


@contextmanager
def with_httpx(stream: DemoStream, url: str) -> Iterator[Consumer]:
    """Open a consumer of raw bytes: each item is a piece off the wire."""
    headers = {"authorization": f"Bearer {_KEY}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:

        def consume() -> Iterator[tuple[object, bytes]]:
            with client.stream("POST", stream.path, json=stream.body) as response:
                response.raise_for_status()
                for piece in response.iter_raw():
                    yield piece, piece

        yield consume


@contextmanager
def with_sdk(stream: DemoStream, url: str) -> Iterator[Consumer]:
    """Open a consumer that is the provider's own SDK: each item is a parsed event."""
    base_url = f"{url}/v1" if stream.sdk == "openai" else url
    client_class = getattr(import_module(stream.sdk), stream.client_class)
    with client_class(base_url=base_url, api_key=_KEY, max_retries=0) as client:

        def consume() -> Iterator[tuple[object, bytes]]:
            for event in attrgetter(stream.method)(client)(**stream.body):
                parsed = event.to_dict()
                yield parsed, f"data: {json.dumps(parsed)}\n\n".encode()

        yield consume


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
    reader = AnswerReader("text/event-stream")
    items: list[object] = []
    first = 0.0
    started = time.perf_counter()
    for item, events in consume():
        first = first or time.perf_counter() - started
        items.append(item)
        for added in reader.push(events):
            show(added.text)
    total = time.perf_counter() - started
    return Consumed(tuple(items), first * 1000, total * 1000)


def _cropped(item: object) -> str:
    text = repr(item)
    return text if len(text) <= _LONGEST_ITEM else f"{text[:_LONGEST_ITEM]}..."


def print_table(demos: Sequence[Demo], screen: Screen) -> int:
    """Print what was recorded and replayed, and what differs; return 1 where anything does."""
    rows: list[list[Span]] = [
        [
            demo.stream.title,
            (demo.client, "cyan"),
            format_duration(demo.live.first),
            str(demo.pieces),
            format_size(demo.octets),
            format_duration(demo.live.total),
            format_duration(demo.replayed.total) if demo.replayed else "-",
            (NO, "bold red") if demo.difference else (YES, "bold green"),
        ]
        for demo in demos
    ]
    for line in screen.aligned(_HEADINGS, rows, right=_RIGHT, shrink=[(0, 12)]):
        screen.line(*line)
    screen.line(("FIRST: when the first event reached its consumer, while it was recorded.", "dim"))
    screen.line()
    different = [demo for demo in demos if demo.difference]
    for demo in different:
        why = escape_control_chars(demo.difference.partition("\n")[0])
        screen.line((f"{NO} {demo.stream.title}, {demo.client}: {why}", "red"))
    if different:
        screen.line((f"{len(different)} of {count(len(demos), 'replay')} differ.", "bold red"))
        return 1
    total = format_duration(sum(demo.replayed.total for demo in demos if demo.replayed))
    equal = f"All {len(demos)} replays are equal, piece for piece and event for event"
    screen.line((f"{equal}; together {total}.", "bold green"))
    return 0
