"""The smallest streams that the SDKs parse into full objects.

Every frame but the last is visible to a consumer of the SDK, so that a gate can be after each.
"""

from typing import Any

from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.openai import OpenAIResponses
from aquila_cassette.provider.replies import ModelReply, compact, parse_request, sse_frame

CHAT_TEXT = ("Hel", "lo, ", "wörld")
"""The text deltas of each of the three streams."""


def _chat(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return sse_frame(compact(chunk))


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
