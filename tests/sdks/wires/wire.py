"""One answer as frames on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["ARGUMENTS", "CITY", "TEXT", "TOOL", "Frame", "Wire", "compact", "data", "named"]

TEXT = ("Hel", "lo, ", "wörld")
"""What is said, in the parts in which it is sent."""

TOOL = "get_weather"
CITY = "Paris"
ARGUMENTS = ('{"ci', 'ty": "Pa', 'ris"}')
"""The arguments of the call of `TOOL`, in the parts in which they are sent."""


class Frame(NamedTuple):
    """What is sent at once.

    Args:
        data: Its bytes.
        shows: Whether an SDK has something to show its user after it: a part of the text.
    """

    data: bytes
    shows: bool = False


@dataclass(frozen=True)
class Wire:
    """A dialect as a server sends it.

    Args:
        name: As in the table.
        content_type: Of the answer.
        text: Gives the frames that say these parts.
        tool: Gives the frames that call the tool of this name with these parts of its arguments.
        error: A frame by which the provider ends a stream that went wrong; None if it has none.
    """

    name: str
    content_type: str
    text: Callable[[Sequence[str]], list[Frame]]
    tool: Callable[[str, Sequence[str]], list[Frame]]
    error: bytes | None


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def data(value: Any, end: str = "\n\n") -> bytes:
    """Give an event that has data only."""
    return f"data: {compact(value)}{end}".encode()


def named(event: str, value: Any) -> bytes:
    """Give an event with a name."""
    return f"event: {event}\ndata: {compact(value)}\n\n".encode()
