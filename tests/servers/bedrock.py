"""Bedrock's answers: Amazon's binary event stream, written by the book, apart from its reader."""

import base64
import json
import zlib
from typing import Any

from .frames import CHAT_TEXT

EVENTSTREAM = {"content-type": "application/vnd.amazon.eventstream"}


def binary(event: str, payload: Any, *, kind: str = "event") -> bytes:
    """Write one message of the stream: an event, or an exception."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (f":{kind}-type", event),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    start = _number(12 + len(headers) + len(body) + 4) + _number(len(headers))
    message = start + _number(zlib.crc32(start)) + headers + body
    return message + _number(zlib.crc32(message))


def wrapped(event: Any) -> bytes:
    """Write one message of `invoke_model_with_response_stream`: a model's own event."""
    return binary("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + len(text).to_bytes(2, "big") + text


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


CONVERSE_FRAMES: tuple[bytes, ...] = (
    binary("messageStart", {"role": "assistant"}),
    *(
        binary("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})
        for text in CHAT_TEXT
    ),
    binary("contentBlockStop", {"contentBlockIndex": 0}),
    binary("messageStop", {"stopReason": "end_turn"}),
    binary(
        "metadata",
        {
            "usage": {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5},
            "metrics": {"latencyMs": 1},
        },
    ),
)
"""A whole stream of `converse_stream`, one message each."""
