"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.servers.frames import message_object

from .wire import Frame, Wire, named

__all__ = ["MESSAGES"]


def _event(kind: str, *, shows: bool = False, **fields: Any) -> Frame:
    return Frame(named(kind, {"type": kind, **fields}), shows)


def _frames(block: dict[str, Any], deltas: list[dict[str, Any]], stop_reason: str) -> list[Frame]:
    return [
        _event("message_start", message=message_object()),
        _event("content_block_start", index=0, content_block=block),
        Frame(named("ping", {"type": "ping"})),
        *(_event("content_block_delta", shows=True, index=0, delta=delta) for delta in deltas),
        _event("content_block_stop", index=0),
        _event(
            "message_delta",
            delta={"stop_reason": stop_reason, "stop_sequence": None},
            usage={"output_tokens": 3},
        ),
        _event("message_stop"),
    ]


def text(parts: Sequence[str]) -> list[Frame]:
    deltas = [{"type": "text_delta", "text": part} for part in parts]
    return _frames({"type": "text", "text": ""}, deltas, "end_turn")


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return _frames(block, deltas, "tool_use")


ERROR = named(
    "error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
)

MESSAGES = Wire("Anthropic messages", "text/event-stream", text, tool, ERROR)
