"""Handmade streams of each dialect, and building more of them."""

from __future__ import annotations

import json
from typing import Any

SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"


def data(*values: Any, eol: str = "\n") -> bytes:
    """Write each value as an event without a type; a string as it is, all else as JSON."""
    return b"".join(event(None, value, eol=eol) for value in values)


def typed(*values: dict[str, Any]) -> bytes:
    """Write each value as an event of its own ``type``."""
    return b"".join(event(value["type"], value) for value in values)


def event(type_: str | None, value: Any, *, eol: str = "\n") -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    head = f"event: {type_}{eol}" if type_ else ""
    return f"{head}data: {text}{eol}{eol}".encode()


def lines(*values: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def chunk(delta: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Give one chunk of a chat completion, with one choice unless `more` says otherwise."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": more.pop("finish_reason", None)}
    return {"object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


CHAT = data(
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk(finish_reason="stop"),
    chunk(choices=[], usage={"total_tokens": 3}),
    "[DONE]",
)
RESPONSES = typed(
    {"type": "response.created", "response": {"model": "m", "status": "in_progress"}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "lo"},
    {
        "type": "response.completed",
        "response": {
            "model": "m",
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}],
            "usage": {"total_tokens": 3},
        },
    },
)
RUNS = b"".join(
    [
        event("thread.run.created", {"object": "thread.run", "model": "m", "status": "queued"}),
        event(
            "thread.message.delta",
            {"delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hel"}}]}},
        ),
        event(
            "thread.message.delta",
            {"delta": {"content": [{"index": 0, "type": "text", "text": {"value": "lo"}}]}},
        ),
        event(
            "thread.run.completed",
            {"object": "thread.run", "status": "completed", "usage": {"total_tokens": 3}},
        ),
        event("done", "[DONE]"),
    ]
)
ANTHROPIC = typed(
    {"type": "message_start", "message": {"model": "m", "content": [], "usage": {"in": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"out": 2}},
    {"type": "message_stop"},
)
COMPLETE = b"".join(
    event("completion", {"completion": text, "stop_reason": reason, "model": "m"})
    for text, reason in (("Hel", None), ("lo", None), ("", "stop_sequence"))
)
GEMINI = data(
    {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}], "modelVersion": "m"},
    {
        "candidates": [{"content": {"parts": [{"text": "lo"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"totalTokenCount": 3},
    },
    eol="\r\n",
)
INTERACTIONS = b"".join(
    [
        event(
            "interaction.created",
            {"event_type": "interaction.created", "interaction": {"model": "m"}},
        ),
        event(
            "step.delta",
            {"event_type": "step.delta", "delta": {"type": "text", "text": "Hello"}},
        ),
        event(
            "interaction.completed",
            {
                "event_type": "interaction.completed",
                "interaction": {"status": "completed", "usage": {"total_tokens": 3}},
            },
        ),
        event("done", "[DONE]"),
    ]
)
COHERE = typed(
    {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hel"}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "lo"}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"out": 2}}},
) + data("[DONE]")
OLLAMA = lines(
    {"model": "m", "message": {"role": "assistant", "content": "Hel"}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": "lo"}, "done": False},
    {
        "model": "m",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "eval_count": 2,
        "total_duration": 12345,
    },
)

WHOLE = {
    "openai-chat": (SSE, CHAT),
    "openai-responses": (SSE, RESPONSES),
    "openai-runs": (SSE, RUNS),
    "anthropic": (SSE, ANTHROPIC),
    "anthropic-complete": (SSE, COMPLETE),
    "gemini": (SSE, GEMINI),
    "gemini-interactions": (SSE, INTERACTIONS),
    "cohere": (SSE, COHERE),
    "ollama": (NDJSON, OLLAMA),
}
