"""OpenAI's responses: ``POST /v1/responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import openai_shared
from .asking import (
    CREATED,
    Ask,
    RefusedError,
    Result,
    count,
    last,
    record,
    records,
    string,
    text_of,
    tools_of,
)
from .chance import HEX, Seed
from .frame import Frame, compact, named
from .words import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .asking import Call, Reply

headers = openai_shared.headers
refusal = openai_shared.refusal


def ask(path: str, body: dict[str, Any]) -> Ask:
    """Read a request."""
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else records(given)
    if not items:
        raise RefusedError("Missing required parameter: 'input'.")
    choice = body.get("tool_choice")
    chosen = record(choice).get("name")
    functions = (tool for tool in records(body.get("tools")) if tool.get("type") == "function")
    tools = tools_of(
        ((function.get("name"), function.get("parameters")) for function in functions),
        only=[chosen] if chosen else None,
    )
    said = [text_of(item.get("content")) for item in items if item.get("role") == "user"]
    return Ask(
        body=body,
        model=string(body.get("model")),
        prompt=last(said),
        results=_results(items),
        tools=() if choice == "none" else tools,
        forced=choice == "required" or chosen is not None,
        stream=body.get("stream") is True,
        max_tokens=count(body.get("max_output_tokens")),
        input_tokens=weigh([items, body.get("instructions"), body.get("tools")]) + 4 * len(items),
        seed=Seed([path, body]),
    )


def _results(items: list[dict[str, Any]]) -> tuple[Result, ...]:
    names = {
        string(item.get("call_id")): string(item.get("name")) for item in items if "name" in item
    }
    results: list[Result] = []
    for item in reversed(items):
        if item.get("type") != "function_call_output":
            break
        name = names.get(string(item.get("call_id")), "the tool")
        results.insert(0, Result(name, text_of(item.get("output"))))
    return tuple(results)


def whole(ask: Ask, reply: Reply) -> str:
    """Write the answer in one."""
    return compact(_response(ask, reply))


def frames(ask: Ask, reply: Reply) -> Iterator[Frame]:
    """Write the answer as a stream."""
    for number, (kind, fields, token) in enumerate(_events(ask, reply)):
        data = compact({"type": kind, **fields, "sequence_number": number})
        terminal = kind in ("response.completed", "response.incomplete")
        yield Frame(named(kind, data), token=token, terminal=terminal)


def breakdown(ask: Ask, sent: int) -> Iterator[bytes]:
    """Write what a stream ends with when the model fails after `sent` frames."""
    error = {"code": "server_error", "message": openai_shared.BROKEN}
    yield _numbered("error", {**error, "param": None}, sent)
    failed = {**_response(ask), "status": "failed", "error": error}
    yield _numbered("response.failed", {"response": failed}, sent + 1)


def _numbered(kind: str, fields: dict[str, Any], number: int) -> bytes:
    return named(kind, compact({"type": kind, **fields, "sequence_number": number}))


_Event = tuple[str, dict[str, Any], bool]


def _events(ask: Ask, reply: Reply) -> Iterator[_Event]:
    yield "response.created", {"response": _response(ask)}, False
    yield "response.in_progress", {"response": _response(ask)}, False
    if not reply.calls:
        yield from _message_events(ask, reply)
    for number, call in enumerate(reply.calls):
        yield from _call_events(ask, number, call)
    kind = "response.incomplete" if reply.cut else "response.completed"
    yield kind, {"response": _response(ask, reply)}, False


def _message_events(ask: Ask, reply: Reply) -> Iterator[_Event]:
    done = _message(ask, reply)
    at = {"content_index": 0, "item_id": done["id"], "output_index": 0}
    part = done["content"][0]
    added = {**done, "status": "in_progress", "content": []}
    yield "response.output_item.added", {"item": added, "output_index": 0}, False
    yield "response.content_part.added", {**at, "part": {**part, "text": ""}}, False
    for token in reply.tokens:
        fields = {**at, "delta": token, "logprobs": [], **_padding(ask, token)}
        yield "response.output_text.delta", fields, True
    yield "response.output_text.done", {**at, "logprobs": [], "text": reply.text}, False
    yield "response.content_part.done", {**at, "part": part}, False
    yield "response.output_item.done", {"item": done, "output_index": 0}, False


def _call_events(ask: Ask, number: int, call: Call) -> Iterator[_Event]:
    done = _function_call(ask, number, call)
    at = {"item_id": done["id"], "output_index": number}
    added = {**done, "status": "in_progress", "arguments": ""}
    yield "response.output_item.added", {"item": added, "output_index": number}, False
    for token in call.tokens:
        fields = {"delta": token, **at, **_padding(ask, token)}
        yield "response.function_call_arguments.delta", fields, True
    arguments = {"arguments": done["arguments"], **at}
    yield "response.function_call_arguments.done", arguments, False
    yield "response.output_item.done", {"item": done, "output_index": number}, False


def _padding(ask: Ask, token: str) -> dict[str, str]:
    wanted = record(ask.body.get("stream_options")).get("include_obfuscation") is not False
    return {"obfuscation": openai_shared.padding(ask, token)} if wanted else {}


def _message(ask: Ask, reply: Reply) -> dict[str, Any]:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": reply.text}
    return {
        "id": "msg_" + ask.seed.name("message", 48, HEX),
        "type": "message",
        "status": "incomplete" if reply.cut else "completed",
        "content": [part],
        "role": "assistant",
    }


def _function_call(ask: Ask, number: int, call: Call) -> dict[str, Any]:
    return {
        "id": "fc_" + ask.seed.name(f"item {number}", 48, HEX),
        "type": "function_call",
        "status": "completed",
        "arguments": "".join(call.tokens),
        "call_id": "call_" + ask.seed.name(f"call {number}", 24),
        "name": call.name,
    }


def _response(ask: Ask, reply: Reply | None = None) -> dict[str, Any]:
    """Give the response object: in progress without a `reply`, done with one."""
    body = ask.body
    response = {
        "id": "resp_" + ask.seed.name("response", 48, HEX),
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "presence_penalty": 0.0,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None, **record(body.get("reasoning"))},
        "safety_identifier": None,
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **record(body.get("text"))},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": [_tool(tool) for tool in records(body.get("tools"))],
        "top_logprobs": 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }
    if reply is None:
        return response
    calls = [_function_call(ask, number, call) for number, call in enumerate(reply.calls)]
    return response | {
        "status": "incomplete" if reply.cut else "completed",
        "completed_at": None if reply.cut else CREATED + 1,
        "incomplete_details": {"reason": "max_output_tokens"} if reply.cut else None,
        "output": calls or [_message(ask, reply)],
        "usage": {
            "input_tokens": ask.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": reply.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": ask.input_tokens + reply.output_tokens,
        },
    }


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": True, **tool}
