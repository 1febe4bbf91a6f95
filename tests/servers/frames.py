"""The smallest streams that the SDKs parse into full objects.

Every frame but the last is visible to a consumer of the SDK, so that a gate can be after each.
"""

from __future__ import annotations

import json
from typing import Any

CHAT_TEXT = ("Hel", "lo, ", "wörld")
"""The text deltas of each of the three streams."""


USAGE = {
    "input_tokens": 2,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 5,
}
"""What OpenAI's responses say that the answer cost."""


def _chat(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return f"data: {_json(chunk)}\n\n".encode()


def _named(type_: str, **fields: Any) -> bytes:
    return f"event: {type_}\ndata: {_json({'type': type_, **fields})}\n\n".encode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def response_object(status: str, output: list[Any], usage: dict[str, Any] | None) -> dict[str, Any]:
    """A response of OpenAI's, as its events have it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1767225600,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "gpt-4o-mini",
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }


def _responses() -> tuple[bytes, ...]:
    text = "".join(CHAT_TEXT)
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    begun, done = {**item, "status": "in_progress", "content": []}, {**item, "content": [part]}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": response_object("in_progress", [], None)}),
        ("in_progress", {"response": response_object("in_progress", [], None)}),
        ("output_item.added", {"output_index": 0, "item": begun}),
        ("content_part.added", {**at, "part": {**part, "text": ""}}),
        *(("output_text.delta", {**at, "delta": delta, "logprobs": []}) for delta in CHAT_TEXT),
        ("output_text.done", {**at, "text": text, "logprobs": []}),
        ("content_part.done", {**at, "part": part}),
        ("output_item.done", {"output_index": 0, "item": done}),
        ("completed", {"response": response_object("completed", [done], USAGE)}),
    ]
    return tuple(
        _named(f"response.{kind}", **fields, sequence_number=number)
        for number, (kind, fields) in enumerate(steps)
    )


def message_object() -> dict[str, Any]:
    """A message of Anthropic's as it begins."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 2, "output_tokens": 1},
    }


def _messages() -> tuple[bytes, ...]:
    return (
        _named("message_start", message=message_object()),
        _named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            _named("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
            for text in CHAT_TEXT
        ),
        _named("content_block_stop", index=0),
        _named(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 3},
        ),
        _named("message_stop"),
    )


CHAT_FRAMES: tuple[bytes, ...] = (
    _chat({"role": "assistant", "content": CHAT_TEXT[0]}),
    *(_chat({"content": text}) for text in CHAT_TEXT[1:]),
    _chat({}, "stop"),
    b"data: [DONE]\n\n",
)
RESPONSES_FRAMES: tuple[bytes, ...] = _responses()
MESSAGES_FRAMES: tuple[bytes, ...] = _messages()
