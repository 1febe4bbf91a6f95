"""What a provider sends for a text, or for the call of a tool, in each dialect."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.servers.frames import USAGE, message_object, response_object

__all__ = [
    "ARGUMENTS",
    "BEDROCK",
    "CHAT",
    "CITY",
    "COHERE",
    "GEMINI",
    "MESSAGES",
    "MISTRAL",
    "OLLAMA",
    "RESPONSES",
    "TEXT",
    "TOOL",
    "Frame",
    "Wire",
    "compact",
]


TEXT = ("Hel", "lo, ", "wörld")
"""What is said, in the parts in which it is sent."""

TOOL = "get_weather"
CITY = "Paris"
ARGUMENTS = ('{"ci', 'ty": "Pa', 'ris"}')
"""The arguments of the call of `TOOL`, in the parts in which they are sent."""


class Frame(NamedTuple):
    """What is sent at once.

    Args:
        data: Its bytes.
        shows: Whether an SDK has something to show its user after it: a part of the text.
    """

    data: bytes
    shows: bool = False


@dataclass(frozen=True)
class Wire:
    """A dialect as a server sends it.

    Args:
        name: As in the table.
        content_type: Of the answer.
        text: Gives the frames of these parts of a text.
        tool: Gives the frames that call the tool of this name with these parts of its arguments.
        error: A frame by which the provider ends a stream that went wrong; None if it has none.
    """

    name: str
    content_type: str
    text: Callable[[Sequence[str]], list[Frame]]
    tool: Callable[[str, Sequence[str]], list[Frame]]
    error: bytes | None


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def data(value: Any, end: str = "\n\n") -> bytes:
    """Return an event that has data only."""
    return f"data: {compact(value)}{end}".encode()


def named(event: str, value: Any) -> bytes:
    """Return an event with a name."""
    return f"event: {event}\ndata: {compact(value)}\n\n".encode()


def _event(kind: str, *, shows: bool = False, **fields: Any) -> Frame:
    return Frame(named(kind, {"type": kind, **fields}), shows)


# OpenAI's chat completions, as so many servers speak them.


def _chat_chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    return data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1767225600,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }
    )


def _chat_end(finish_reason: str) -> list[Frame]:
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    last = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "gpt-4o-mini",
        "choices": [],
        "usage": usage,
    }
    return [Frame(_chat_chunk({}, finish_reason)), Frame(data(last)), Frame(b"data: [DONE]\n\n")]


def _chat_text(parts: Sequence[str]) -> list[Frame]:
    return [
        Frame(_chat_chunk({"role": "assistant", "content": ""})),
        *(Frame(_chat_chunk({"content": part}), shows=True) for part in parts),
        *_chat_end("stop"),
    ]


def _chat_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"index": 0, "id": "call_1", "type": "function"}
    begun = {**call, "function": {"name": name, "arguments": ""}}
    return [
        Frame(_chat_chunk({"role": "assistant", "content": None, "tool_calls": [begun]})),
        *(
            Frame(
                _chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}),
                shows=True,
            )
            for part in parts
        ),
        *_chat_end("tool_calls"),
    ]


_CHAT_ERROR = data({"error": {"message": "The model is overloaded.", "type": "server_error"}})


def _chat_whole_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    """Call a tool as Mistral does, with all of the arguments at once."""
    function = {"name": name, "arguments": "".join(parts)}
    call = {"index": 0, "id": "call_1", "function": function}
    return [
        Frame(_chat_chunk({"role": "assistant", "content": ""})),
        Frame(_chat_chunk({"tool_calls": [call]}), shows=True),
        *_chat_end("tool_calls"),
    ]


CHAT = Wire("OpenAI chat", "text/event-stream", _chat_text, _chat_tool, _CHAT_ERROR)
MISTRAL = Wire("Mistral", "text/event-stream", _chat_text, _chat_whole_tool, None)

# OpenAI's responses.

Step = tuple[str, dict[str, Any]]


def _responses_frames(
    begun: dict[str, Any], inside: list[Step], item: dict[str, Any]
) -> list[Frame]:
    steps: list[Step] = [
        ("response.created", {"response": response_object("in_progress", [], None)}),
        ("response.output_item.added", {"output_index": 0, "item": begun}),
        *inside,
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response_object("completed", [item], USAGE)}),
    ]
    return [
        Frame(
            named(kind, {"type": kind, **fields, "sequence_number": number}),
            shows=kind.endswith(".delta"),
        )
        for number, (kind, fields) in enumerate(steps)
    ]


def _responses_text(parts: Sequence[str]) -> list[Frame]:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "".join(parts), "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant"}
    inside: list[Step] = [
        ("response.content_part.added", {**at, "part": {**part, "text": ""}}),
        *(("response.output_text.delta", {**at, "delta": one, "logprobs": []}) for one in parts),
        ("response.output_text.done", {**at, "text": "".join(parts), "logprobs": []}),
        ("response.content_part.done", {**at, "part": part}),
    ]
    begun = {**item, "status": "in_progress", "content": []}
    return _responses_frames(begun, inside, {**item, "status": "completed", "content": [part]})


def _responses_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    at = {"item_id": "fc_1", "output_index": 0}
    arguments = "".join(parts)
    item = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": name}
    inside: list[Step] = [
        *(("response.function_call_arguments.delta", {**at, "delta": one}) for one in parts),
        ("response.function_call_arguments.done", {**at, "arguments": arguments, "name": name}),
    ]
    begun = {**item, "status": "in_progress", "arguments": ""}
    return _responses_frames(begun, inside, {**item, "status": "completed", "arguments": arguments})


_RESPONSES_ERROR = named(
    "error",
    {
        "type": "error",
        "code": "server_error",
        "message": "The model is overloaded.",
        "param": None,
        "sequence_number": 9,
    },
)

RESPONSES = Wire(
    "OpenAI responses", "text/event-stream", _responses_text, _responses_tool, _RESPONSES_ERROR
)

# Anthropic's messages.


def _messages_frames(
    block: dict[str, Any], deltas: list[dict[str, Any]], stop_reason: str
) -> list[Frame]:
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


def _messages_text(parts: Sequence[str]) -> list[Frame]:
    deltas = [{"type": "text_delta", "text": part} for part in parts]
    return _messages_frames({"type": "text", "text": ""}, deltas, "end_turn")


def _messages_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return _messages_frames(block, deltas, "tool_use")


_MESSAGES_ERROR = named(
    "error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
)

MESSAGES = Wire(
    "Anthropic messages", "text/event-stream", _messages_text, _messages_tool, _MESSAGES_ERROR
)

# Gemini's streamed content generation.


def _gemini_chunk(part: dict[str, Any], finish_reason: str | None = None) -> Frame:
    candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
    if finish_reason:
        candidate["finishReason"] = finish_reason
    usage = {"promptTokenCount": 2, "candidatesTokenCount": 3, "totalTokenCount": 5}
    chunk = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}
    return Frame(data(chunk, "\r\n\r\n"), shows=True)


def _gemini_text(parts: Sequence[str]) -> list[Frame]:
    last = len(parts) - 1
    return [
        _gemini_chunk({"text": part}, "STOP" if number == last else None)
        for number, part in enumerate(parts)
    ]


def _gemini_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    return [
        _gemini_chunk({"functionCall": {"name": name, "args": json.loads("".join(parts))}}, "STOP")
    ]


GEMINI = Wire("Gemini", "text/event-stream", _gemini_text, _gemini_tool, None)

# Cohere's chat, version 2.


def _cohere_start() -> Frame:
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    return _event("message-start", id="c-1", delta={"message": message})


def _cohere_end(finish_reason: str) -> list[Frame]:
    tokens = {"input_tokens": 2, "output_tokens": 3}
    delta = {"finish_reason": finish_reason, "usage": {"billed_units": tokens, "tokens": tokens}}
    return [_event("message-end", id="c-1", delta=delta), Frame(b"data: [DONE]\n\n")]


def _cohere_text(parts: Sequence[str]) -> list[Frame]:
    begun = {"message": {"content": {"type": "text", "text": ""}}}
    return [
        _cohere_start(),
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
        *_cohere_end("COMPLETE"),
    ]


def _cohere_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        _cohere_start(),
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
        *_cohere_end("TOOL_CALL"),
    ]


COHERE = Wire("Cohere", "text/event-stream", _cohere_text, _cohere_tool, None)

# Ollama's own chat: a JSON value a line.


def _ollama_line(message: dict[str, Any], **fields: Any) -> bytes:
    made = {"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z"}
    line = {**made, "message": {"role": "assistant", **message}, "done": False, **fields}
    return f"{compact(line)}\n".encode()


def _ollama_end() -> Frame:
    counts = {"total_duration": 5, "prompt_eval_count": 2, "eval_count": 3}
    return Frame(_ollama_line({"content": ""}, done=True, done_reason="stop", **counts))


def _ollama_text(parts: Sequence[str]) -> list[Frame]:
    return [*(Frame(_ollama_line({"content": part}), shows=True) for part in parts), _ollama_end()]


def _ollama_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"function": {"name": name, "arguments": json.loads("".join(parts))}}
    return [Frame(_ollama_line({"content": "", "tool_calls": [call]}), shows=True), _ollama_end()]


_OLLAMA_ERROR = b'{"error":"The model is overloaded."}\n'

OLLAMA = Wire("Ollama", "application/x-ndjson", _ollama_text, _ollama_tool, _OLLAMA_ERROR)

# Bedrock's converse stream: binary messages, each with its lengths, headers and check sums.

_STRING = 7
"""The type of a header with a text."""


def _bedrock_message(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    packed = b"".join(_bedrock_header(name, value) for name, value in headers.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(packed) + len(body), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + body
    return message + struct.pack(">I", zlib.crc32(message))


def _bedrock_header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return (
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", _STRING, len(encoded))
        + encoded
    )


def _bedrock_event(kind: str, payload: dict[str, Any], *, shows: bool = False) -> Frame:
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return Frame(_bedrock_message(headers, payload), shows)


def _bedrock_frames(
    start: list[Frame], deltas: list[dict[str, Any]], stop_reason: str
) -> list[Frame]:
    usage = {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}
    return [
        _bedrock_event("messageStart", {"role": "assistant"}),
        *start,
        *(
            _bedrock_event(
                "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}, shows=True
            )
            for delta in deltas
        ),
        _bedrock_event("contentBlockStop", {"contentBlockIndex": 0}),
        _bedrock_event("messageStop", {"stopReason": stop_reason}),
        _bedrock_event("metadata", {"usage": usage, "metrics": {"latencyMs": 7}}),
    ]


def _bedrock_text(parts: Sequence[str]) -> list[Frame]:
    return _bedrock_frames([], [{"text": part} for part in parts], "end_turn")


def _bedrock_tool(name: str, parts: Sequence[str]) -> list[Frame]:
    start = {"toolUse": {"toolUseId": "tooluse_1", "name": name}}
    begun = _bedrock_event("contentBlockStart", {"contentBlockIndex": 0, "start": start})
    return _bedrock_frames([begun], [{"toolUse": {"input": part}} for part in parts], "tool_use")


_BEDROCK_ERROR = _bedrock_message(
    {
        ":exception-type": "modelStreamErrorException",
        ":content-type": "application/json",
        ":message-type": "exception",
    },
    {"message": "The model is overloaded."},
)

BEDROCK = Wire(
    "Bedrock", "application/vnd.amazon.eventstream", _bedrock_text, _bedrock_tool, _BEDROCK_ERROR
)
