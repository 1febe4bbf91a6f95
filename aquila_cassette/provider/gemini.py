"""Gemini's content generation: ``POST /v1beta/models/MODEL:streamGenerateContent?alt=sse``."""

from __future__ import annotations

import json
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
from .frame import Frame, encode
from .words import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .asking import Reply

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def headers(seed: Seed, *, stream: bool) -> dict[str, str]:
    """Give the headers of an answer."""
    return {
        "content-type": "text/event-stream" if stream else "application/json; charset=UTF-8",
        "vary": "Origin, X-Origin, Referer",
        "x-content-type-options": "nosniff",
        "server-timing": f"gfet4t7; dur={200 + int(900 * seed.unit('processing'))}",
    }


def refusal(seed: Seed, status: int, message: str) -> str:
    """Write the body of an error."""
    error = {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}
    return json.dumps({"error": error}, indent=2, ensure_ascii=False)


def ask(path: str, body: dict[str, Any]) -> Ask:
    """Read a request; model and streaming stand in its path."""
    contents = records(body.get("contents"))
    if not contents:
        raise RefusedError("* GenerateContentRequest.contents: contents is not specified")
    model, _, method = path.rpartition("/")[2].partition(":")
    config = record(_field(record(_field(body, "toolConfig")), "functionCallingConfig"))
    functions = (
        function
        for tool in records(body.get("tools"))
        for function in records(_field(tool, "functionDeclarations"))
    )
    tools = tools_of(
        (
            (one.get("name"), _field(one, "parametersJsonSchema") or one.get("parameters"))
            for one in functions
        ),
        only=_field(config, "allowedFunctionNames"),
    )
    said = [text_of(one.get("parts")) for one in contents if one.get("role", "user") == "user"]
    return Ask(
        body=body,
        model=model,
        prompt=last(said),
        results=_results(contents[-1]),
        tools=() if config.get("mode") == "NONE" else tools,
        forced=config.get("mode") == "ANY",
        stream=method == "streamGenerateContent",
        max_tokens=count(_field(record(_field(body, "generationConfig")), "maxOutputTokens")),
        input_tokens=weigh([contents, _field(body, "systemInstruction"), body.get("tools")]),
        seed=Seed([path, body]),
    )


def _field(message: dict[str, Any], name: str) -> Any:
    """Give a field in either spelling: protobuf's JSON takes ``toolConfig`` and ``tool_config``."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return message.get(name, message.get(snake))


def _results(content: dict[str, Any]) -> tuple[Result, ...]:
    answers = [
        record(_field(part, "functionResponse"))
        for part in records(content.get("parts"))
        if _field(part, "functionResponse")
    ]
    return tuple(Result(string(one.get("name")), _said(one.get("response"))) for one in answers)


def _said(response: Any) -> str:
    """Give what a function returned: the SDK wraps a plain value as ``{"result": value}``."""
    value = record(response).get("result", response)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def whole(ask: Ask, reply: Reply) -> str:
    """Write the answer in one."""
    parts = _calls(ask, reply) or [{"text": reply.text}]
    answer = _answer(ask, parts, reply.output_tokens, _finish_reason(reply))
    return json.dumps(answer, indent=2, ensure_ascii=False)


def frames(ask: Ask, reply: Reply) -> Iterator[Frame]:
    """Write the answer as a stream; its last frame is known by its finishReason alone."""
    if reply.calls:
        called = _answer(ask, _calls(ask, reply), reply.output_tokens)
        yield Frame(_framed(called), token=True)
        end = _answer(ask, [{"text": ""}], reply.output_tokens, "STOP")
        yield Frame(_framed(end), terminal=True)
    for number, token in enumerate(reply.tokens, 1):
        last = number == len(reply.tokens)
        reason = _finish_reason(reply) if last else None
        answer = _answer(ask, [{"text": token}], number, reason)
        yield Frame(_framed(answer), token=True, terminal=last)


def breakdown(ask: Ask, sent: int) -> Iterator[bytes]:
    """Write what a stream ends with when the model fails after `sent` frames."""
    yield encode(refusal(ask.seed, 503, "The model is overloaded. Please try again later."))


def _framed(answer: dict[str, Any]) -> bytes:
    return encode(f"data: {json.dumps(answer, separators=(',', ': '), ensure_ascii=False)}\r\n\r\n")


def _calls(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    return [{"functionCall": {"name": c.name, "args": c.arguments}} for c in reply.calls]


def _answer(
    ask: Ask, parts: list[dict[str, Any]], output_tokens: int, finish_reason: str | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    candidate["index"] = 0
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": ask.input_tokens,
            "candidatesTokenCount": output_tokens,
            "totalTokenCount": ask.input_tokens + output_tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": ask.input_tokens}],
        },
        "modelVersion": ask.model,
        "responseId": ask.seed.name("response", 23),
    }


def _finish_reason(reply: Reply) -> str:
    return "MAX_TOKENS" if reply.cut else "STOP"
