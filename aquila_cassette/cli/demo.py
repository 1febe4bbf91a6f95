"""`demo`: record live streams, stop the provider, replay them, compare."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import typer

from aquila_cassette import aquila_cassette
from aquila_cassette.cli.output import NO, YES, Screen, Span
from aquila_cassette.cli.shared_options import app
from aquila_cassette.dialects.reading import read_message
from aquila_cassette.provider import Provider
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import escape_control_chars, format_duration, format_size

_KEY = "sk-demo-no-key-is-needed"
_HEADINGS = ("STREAM", "CLIENT", "FIRST", "PIECES", "BYTES", "RECORDED", "REPLAYED", "EQUAL")
_SETTINGS = ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED")


class DemoStream(NamedTuple):
    """One of the streams: what is asked where, and the method of the company's SDK for it."""

    name: str
    company: str  # as its SDK names its client
    path: str
    method: str
    body: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.company} {self.name}"


_HELLO = [{"role": "user", "content": "Say hello to a streamer."}]
_CHAT = {"model": "gpt-4o-mini", "messages": _HELLO, "stream": True}
_RESPONSES = {"model": "gpt-4o-mini", "input": "Hello, how are you?", "stream": True}
_MESSAGES = _CHAT | {"model": "claude-sonnet-5-5", "max_tokens": 100}
STREAMS = (
    DemoStream("chat", "OpenAI", "/v1/chat/completions", "chat.completions.create", _CHAT),
    DemoStream("responses", "OpenAI", "/v1/responses", "responses.create", _RESPONSES),
    DemoStream("messages", "Anthropic", "/v1/messages", "messages.create", _MESSAGES),
)


@dataclass(slots=True)
class Demo:
    """One stream consumed by one client: live, and then from the cassette."""

    stream: DemoStream
    client: str  # "httpx", or the SDK's name
    items: list[object]  # what the client got: pieces, or parsed events
    first: float  # when the first came, and
    total: float  # when all had come (ms)
    pieces: int  # reads off the wire
    octets: int
    replayed: float = 0.0  # how long the replay took (ms)
    difference: str = "not replayed"  # what the replay gave otherwise; empty where nothing


@app.command("demo")
def run(
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Record into this folder, not a temporary one.", file_okay=False
        ),
    ] = None,
    gap: Annotated[
        float,
        typer.Option(min=0.0, metavar="SECONDS", help="The pause between two tokens, on average."),
    ] = 0.03,
) -> int:
    """Record three live streams, and replay them with the provider gone.

    A small provider runs on this machine; no API key is needed. Plain httpx reads each stream, and
    so does the provider's SDK, if it is installed (pip install 'aquila-cassette[demo]').

    \b
    Example:
      aquila-cassette demo --keep cassettes
    """
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
        for client in ("httpx", "openai", "anthropic"):
            if find_spec(client) is None:
                fix = "pip install 'aquila-cassette[demo]'"
                screen.line((f"  {client} is not installed: {fix}", "yellow"))
                continue
            screen.line(f"  with {client}")
            for stream in STREAMS:
                if client in ("httpx", stream.company.lower()):
                    screen.part("  ", (f"{stream.title:20}", "cyan"))
                    demos.append(record(stream, client, provider.url, folder, screen.part))
                    screen.line()
        screen.line()
        provider.stop()
        screen.line(("■", "dim"), f" provider stopped: {host}")
        screen.line(("▶", "green"), f" replaying from {display_path(folder)}")
        screen.line()
        demos.sort(key=lambda demo: STREAMS.index(demo.stream))
        for demo in demos:
            replay(demo, provider.url, folder)
    code = print_table(demos, screen)
    path = display_path(folder / f"{demos[-1].stream.name}.{demos[-1].client}.yaml")
    screen.line("Look inside a cassette:  ", (f"aquila-cassette show {shlex.quote(path)}", "bold"))
    screen.line("Record your own:     ", ('with aquila_cassette("my.first"): ...', "bold"))
    return code


def record(
    stream: DemoStream, client: str, url: str, folder: Path, show: Callable[[str], None]
) -> Demo:
    """Record a stream while a client reads it; `show` gets each chunk of text as it comes."""
    with aquila_cassette(f"{stream.name}.{client}", mode="all", cassette_dir=folder) as cassette:
        items, first, total = _consume(stream, client, url, show)
    response = cassette.recorded[0].response
    return Demo(stream, client, items, first, total, len(response.pieces), len(response.body))


def replay(demo: Demo, url: str, folder: Path) -> None:
    """Replay what was recorded to a new client, and note what differs; nothing is sent."""
    name = f"{demo.stream.name}.{demo.client}"
    try:
        with aquila_cassette(name, mode="none", cassette_dir=folder):
            items, _, demo.replayed = _consume(demo.stream, demo.client, url, lambda _text: None)
    except Exception as error:  # whatever it is, the demo must say that the replay failed
        demo.difference = f"{type(error).__name__}: {error}"
        return
    demo.difference = "" if items == demo.items else "the replay differs"


def _consume(
    stream: DemoStream, client: str, url: str, show: Callable[[str], None]
) -> tuple[list[object], float, float]:
    """Return what a client got, when the first item came, and when all had come (ms)."""
    items: list[object] = []
    received, shown, times = b"", "", [0.0]
    with _client(stream, client, url) as opened:
        started = time.perf_counter()
        for item, events in _read(stream, opened):
            times.append((time.perf_counter() - started) * 1000)
            items.append(item)
            received += events
            text = read_message("text/event-stream", received).text
            show(escape_control_chars(text.removeprefix(shown)))
            shown = text
    return items, times[:2][-1], times[-1]


def _client(stream: DemoStream, client: str, url: str) -> Any:
    if client == "httpx":
        headers = {"authorization": f"Bearer {_KEY}"}
        return httpx.Client(base_url=url, headers=headers, timeout=30)
    base_url = f"{url}/v1" if client == "openai" else url
    sdk_client = getattr(import_module(client), stream.company)
    return sdk_client(base_url=base_url, api_key=_KEY, max_retries=0)


def _read(stream: DemoStream, client: Any) -> Iterator[tuple[object, bytes]]:
    """Yield the pieces off the wire, or the events that an SDK parsed, each also as bytes."""
    if isinstance(client, httpx.Client):
        with client.stream("POST", stream.path, json=stream.body) as response:
            response.raise_for_status()
            for piece in response.iter_raw():
                yield piece, piece
    else:
        for event in attrgetter(stream.method)(client)(**stream.body):
            parsed = event.to_dict()
            yield parsed, f"data: {json.dumps(parsed)}\n\n".encode()


def print_table(demos: Sequence[Demo], screen: Screen) -> int:
    """Print what was recorded and replayed, and what differs; return 1 where anything does."""
    rows: list[list[Span]] = [
        [
            demo.stream.title,
            (demo.client, "cyan"),
            format_duration(demo.first),
            str(demo.pieces),
            format_size(demo.octets),
            format_duration(demo.total),
            format_duration(demo.replayed),
            (NO, "bold red") if demo.difference else (YES, "bold green"),
        ]
        for demo in demos
    ]
    for line in screen.table(_HEADINGS, rows, right=range(2, 7), shrink=[(0, 12)]):
        screen.line(line)
    screen.line(("FIRST: when the first event reached its consumer, while it was recorded.", "dim"))
    screen.line()
    different = [demo for demo in demos if demo.difference]
    for demo in different:
        why = escape_control_chars(demo.difference.partition("\n")[0])
        screen.line((f"{NO} {demo.stream.title}, {demo.client}: {why}", "red"))
    if different:
        return 1
    total = format_duration(sum(demo.replayed for demo in demos))
    equal = f"All {len(demos)} replays are equal, piece for piece and event for event"
    screen.line((f"{equal}; together {total}.", "bold green"))
    return 0
