"""What a provider sends for a text, or for the call of a tool, in each dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.servers.bedrock import EVENTSTREAM, binary
from tests.servers.frames import USAGE, message_object, response_object

TEXT = ("Hel", "lo, ", "wörld")
"""What is said, in the parts in which it is sent."""

TOOL = "get_weather"
CITY = "Paris"
ARGUMENTS = ('{"ci', 'ty": "Pa', 'ris"}')
"""The arguments of the call of `TOOL`, in the parts in which they are sent."""


class Frame(NamedTuple):
    """What is sent at once, and whether it is a part of the answer that an SDK shows its user."""

    data: bytes
    shows: bool = False


@dataclass(frozen=True)
class Wire:
    """A dialect as a server sends it.

    `frames` gives an answer in parts: a text, or the arguments of a call of the tool of that name.
    `error` is how the provider ends a stream that went wrong; None if it just breaks off.
    """

    frames: Callable[[Sequence[str], str | None], list[Frame]]
    error: bytes | None = None
    content_type: str = "text/event-stream"


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _data(value: Any, end: str = "\n\n") -> bytes:
    return f"data: {compact(value)}{end}".encode()


def _named(event: str, value: Any) -> bytes:
    return f"event: {event}\n".encode() + _data(value)


def _event(kind: str, *, shows: bool = False, **fields: Any) -> Frame:
    return Frame(_named(kind, {"type": kind, **fields}), shows)


_DONE = Frame(b"data: [DONE]\n\n")

# OpenAI's chat completions, as so many servers speak them.


def _chat_chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
    return _data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1767225600,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
            **more,
        }
    )


def _chat_frames(
    begun: dict[str, Any], deltas: list[dict[str, Any]], finish_reason: str
) -> list[Frame]:
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    return [
        Frame(_chat_chunk({"role": "assistant", **begun})),
        *(Frame(_chat_chunk(delta), shows=True) for delta in deltas),
        Frame(_chat_chunk({}, finish_reason)),
        Frame(_chat_chunk({}, choices=[], usage=usage)),
        _DONE,
    ]


def _chat(parts: Sequence[str], tool: str | None) -> list[Frame]:
    if tool is None:
        return _chat_frames({"content": ""}, [{"content": part} for part in parts], "stop")
    function = {"name": tool, "arguments": ""}
    begun = {"index": 0, "id": "call_1", "type": "function", "function": function}
    calls = [{"index": 0, "function": {"arguments": part}} for part in parts]
    deltas = [{"tool_calls": [call]} for call in calls]
    return _chat_frames({"content": None, "tool_calls": [begun]}, deltas, "tool_calls")


def _mistral(parts: Sequence[str], tool: str | None) -> list[Frame]:
    """Call a tool with all of its arguments at once."""
    if tool is None:
        return _chat(parts, None)
    function = {"name": tool, "arguments": "".join(parts)}
    call = {"index": 0, "id": "call_1", "function": function}
    return _chat_frames({"content": ""}, [{"tool_calls": [call]}], "tool_calls")


CHAT = Wire(
    _chat, _data({"error": {"message": "The model is overloaded.", "type": "server_error"}})
)
MISTRAL = Wire(_mistral)

# OpenAI's responses.


def _responses(parts: Sequence[str], tool: str | None) -> list[Frame]:
    whole = "".join(parts)
    item: dict[str, Any]
    inside: list[tuple[str, dict[str, Any]]]
    if tool is None:
        at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        part = {"type": "output_text", "text": whole, "annotations": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant"}
        begun, done = {"content": []}, {"content": [part]}
        inside = [
            ("content_part.added", {**at, "part": {**part, "text": ""}}),
            *(("output_text.delta", {**at, "delta": one, "logprobs": []}) for one in parts),
            ("output_text.done", {**at, "text": whole, "logprobs": []}),
            ("content_part.done", {**at, "part": part}),
        ]
    else:
        at = {"item_id": "fc_1", "output_index": 0}
        item = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": tool}
        begun, done = {"arguments": ""}, {"arguments": whole}
        kind = "function_call_arguments"
        inside = [
            *((f"{kind}.delta", {**at, "delta": one}) for one in parts),
            (f"{kind}.done", {**at, "arguments": whole, "name": tool}),
        ]
    first = {**item, "status": "in_progress", **begun}
    last = {**item, "status": "completed", **done}
    steps = [
        ("created", {"response": response_object("in_progress", [], None)}),
        ("output_item.added", {"output_index": 0, "item": first}),
        *inside,
        ("output_item.done", {"output_index": 0, "item": last}),
        ("completed", {"response": response_object("completed", [last], USAGE)}),
    ]
    return [
        _event(f"response.{kind}", shows=kind.endswith(".delta"), **fields, sequence_number=number)
        for number, (kind, fields) in enumerate(steps)
    ]


_RESPONSES_ERROR = {"code": "server_error", "message": "The model is overloaded.", "param": None}
RESPONSES = Wire(_responses, _event("error", **_RESPONSES_ERROR, sequence_number=9).data)

# Anthropic's messages.


def _messages(parts: Sequence[str], tool: str | None) -> list[Frame]:
    block: dict[str, Any] = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": part} for part in parts]
    if tool is not None:
        block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    end = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
    return [
        _event("message_start", message=message_object()),
        _event("content_block_start", index=0, content_block=block),
        _event("ping"),
        *(_event("content_block_delta", shows=True, index=0, delta=delta) for delta in deltas),
        _event("content_block_stop", index=0),
        _event("message_delta", delta=end, usage={"output_tokens": 3}),
        _event("message_stop"),
    ]


_MESSAGES_ERROR = {"type": "overloaded_error", "message": "Overloaded"}
MESSAGES = Wire(_messages, _event("error", error=_MESSAGES_ERROR).data)

# Gemini's streamed content generation.


def _gemini(parts: Sequence[str], tool: str | None) -> list[Frame]:
    content: list[dict[str, Any]] = [{"text": part} for part in parts]
    if tool is not None:
        content = [{"functionCall": {"name": tool, "args": json.loads("".join(parts))}}]
    usage = {"promptTokenCount": 2, "candidatesTokenCount": 3, "totalTokenCount": 5}
    frames = []
    for part in content:
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        if part is content[-1]:
            candidate["finishReason"] = "STOP"
        chunk = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5"}
        frames.append(Frame(_data(chunk, "\r\n\r\n"), shows=True))
    return frames


GEMINI = Wire(_gemini)

# Cohere's chat, version 2.


def _cohere(parts: Sequence[str], tool: str | None) -> list[Frame]:
    tokens = {"input_tokens": 2, "output_tokens": 3}
    usage = {"billed_units": tokens, "tokens": tokens}
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    kind = "content"
    begun: dict[str, Any] = {"content": {"type": "text", "text": ""}}
    deltas: list[dict[str, Any]] = [{"content": {"text": part}} for part in parts]
    if tool is not None:
        kind = "tool-call"
        function = {"name": tool, "arguments": ""}
        begun = {"tool_calls": {"id": "call_1", "type": "function", "function": function}}
        deltas = [{"tool_calls": {"function": {"arguments": part}}} for part in parts]
    end = {"finish_reason": "TOOL_CALL" if tool else "COMPLETE", "usage": usage}
    return [
        _event("message-start", id="c-1", delta={"message": message}),
        _event(f"{kind}-start", index=0, delta={"message": begun}),
        *(_event(f"{kind}-delta", shows=True, index=0, delta={"message": one}) for one in deltas),
        _event(f"{kind}-end", index=0),
        _event("message-end", id="c-1", delta=end),
        _DONE,
    ]


COHERE = Wire(_cohere)

# Ollama's own chat: a JSON value a line.


def _ollama(parts: Sequence[str], tool: str | None) -> list[Frame]:
    messages: list[dict[str, Any]] = [{"content": part} for part in parts]
    if tool is not None:
        call = {"function": {"name": tool, "arguments": json.loads("".join(parts))}}
        messages = [{"content": "", "tool_calls": [call]}]

    def line(message: dict[str, Any], **fields: Any) -> bytes:
        made = {"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z", "done": False}
        return (
            f"{compact({**made, 'message': {'role': 'assistant', **message}, **fields})}\n".encode()
        )

    counts = {"total_duration": 5, "prompt_eval_count": 2, "eval_count": 3}
    end = line({"content": ""}, done=True, done_reason="stop", **counts)
    return [*(Frame(line(message), shows=True) for message in messages), Frame(end)]


OLLAMA = Wire(_ollama, b'{"error":"The model is overloaded."}\n', "application/x-ndjson")

# Bedrock's converse stream: binary messages.


def _bedrock_event(kind: str, payload: dict[str, Any]) -> Frame:
    return Frame(binary(kind, payload), shows=kind == "contentBlockDelta")


def _bedrock(parts: Sequence[str], tool: str | None) -> list[Frame]:
    begun: list[Frame] = []
    deltas: list[dict[str, Any]] = [{"text": part} for part in parts]
    if tool is not None:
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": tool}}
        begun = [_bedrock_event("contentBlockStart", {"contentBlockIndex": 0, "start": start})]
        deltas = [{"toolUse": {"input": part}} for part in parts]
    usage = {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}
    blocks = [{"contentBlockIndex": 0, "delta": delta} for delta in deltas]
    return [
        _bedrock_event("messageStart", {"role": "assistant"}),
        *begun,
        *(_bedrock_event("contentBlockDelta", block) for block in blocks),
        _bedrock_event("contentBlockStop", {"contentBlockIndex": 0}),
        _bedrock_event("messageStop", {"stopReason": "tool_use" if tool else "end_turn"}),
        _bedrock_event("metadata", {"usage": usage, "metrics": {"latencyMs": 7}}),
    ]


BEDROCK = Wire(
    _bedrock,
    binary("modelStreamErrorException", {"message": "The model is overloaded."}, kind="exception"),
    EVENTSTREAM["content-type"],
)
