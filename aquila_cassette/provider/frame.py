"""The frames of an answer as they go out, and their JSON."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Frame(NamedTuple):
    """One frame's bytes; whether it carries a token of the answer, whether it ends the stream."""

    data: bytes
    token: bool = False
    terminal: bool = False


def compact(value: Any) -> str:
    """Write JSON without white space, other scripts as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def encode(text: str) -> bytes:
    """Encode to UTF-8; half a surrogate pair, which a prompt's JSON can hold, becomes ``?``."""
    return text.encode("utf-8", "replace")


def unnamed(data: str) -> bytes:
    r"""Frame `data` as an event without a type.

    Example:
        >>> unnamed("[DONE]")
        b'data: [DONE]\n\n'
    """
    return encode(f"data: {data}\n\n")


def named(event: str, data: str) -> bytes:
    r"""Frame `data` as an event of type `event`.

    Example:
        >>> named("ping", "{}")
        b'event: ping\ndata: {}\n\n'
    """
    return encode(f"event: {event}\ndata: {data}\n\n")
