"""What a provider sends for a text, or for the call of a tool, in each dialect."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import FunctionCall, ModelReply, compact, parse_request
from tests.servers import Request
from tests.servers.bedrock import EVENTSTREAM, binary

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

    `frames` answers a request in parts: a text, or the arguments of a call of the tool of that
    name. `error` is how the provider ends a stream that went wrong; None if it just breaks off.
    """

    frames: Callable[[Request, Sequence[str], str | None], list[Frame]]
    error: bytes | None = None
    content_type: str = "text/event-stream"


def _embedded(dialect: Any) -> Wire:
    """Answer as the embedded provider does."""

    def frames(request: Request, parts: Sequence[str], tool: str | None) -> list[Frame]:
        reply = ModelReply(tuple(parts))
        if tool is not None:
            call = FunctionCall(tool, json.loads("".join(parts)), tuple(parts))
            reply = ModelReply(calls=(call,))
        parsed = parse_request(request.path, json.loads(request.body))
        return [Frame(one.data, one.token) for one in dialect.frames(parsed, reply)]

    return Wire(frames, b"".join(dialect.failure(parse_request("", {}), 9)))


CHAT = _embedded(OpenAIChat())
RESPONSES = _embedded(OpenAIResponses())
MESSAGES = _embedded(AnthropicMessages())
GEMINI = replace(_embedded(GeminiGenerateContent()), error=None)


def _mistral(request: Request, parts: Sequence[str], tool: str | None) -> list[Frame]:
    """Call a tool with all of its arguments at once."""
    begun, *rest = CHAT.frames(request, parts, tool)
    if tool is not None:
        arguments = b'"arguments":' + compact("".join(parts)).encode()
        begun = Frame(begun.data.replace(b'"arguments":""', arguments), shows=True)
        rest = [one for one in rest if not one.shows]
    return [begun, *rest]


MISTRAL = Wire(_mistral)


def _event(kind: str, *, shows: bool = False, **fields: Any) -> Frame:
    data = compact({"type": kind, **fields})
    return Frame(f"event: {kind}\ndata: {data}\n\n".encode(), shows)


# Cohere's chat, version 2.


def _cohere(_: Request, parts: Sequence[str], tool: str | None) -> list[Frame]:
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
        Frame(b"data: [DONE]\n\n"),
    ]


COHERE = Wire(_cohere)

# Ollama's own chat: a JSON value a line.


def _ollama(_: Request, parts: Sequence[str], tool: str | None) -> list[Frame]:
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


def _binary(kind: str, payload: dict[str, Any]) -> Frame:
    return Frame(binary(kind, payload), shows=kind == "contentBlockDelta")


def _bedrock(_: Request, parts: Sequence[str], tool: str | None) -> list[Frame]:
    begun: list[Frame] = []
    deltas: list[dict[str, Any]] = [{"text": part} for part in parts]
    if tool is not None:
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": tool}}
        begun = [_binary("contentBlockStart", {"contentBlockIndex": 0, "start": start})]
        deltas = [{"toolUse": {"input": part}} for part in parts]
    usage = {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}
    blocks = [{"contentBlockIndex": 0, "delta": delta} for delta in deltas]
    return [
        _binary("messageStart", {"role": "assistant"}),
        *begun,
        *(_binary("contentBlockDelta", block) for block in blocks),
        _binary("contentBlockStop", {"contentBlockIndex": 0}),
        _binary("messageStop", {"stopReason": "tool_use" if tool else "end_turn"}),
        _binary("metadata", {"usage": usage, "metrics": {"latencyMs": 7}}),
    ]


BEDROCK = Wire(
    _bedrock,
    binary("modelStreamErrorException", {"message": "The model is overloaded."}, kind="exception"),
    EVENTSTREAM["content-type"],
)
