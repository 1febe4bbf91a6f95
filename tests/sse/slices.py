"""Slicing bodies, and reading whole ones the plain way, to compare the decoder with."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from aquila_cassette.sse import Decoder, Event, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable


def decoded(pieces: Iterable[bytes]) -> list[Frame]:
    """Give the frames of a stream that comes in `pieces`, its rest included."""
    decoder = Decoder()
    found = [frame for piece in pieces for frame in decoder.decode(piece)]
    rest = decoder.flush()
    return found if rest is None else [*found, rest]


def events_of(frames: Iterable[Frame]) -> list[Event]:
    return [frame.event for frame in frames if frame.event is not None]


def byte_by_byte(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def sliced(body: bytes, seed: int) -> list[bytes]:
    """Cut `body` at random places, the same ones for the same seed; some pieces are empty."""
    chance = random.Random(seed)
    cuts = sorted(chance.randint(0, len(body)) for _ in range(1 + len(body) // 40))
    return [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]


def read_plainly(body: bytes) -> list[Event]:
    """Read a whole body as the standard words it, line by line, with no thought of speed."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)[:-1]
    found = []
    last_id, type_, data, retry = "", "", "", None
    for line in lines:
        if line == "":
            if data:
                found.append(Event(type_ or "message", data.removesuffix("\n"), last_id, retry))
            type_, data, retry = "", "", None
            continue
        if line.startswith(":"):
            continue
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "event":
            type_ = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found
