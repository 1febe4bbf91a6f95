"""OpenAI's chat completions, as so many servers speak them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .wire import Frame, Wire, data

__all__ = ["CHAT", "MISTRAL"]


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    return data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1767225600,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }
    )


def _end(finish_reason: str) -> list[Frame]:
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    last = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-mini",
        "choices": [],
        "usage": usage,
    }
    return [Frame(_chunk({}, finish_reason)), Frame(data(last)), Frame(b"data: [DONE]\n\n")]


def text(parts: Sequence[str]) -> list[Frame]:
    return [
        Frame(_chunk({"role": "assistant", "content": ""})),
        *(Frame(_chunk({"content": part}), shows=True) for part in parts),
        *_end("stop"),
    ]


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"index": 0, "id": "call_1", "type": "function"}
    begun = {**call, "function": {"name": name, "arguments": ""}}
    return [
        Frame(_chunk({"role": "assistant", "content": None, "tool_calls": [begun]})),
        *(
            Frame(
                _chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}), shows=True
            )
            for part in parts
        ),
        *_end("tool_calls"),
    ]


ERROR = data({"error": {"message": "The model is overloaded.", "type": "server_error"}})


def whole_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    """Call a tool as Mistral does, with all of the arguments at once."""
    function = {"name": name, "arguments": "".join(parts)}
    call = {"index": 0, "id": "call_1", "function": function}
    return [
        Frame(_chunk({"role": "assistant", "content": ""})),
        Frame(_chunk({"tool_calls": [call]}), shows=True),
        *_end("tool_calls"),
    ]


CHAT = Wire("OpenAI chat", "text/event-stream", text, tool, ERROR)
MISTRAL = Wire("Mistral", "text/event-stream", text, whole_tool, None)
