"""A request as a person reads it: who said what, which tools there are, and what else was set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from aquila_cassette.transcript.humanize import body_lines, format_size, json_inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.model import Request

__all__ = ["RequestSummary", "Turn", "summarize_request"]

Kind = Literal["words", "part", "thought", "call", "result"]

# Some name the model in the path, Google: /v1beta/models/gemini-2.5-flash:streamGenerateContent,
# and bedrock: /model/anthropic.claude-sonnet-5/converse-stream
_MODEL_IN_PATH = re.compile(r"/models/([^/:]+):\w+$|/model/([^/]+)/(?:converse|invoke)[\w-]*$")
_SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")
_TALK = ("messages", "input", "contents", "prompt")


class Turn(NamedTuple):
    """One thing that was said in a conversation.

    Args:
        role: Who said it, in the provider's word.
        kind: What it is: words, a part that is none (an image, a file), a thought, a tool call or
            what a tool gave back.
        text: It.
    """

    role: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What a request asks.

    Args:
        model: The model asked for; empty where none is named.
        turns: The conversation, in its order.
        tools: The tools there are, as signatures: ``get_weather(city, unit?)``.
        rest: All other fields of the JSON body; the whole of it where it is no object.
        other: How a body is shown that is not JSON.
    """

    model: str = ""
    turns: tuple[Turn, ...] = ()
    tools: tuple[str, ...] = ()
    rest: Any = field(default_factory=dict)
    other: str = ""


def summarize_request(request: Request) -> RequestSummary:
    """Read a request to any provider; fields that are not understood are in `rest`.

    Args:
        request: The request on the cassette.

    Example:
        >>> from aquila_cassette import Request
        >>> body = b'{"stream": true, "messages": [{"role": "user", "content": "Hi"}]}'
        >>> read = summarize_request(Request("POST", "https://example.org/v1/chat/completions", body=body))
        >>> read.turns, read.rest
        ((Turn(role='user', kind='words', text='Hi'),), {'stream': True})
    """
    in_path = _MODEL_IN_PATH.search(urlsplit(request.url).path)
    model = unquote(in_path[1] or in_path[2]) if in_path else ""
    if not request.body:
        return RequestSummary(model)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return RequestSummary(
            model, other="\n".join(body_lines(request.body, request.header("content-type")))
        )
    if not isinstance(body, dict):
        return RequestSummary(model, rest=body)
    rest = dict(body)
    if isinstance(rest.get("model"), str):
        model = rest.pop("model")
    turns = [turn for name in _SYSTEM if name in rest for turn in _said("system", rest.pop(name))]
    turns += [turn for name in _TALK if name in rest for turn in _talk(rest.pop(name))]
    tools = [_signature(tool) for tool in _tools(rest.pop("tools", None))]
    return RequestSummary(model, tuple(turns), tuple(tools), rest)


def _talk(messages: Any) -> Iterator[Turn]:
    if not isinstance(messages, list):
        yield from _said("user", messages)
        return
    for message in messages:
        role = str(message.get("role") or "user") if isinstance(message, dict) else "user"
        yield from _said(role, message)


def _said(role: str, content: Any) -> Iterator[Turn]:
    """Give what one message, or one part of one, says; parts may hold parts."""
    match content:
        case None | "":
            return
        case str():
            yield Turn(role, "words", content)
        case list():
            for part in content:
                yield from _said(role, part)
        case {"role": "tool", "content": result}:
            yield Turn("tool", "result", _joined(result))
        case {"role": _} | {"type": "message"}:
            yield from _message(role, content)
        case {"content": _} if "type" not in content:
            yield from _message(role, content)
        case {"parts": parts}:
            yield from _said(role, parts)
        case _:
            yield _part(role, content)


def _message(role: str, message: dict[str, Any]) -> Iterator[Turn]:
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(message.get(name), str) and message[name]:
            yield Turn(role, "thought", message[name])
    yield from _said(role, message.get("content"))
    yield from _said(role, message.get("parts"))
    for call in message.get("tool_calls") or ():
        yield _part(role, call)


def _part(role: str, part: Any) -> Turn:
    """Read one part of a message: text, an image, a tool call, a tool's result, a thought."""
    match part:
        case {"type": "thinking", "thinking": str(text)}:
            return Turn(role, "thought", text)
        case {"type": "reasoning"}:
            return Turn("assistant", "thought", _joined(part.get("summary")))
        case {"thought": True, "text": str(text)}:
            return Turn(role, "thought", text)
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
        case {"toolResult": {"content": result}}:
            return Turn("tool", "result", _joined(result))
        case {"type": "tool_result"}:
            return Turn("tool", "result", _joined(part.get("content")))
        case {"type": "function_call_output", "output": output}:
            return Turn("tool", "result", _joined(output))
        case {"functionResponse": {"name": str(name), **more}}:
            return Turn("tool", "result", f"{name}: {json_inline(more.get('response'))}")
        case _:
            return Turn(role, "part", _attachment(part))


def _call(name: str, arguments: Any) -> str:
    return f"{name} {arguments if isinstance(arguments, str) else json_inline(arguments)}"


def _joined(content: Any) -> str:
    return "\n".join(turn.text for turn in _said("", content))


def _attachment(part: Any) -> str:
    """Say what an image, a file or anything else is; base64 is nothing to read."""
    match part:
        case {"image_url": {"url": str(url)}} | {"image_url": str(url)}:
            return f"[image {_address(url)}]"
        case {"source": {"data": str(data), "media_type": kind}}:
            return f"[{kind}, {format_size(len(data) * 3 // 4)}]"
        case {"inlineData": {"data": str(data), "mimeType": kind}}:
            return f"[{kind}, {format_size(len(data) * 3 // 4)}]"
        case {"source": {"url": str(url)}} | {"fileData": {"fileUri": str(url)}}:
            return f"[{part.get('type', 'file')} {_address(url)}]"
        case _:
            return json_inline(part)


def _address(url: str) -> str:
    kind, found, data = url.partition(";base64,")
    return f"{kind.removeprefix('data:')}, {format_size(len(data) * 3 // 4)}" if found else url


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
        case {"name": str(name)}:
            schema = next(
                (tool[key] for key in ("parameters", "input_schema") if tool.get(key)), None
            )
        case _:
            return json_inline(tool)
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        return name
    required = schema.get("required") or ()
    names = (field if field in required else f"{field}?" for field in schema["properties"])
    return f"{name}({', '.join(names)})"
