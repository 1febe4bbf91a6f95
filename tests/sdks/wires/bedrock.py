"""Bedrock's converse stream: binary messages, each with its lengths, headers and check sums."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from .wire import Frame, Wire

__all__ = ["BEDROCK"]

_STRING = 7
"""The type of a header whose value is text."""


def _message(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    packed = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(packed) + len(body), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + body
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return (
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(text)) + text
    )


def _event(kind: str, payload: dict[str, Any], *, shows: bool = False) -> Frame:
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return Frame(_message(headers, payload), shows)


def _frames(start: list[Frame], deltas: list[dict[str, Any]], stop_reason: str) -> list[Frame]:
    usage = {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}
    return [
        _event("messageStart", {"role": "assistant"}),
        *start,
        *(
            _event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}, shows=True)
            for delta in deltas
        ),
        _event("contentBlockStop", {"contentBlockIndex": 0}),
        _event("messageStop", {"stopReason": stop_reason}),
        _event("metadata", {"usage": usage, "metrics": {"latencyMs": 7}}),
    ]


def text(parts: Sequence[str]) -> list[Frame]:
    return _frames([], [{"text": part} for part in parts], "end_turn")


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    start = {"toolUse": {"toolUseId": "tooluse_1", "name": name}}
    begun = _event("contentBlockStart", {"contentBlockIndex": 0, "start": start})
    return _frames([begun], [{"toolUse": {"input": part}} for part in parts], "tool_use")


ERROR = _message(
    {
        ":exception-type": "modelStreamErrorException",
        ":content-type": "application/json",
        ":message-type": "exception",
    },
    {"message": "The model is overloaded."},
)

BEDROCK = Wire("Bedrock", "application/vnd.amazon.eventstream", text, tool, ERROR)
