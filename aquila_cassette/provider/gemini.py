"""Serve Google (generateContent)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from aquila_cassette.dialects.json_access import Table
from aquila_cassette.provider.replies import (
    DeterministicRandom,
    ModelReply,
    ParsedRequest,
    ReplyFrame,
    encode,
)

_REASONS = ("STOP", "MAX_TOKENS", "STOP")
_STATUSES = {401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}


class GeminiGenerateContent:
    """``POST /v1beta/models/MODEL:streamGenerateContent?alt=sse``."""

    path = re.compile(r"/v1\w*/models/[^:/]+:(?:generate|streamGenerate)Content")

    def headers(self, random: DeterministicRandom, *, stream: bool) -> dict[str, str]:
        return {
            "content-type": "text/event-stream" if stream else "application/json; charset=UTF-8",
            "vary": "Origin, X-Origin, Referer",
        }

    def error_body(self, random: DeterministicRandom, status: int, message: str) -> str:
        error = {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}
        return json.dumps({"error": error}, indent=2, ensure_ascii=False)

    def whole(self, request: ParsedRequest, reply: ModelReply) -> str:
        parts = _calls(reply) or [{"text": reply.text}]
        answer = _answer(request, parts, reply.output_tokens, reply.reason(*_REASONS))
        return json.dumps(answer, indent=2, ensure_ascii=False)

    def frames(self, request: ParsedRequest, reply: ModelReply) -> Iterator[ReplyFrame]:
        if reply.calls:
            yield _frame(_answer(request, _calls(reply), reply.output_tokens), token=True)
            yield _frame(_answer(request, [{"text": ""}], reply.output_tokens, "STOP"))
        for number, token in enumerate(reply.tokens, 1):
            reason = reply.reason(*_REASONS) if number == len(reply.tokens) else None
            yield _frame(_answer(request, [{"text": token}], number, reason), token=True)

    def failure(self, request: ParsedRequest, sent: int) -> Iterator[bytes]:
        message = "The model is overloaded. Please try again later."
        yield encode(self.error_body(request.random, 503, message))


def _frame(answer: Table, *, token: bool = False) -> ReplyFrame:
    data = json.dumps(answer, separators=(",", ": "), ensure_ascii=False)
    terminal = "finishReason" in answer["candidates"][0]
    return ReplyFrame(encode(f"data: {data}\r\n\r\n"), token, terminal)


def _calls(reply: ModelReply) -> list[Table]:
    return [{"functionCall": {"name": call.name, "args": call.arguments}} for call in reply.calls]


def _answer(
    request: ParsedRequest, parts: list[Table], tokens: int, reason: str | None = None
) -> Table:
    candidate: Table = {"content": {"parts": parts, "role": "model"}}
    if reason is not None:
        candidate["finishReason"] = reason
    return {
        "candidates": [{**candidate, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": request.input_tokens,
            "candidatesTokenCount": tokens,
            "totalTokenCount": request.input_tokens + tokens,
        },
        "modelVersion": request.model,
        "responseId": request.random.letters("response", 23),
    }
