"""A take: one stream consumed by one client, live and then from the cassette, and compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aquila_cassette import aquila_cassette
from aquila_cassette.cli.streams import Consumer, Opener, Stream

__all__ = ["Heard", "Take", "record", "replay"]

_CROP = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """What a consumer got.

    Args:
        items: Pieces or parsed events, in their order.
        first: When the first came, in ms since it asked.
        took: When all had come, in ms.
    """

    items: tuple[object, ...]
    first: float
    took: float


@dataclass(slots=True)
class Take:
    """One stream consumed by one client: live, then from the cassette.

    Args:
        stream: Which.
        client: The client's name.
        opens: Makes the consumer.
        live: What came while it was recorded.
        pieces: How many reads off the wire were recorded.
        octets: How many bytes.
        replayed: What came from the cassette; None where nothing was replayed.
        failure: Why not.
    """

    stream: Stream
    client: str
    opens: Opener
    live: Heard
    pieces: int
    octets: int
    replayed: Heard | None = None
    failure: str = "not replayed"

    @property
    def difference(self) -> str:
        """What is not the same on replay, expected before got; empty where all is."""
        if self.replayed is None:
            return self.failure
        expected, got = self.live.items, self.replayed.items
        for number, (one, other) in enumerate(zip(expected, got, strict=False), 1):
            if one != other:
                return f"item {number}: expected {_cropped(one)}, got {_cropped(other)}"
        return (
            "" if len(expected) == len(got) else f"expected {len(expected)} items, got {len(got)}"
        )


def record(
    stream: Stream,
    client: str,
    opens: Opener,
    *,
    url: str,
    folder: Path,
    show: Callable[[str], None],
) -> Take:
    """Record a stream while its consumer reads it.

    Args:
        stream: Which.
        client: The client's name.
        opens: Makes the consumer.
        url: Where the provider is.
        folder: The cassette folder.
        show: Is given each chunk of text as it comes.
    """
    name = f"{stream.name}.{client}"
    block = aquila_cassette(name, mode="all", cassette_dir=folder)
    with opens(stream, url) as consume, block as cassette:
        live = _hear(consume, show)
    response = cassette.recorded[0].response
    return Take(stream, client, opens, live, len(response.pieces), len(response.body))


def replay(take: Take, *, url: str, folder: Path) -> None:
    """Replay what was recorded, for a consumer made anew; nothing is sent.

    Args:
        take: What was recorded; it is given what was replayed.
        url: Where the provider was.
        folder: The cassette folder.
    """
    name = f"{take.stream.name}.{take.client}"
    try:
        block = aquila_cassette(name, mode="none", cassette_dir=folder)
        with take.opens(take.stream, url) as consume, block:
            take.replayed = _hear(consume, _in_silence)
    except Exception as error:  # whatever it is, the demo must say that the replay failed
        take.replayed = None
        take.failure = f"{type(error).__name__}: {error}"


def _hear(consume: Consumer, show: Callable[[str], None]) -> Heard:
    items: list[object] = []
    first = 0.0
    started = time.perf_counter()
    for item, text in consume():
        first = first or time.perf_counter() - started
        items.append(item)
        show(text)
    took = time.perf_counter() - started
    return Heard(tuple(items), first * 1000, took * 1000)


def _in_silence(_text: str) -> None:
    """Show nothing."""


def _cropped(item: object) -> str:
    text = repr(item)
    return text if len(text) <= _CROP else f"{text[:_CROP]}..."
