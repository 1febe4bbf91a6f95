"""Cohere's chat, version 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .wire import Frame, Wire, named

__all__ = ["COHERE"]


def _event(kind: str, *, shows: bool = False, **fields: Any) -> Frame:
    return Frame(named(kind, {"type": kind, **fields}), shows)


def _start() -> Frame:
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    return _event("message-start", id="c-1", delta={"message": message})


def _end(finish_reason: str) -> list[Frame]:
    tokens = {"input_tokens": 2, "output_tokens": 3}
    delta = {"finish_reason": finish_reason, "usage": {"billed_units": tokens, "tokens": tokens}}
    return [_event("message-end", id="c-1", delta=delta), Frame(b"data: [DONE]\n\n")]


def text(parts: Sequence[str]) -> list[Frame]:
    begun = {"message": {"content": {"type": "text", "text": ""}}}
    return [
        _start(),
        _event("content-start", index=0, delta=begun),
        *(
            _event(
                "content-delta",
                shows=True,
                index=0,
                delta={"message": {"content": {"text": part}}},
            )
            for part in parts
        ),
        _event("content-end", index=0),
        *_end("COMPLETE"),
    ]


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        _start(),
        _event("tool-call-start", index=0, delta={"message": {"tool_calls": call}}),
        *(
            _event(
                "tool-call-delta",
                shows=True,
                index=0,
                delta={"message": {"tool_calls": {"function": {"arguments": part}}}},
            )
            for part in parts
        ),
        _event("tool-call-end", index=0),
        *_end("TOOL_CALL"),
    ]


COHERE = Wire("Cohere", "text/event-stream", text, tool, None)
