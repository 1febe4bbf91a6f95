"""The smallest streams that the SDKs parse into full objects.

Every frame but the last is visible to a consumer of the SDK, so that a gate can be after each.
"""

from __future__ import annotations

from typing import Any

from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.openai import OpenAIResponses
from aquila_cassette.provider.replies import ModelReply, compact, parse_request, sse_frame

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
    return sse_frame(compact(chunk))


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


def _provided(dialect: OpenAIResponses | AnthropicMessages) -> tuple[bytes, ...]:
    request = parse_request("", {"model": "m", "messages": [{"content": "Hi"}]})
    return tuple(frame.data for frame in dialect.frames(request, ModelReply(CHAT_TEXT)))


CHAT_FRAMES: tuple[bytes, ...] = (
    _chat({"role": "assistant", "content": CHAT_TEXT[0]}),
    *(_chat({"content": text}) for text in CHAT_TEXT[1:]),
    _chat({}, "stop"),
    b"data: [DONE]\n\n",
)
RESPONSES_FRAMES: tuple[bytes, ...] = _provided(OpenAIResponses())
MESSAGES_FRAMES: tuple[bytes, ...] = _provided(AnthropicMessages())
