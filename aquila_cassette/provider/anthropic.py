"""Anthropic's messages: ``POST /v1/messages``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .asking import (
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
from .chance import Seed
from .frame import Frame, compact, named
from .words import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .asking import Call, Reply

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def headers(seed: Seed, *, stream: bool) -> dict[str, str]:
    """Give the headers of an answer."""
    return {
        "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
        "request-id": _request_id(seed),
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:01Z",
        "anthropic-ratelimit-output-tokens-limit": "80000",
        "anthropic-ratelimit-output-tokens-remaining": "80000",
        "anthropic-ratelimit-output-tokens-reset": "2026-01-01T00:00:00Z",
    }


def refusal(seed: Seed, status: int, message: str) -> str:
    """Write the body of an error."""
    error = {"type": _ERRORS.get(status, "api_error"), "message": message}
    return compact({"type": "error", "error": error, "request_id": _request_id(seed)})


def ask(path: str, body: dict[str, Any]) -> Ask:
    """Read a request."""
    messages = records(body.get("messages"))
    if not messages:
        raise RefusedError("messages: at least one message is required")
    max_tokens = count(body.get("max_tokens"))
    if max_tokens is None:
        raise RefusedError("max_tokens: Field required")
    choice = record(body.get("tool_choice"))
    chosen = choice.get("name")
    custom = (tool for tool in records(body.get("tools")) if "input_schema" in tool)
    tools = tools_of(
        ((tool.get("name"), tool["input_schema"]) for tool in custom),
        only=[chosen] if chosen else None,
    )
    said = [text_of(one.get("content")) for one in messages if one.get("role") == "user"]
    return Ask(
        body=body,
        model=string(body.get("model")),
        prompt=last(said),
        results=_results(messages),
        tools=() if choice.get("type") == "none" else tools,
        forced=choice.get("type") in ("any", "tool"),
        stream=body.get("stream") is True,
        max_tokens=max_tokens,
        input_tokens=weigh([messages, body.get("system"), body.get("tools")]) + 4 * len(messages),
        seed=Seed([path, body]),
    )


def _results(messages: list[dict[str, Any]]) -> tuple[Result, ...]:
    blocks = [block for message in messages for block in records(message.get("content"))]
    names = {
        string(block.get("id")): string(block.get("name")) for block in blocks if "name" in block
    }
    return tuple(
        Result(
            names.get(string(block.get("tool_use_id")), "the tool"),
            text_of(block.get("content")),
        )
        for block in records(messages[-1].get("content"))
        if block.get("type") == "tool_result"
    )


def whole(ask: Ask, reply: Reply) -> str:
    """Write the answer in one."""
    calls = [
        {**_tool_use(ask, number, call), "input": call.arguments}
        for number, call in enumerate(reply.calls)
    ]
    message = {
        **_message(ask),
        "content": calls or [{"type": "text", "text": reply.text}],
        "stop_reason": _stop_reason(reply),
    }
    message["usage"] = {**message["usage"], "output_tokens": reply.output_tokens}
    return compact(message)


def frames(ask: Ask, reply: Reply) -> Iterator[Frame]:
    """Write the answer as a stream."""
    yield _frame(ask, "message_start", {"message": _message(ask)})
    blocks: list[tuple[dict[str, Any], str, str, tuple[str, ...]]] = [
        (_tool_use(ask, number, call), "input_json_delta", "partial_json", ("", *call.tokens))
        for number, call in enumerate(reply.calls)
    ] or [({"type": "text", "text": ""}, "text_delta", "text", reply.tokens)]
    for index, (block, kind, field, tokens) in enumerate(blocks):
        yield _frame(ask, "content_block_start", {"index": index, "content_block": block})
        if index == 0:
            yield Frame(named("ping", '{"type": "ping"}'))
        for token in tokens:
            delta = {"type": kind, field: token}
            yield _frame(ask, "content_block_delta", {"index": index, "delta": delta}, token)
        yield _frame(ask, "content_block_stop", {"index": index})
    end = {
        "delta": {"stop_reason": _stop_reason(reply), "stop_sequence": None},
        "usage": {**_input_usage(ask), "output_tokens": reply.output_tokens},
    }
    yield _frame(ask, "message_delta", end)._replace(terminal=True)
    yield _frame(ask, "message_stop", {})


def breakdown(ask: Ask, sent: int) -> Iterator[bytes]:
    """Write what a stream ends with when the model fails after `sent` frames."""
    yield named("error", refusal(ask.seed, 529, "Overloaded"))


def _frame(ask: Ask, kind: str, fields: dict[str, Any], token: str = "") -> Frame:
    data = compact({"type": kind, **fields})
    # The real one hides a token's length behind blanks before the last brace.
    blanks = " " * int(16 * ask.seed.unit(f"blanks {kind} {token}"))
    return Frame(named(kind, f"{data[:-1]}{blanks}}}"), token=bool(token))


def _message(ask: Ask) -> dict[str, Any]:
    return {
        "model": ask.model,
        "id": "msg_01" + ask.seed.name("message", 22),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            **_input_usage(ask),
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    }


def _input_usage(ask: Ask) -> dict[str, int]:
    return {
        "input_tokens": ask.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def _tool_use(ask: Ask, number: int, call: Call) -> dict[str, Any]:
    id_ = "toolu_01" + ask.seed.name(f"call {number}", 22)
    return {"type": "tool_use", "id": id_, "name": call.name, "input": {}}


def _stop_reason(reply: Reply) -> str:
    if reply.calls:
        return "tool_use"
    return "max_tokens" if reply.cut else "end_turn"


def _request_id(seed: Seed) -> str:
    return "req_011C" + seed.name("request", 20)
