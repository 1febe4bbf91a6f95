"""A request as text: messages, tools, settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from aquila_cassette.dialects.json_access import load_json
from aquila_cassette.model import Request
from aquila_cassette.transcript.humanize import MOST_READ, body_lines, format_size, json_inline

Kind = Literal["words", "part", "thought", "call", "result"]

# Some name the model in the path, Google: /v1beta/models/gemini-2.5-flash:streamGenerateContent,
# and bedrock: /model/anthropic.claude-sonnet-5/converse-stream
_MODEL_IN_PATH = re.compile(r"/models/([^/:]+):\w+$|/model/([^/]+)/(?:converse|invoke)[\w-]*$")
_SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")
_CONVERSATION = ("messages", "input", "contents", "prompt")


class Turn(NamedTuple):
    """One thing that was said in a conversation: by whom, in the provider's word, and what it is.

    A ``part`` is an image, a file, or anything else that is not text.
    """

    role: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What a request asks."""

    model: str = ""
    turns: tuple[Turn, ...] = ()
    tools: tuple[str, ...] = ()  # as signatures: get_weather(city, unit?)
    rest: Any = field(default_factory=dict)  # the other fields; the whole body if it is no object
    other: str = ""  # how a body is shown that is not JSON


def summarize_request(request: Request) -> RequestSummary:
    """Read a request to any provider; fields that are not understood are in `rest`."""
    in_path = _MODEL_IN_PATH.search(urlsplit(request.url).path)
    model = unquote(in_path[1] or in_path[2]) if in_path else ""
    if not request.body:
        return RequestSummary(model)
    body = load_json(request.body) if len(request.body) <= MOST_READ else None
    if body is None:
        lines = body_lines(request.body, request.header("content-type"))
        return RequestSummary(model, other="\n".join(lines))
    if not isinstance(body, dict):
        return RequestSummary(model, rest=body)
    rest = dict(body)
    if isinstance(rest.get("model"), str):
        model = rest.pop("model")
    turns: list[Turn] = []
    for name in _SYSTEM:
        turns += _turns_of("system", rest.pop(name, None))
    for name in _CONVERSATION:
        turns += _conversation(rest.pop(name, None))
    tools = [_signature(tool) for tool in _tools(rest.pop("tools", None))]
    return RequestSummary(model, tuple(turns), tuple(tools), rest)


def _conversation(messages: Any) -> Iterator[Turn]:
    if not isinstance(messages, list):
        yield from _turns_of("user", messages)
        return
    for message in messages:
        role = str(message.get("role") or "user") if isinstance(message, dict) else "user"
        yield from _turns_of(role, message)


def _turns_of(role: str, content: Any) -> Iterator[Turn]:
    """Yield what one message, or one part of one, says; parts may hold parts."""
    match content:
        case None | "":
            return
        case str():
            yield Turn(role, "words", content)
        case list():
            for part in content:
                yield from _turns_of(role, part)
        case {"role": "tool", "content": result}:
            yield Turn("tool", "result", _joined(result))
        case {"role": _} | {"type": "message"}:
            yield from _message(role, content)
        case {"content": _} if "type" not in content:
            yield from _message(role, content)
        case {"parts": parts}:
            yield from _turns_of(role, parts)
        case _:
            yield _part(role, content)


def _message(role: str, message: dict[str, Any]) -> Iterator[Turn]:
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(message.get(name), str) and message[name]:
            yield Turn(role, "thought", message[name])
    yield from _turns_of(role, message.get("content"))
    yield from _turns_of(role, message.get("parts"))
    for call in message.get("tool_calls") or ():
        yield _part(role, call)


def _part(role: str, part: Any) -> Turn:
    match part:
        case {"type": "thinking", "thinking": str(text)} | {"thought": True, "text": str(text)}:
            return Turn(role, "thought", text)
        case {"type": "reasoning"}:
            return Turn("assistant", "thought", _joined(part.get("summary")))
        case {"type": "redacted_thinking"}:
            return Turn(role, "thought", "[redacted]")
        case {"text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return Turn(role, "words", text)
        case {"function": {"name": str(name), **more}}:
            return Turn(role, "call", _call(name, more.get("arguments")))
        case {"type": "tool_use", "name": str(name), "input": given}:
            return Turn(role, "call", _call(name, given))
        case {"type": "function_call", "name": str(name), "arguments": given}:
            return Turn("assistant", "call", _call(name, given))
        case {"functionCall": {"name": str(name), **more}}:
            return Turn(role, "call", _call(name, more.get("args")))
        case {"toolUse": {"name": str(name), **more}}:
            return Turn(role, "call", _call(name, more.get("input")))
        case {"toolResult": {"content": result}} | {
            "type": "function_call_output",
            "output": result,
        }:
            return Turn("tool", "result", _joined(result))
        case {"type": "tool_result"}:
            return Turn("tool", "result", _joined(part.get("content")))
        case {"functionResponse": {"name": str(name), **more}}:
            return Turn("tool", "result", f"{name}: {json_inline(more.get('response'))}")
        case _:
            return Turn(role, "part", _attachment(part))


def _call(name: str, arguments: Any) -> str:
    return f"{name} {arguments if isinstance(arguments, str) else json_inline(arguments)}"


def _joined(content: Any) -> str:
    return "\n".join(turn.text for turn in _turns_of("", content))


def _attachment(part: Any) -> str:
    """Describe an image, a file or anything else; nobody reads base64."""
    match part:
        case {"image_url": {"url": str(url)}} | {"image_url": str(url)}:
            return f"[image {url.partition(';base64,')[0]}]"
        case {"source": {"data": str(data), "media_type": kind}} | {
            "inlineData": {"data": str(data), "mimeType": kind}
        }:
            return f"[{kind}, {format_size(len(data) * 3 // 4)}]"
        case {"source": {"url": str(url)}} | {"fileData": {"fileUri": str(url)}}:
            return f"[{part.get('type', 'file')} {url}]"
        case _:
            return json_inline(part)


def _tools(tools: Any) -> Iterator[Any]:
    for tool in tools if isinstance(tools, list) else [tools] if tools else []:
        match tool:
            case {"functionDeclarations": list(several)}:
                yield from several
            case {"function": dict(function)}:
                yield function
            case _:
                yield tool


def _signature(tool: Any) -> str:
    match tool:
        case {"name": str(name), "parameters": {"properties": dict(fields), **more}} | {
            "name": str(name),
            "input_schema": {"properties": dict(fields), **more},
        }:
            required: Any = more.get("required") or ()
            names = (field if field in required else f"{field}?" for field in fields)
            return f"{name}({', '.join(names)})"
        case {"name": str(name)}:
            return name
        case _:
            return json_inline(tool)
