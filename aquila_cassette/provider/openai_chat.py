"""OpenAI's chat completions: ``POST /v1/chat/completions``."""

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
from .frame import Frame, compact, unnamed
from .words import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .asking import Call, Reply

headers = openai_shared.headers
refusal = openai_shared.refusal


def ask(path: str, body: dict[str, Any]) -> Ask:
    """Read a request."""
    messages = records(body.get("messages"))
    if not messages:
        raise RefusedError("Missing required parameter: 'messages'.")
    choice = body.get("tool_choice")
    chosen = record(record(choice).get("function")).get("name")
    offers = [record(tool.get("function")) for tool in records(body.get("tools"))]
    tools = tools_of(
        ((offer.get("name"), offer.get("parameters")) for offer in offers),
        only=[chosen] if chosen else None,
    )
    said = [text_of(one.get("content")) for one in messages if one.get("role") == "user"]
    return Ask(
        body=body,
        model=string(body.get("model")),
        prompt=last(said),
        results=_results(messages),
        tools=() if choice == "none" else tools,
        forced=choice == "required" or chosen is not None,
        stream=body.get("stream") is True,
        max_tokens=count(body.get("max_completion_tokens") or body.get("max_tokens")),
        input_tokens=weigh([messages, offers]) + 4 * len(messages),
        seed=Seed([path, body]),
    )


def _results(messages: list[dict[str, Any]]) -> tuple[Result, ...]:
    names = {
        string(call.get("id")): string(record(call.get("function")).get("name"))
        for message in messages
        for call in records(message.get("tool_calls"))
    }
    results: list[Result] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        name = names.get(string(message.get("tool_call_id")), "the tool")
        results.insert(0, Result(name, text_of(message.get("content"))))
    return tuple(results)


def whole(ask: Ask, reply: Reply) -> str:
    """Write the answer in one."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if reply.calls else reply.text,
        "refusal": None,
        "annotations": [],
    }
    if reply.calls:
        message["tool_calls"] = [
            {**_call(ask, number, call), "function": _function(call)}
            for number, call in enumerate(reply.calls)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(reply),
    }
    return compact(
        {**_base(ask, "chat.completion"), "choices": [choice], "usage": _usage(ask, reply)}
    )


def frames(ask: Ask, reply: Reply) -> Iterator[Frame]:
    """Write the answer as a stream."""
    options = record(ask.body.get("stream_options"))
    base = _base(ask, "chat.completion.chunk")
    wants_usage = options.get("include_usage") is True
    padded = options.get("include_obfuscation") is not False

    def frame(
        delta: dict[str, Any] | None,
        finish_reason: str | None = None,
        *,
        token: str = "",
        usage: dict[str, Any] | None = None,
    ) -> Frame:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        chunk = {**base, "choices": [] if delta is None else [choice]}
        if wants_usage:
            chunk["usage"] = usage
        if padded:
            chunk["obfuscation"] = openai_shared.padding(ask, token)
        return Frame(unnamed(compact(chunk)), token=bool(token))

    if not reply.calls:
        yield frame({"role": "assistant", "content": "", "refusal": None})
        for token in reply.tokens:
            yield frame({"content": token}, token=token)
    for number, call in enumerate(reply.calls):
        opening = {"index": number, **_call(ask, number, call)}
        opening["function"] = {"name": call.name, "arguments": ""}
        role = {"role": "assistant", "content": None} if number == 0 else {}
        yield frame({**role, "tool_calls": [opening]})
        for token in call.tokens:
            piece = {"index": number, "function": {"arguments": token}}
            yield frame({"tool_calls": [piece]}, token=token)
    yield frame({}, _finish_reason(reply))._replace(terminal=True)
    if wants_usage:
        yield frame(None, usage=_usage(ask, reply))
    yield Frame(unnamed("[DONE]"))


def breakdown(ask: Ask, sent: int) -> Iterator[bytes]:
    """Write what a stream ends with when the model fails after `sent` frames."""
    yield unnamed(refusal(ask.seed, 500, openai_shared.BROKEN))


def _base(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-" + ask.seed.name("id", 29),
        "object": kind,
        "created": CREATED,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_" + Seed(ask.model).name("fingerprint", 10, HEX),
    }


def _call(ask: Ask, number: int, call: Call) -> dict[str, Any]:
    return {"id": "call_" + ask.seed.name(f"call {number}", 24), "type": "function"}


def _function(call: Call) -> dict[str, Any]:
    return {"name": call.name, "arguments": "".join(call.tokens)}


def _finish_reason(reply: Reply) -> str:
    if reply.calls:
        return "tool_calls"
    return "length" if reply.cut else "stop"


def _usage(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": ask.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": ask.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
