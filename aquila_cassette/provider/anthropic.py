"""Serve Anthropic (messages)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aquila_cassette.dialects.json_access import Table
from aquila_cassette.provider.replies import (
    DeterministicRandom,
    ModelReply,
    ParsedRequest,
    ReplyFrame,
    compact,
    sse_frame,
)

_REASONS = ("tool_use", "max_tokens", "end_turn")
_ERRORS = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


class AnthropicMessages:
    """``POST /v1/messages``."""

    path = re.compile(r"/v1/messages")

    def headers(self, random: DeterministicRandom, *, stream: bool) -> dict[str, str]:
        return {
            "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
            "request-id": _request_id(random),
        }

    def error_body(self, random: DeterministicRandom, status: int, message: str) -> str:
        error = {"type": _ERRORS.get(status, "api_error"), "message": message}
        return compact({"type": "error", "error": error, "request_id": _request_id(random)})

    def whole(self, request: ParsedRequest, reply: ModelReply) -> str:
        blocks = self._blocks(request, reply)
        for block, call in zip(blocks, reply.calls, strict=False):
            block["input"] = call.arguments
        if not reply.calls:
            blocks[0]["text"] = reply.text
        message = self._message(request, reply.output_tokens)
        return compact({**message, "content": blocks, "stop_reason": reply.reason(*_REASONS)})

    def frames(self, request: ParsedRequest, reply: ModelReply) -> Iterator[ReplyFrame]:
        yield _frame("message_start", {"message": self._message(request, 1)})
        for index, block in enumerate(self._blocks(request, reply)):
            yield _frame("content_block_start", {"index": index, "content_block": block})
            if index == 0:
                yield ReplyFrame(sse_frame('{"type": "ping"}', "ping"))
            kind, field = ("input_json", "partial_json") if reply.calls else ("text", "text")
            for token in reply.calls[index].tokens if reply.calls else reply.tokens:
                delta = {"type": f"{kind}_delta", field: token}
                yield _frame("content_block_delta", {"index": index, "delta": delta}, token)
            yield _frame("content_block_stop", {"index": index})
        end = {"stop_reason": reply.reason(*_REASONS), "stop_sequence": None}
        fields = {"delta": end, "usage": _usage(request, reply.output_tokens)}
        yield _frame("message_delta", fields)._replace(terminal=True)
        yield _frame("message_stop", {})

    def failure(self, request: ParsedRequest, sent: int) -> Iterator[bytes]:
        yield sse_frame(self.error_body(request.random, 529, "Overloaded"), "error")

    def _blocks(self, request: ParsedRequest, reply: ModelReply) -> list[Table]:
        """Return the content's blocks as a stream begins them."""
        calls: list[Table] = [
            {
                "type": "tool_use",
                "id": "toolu_01" + request.random.letters(f"call {number}", 22),
                "name": call.name,
                "input": {},
            }
            for number, call in enumerate(reply.calls)
        ]
        return calls or [{"type": "text", "text": ""}]

    def _message(self, request: ParsedRequest, output_tokens: int) -> Table:
        return {
            "model": request.model,
            "id": "msg_01" + request.random.letters("message", 22),
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(request, output_tokens),
        }


def _frame(kind: str, fields: Table, token: str = "") -> ReplyFrame:
    return ReplyFrame(sse_frame(compact({"type": kind, **fields}), kind), token=bool(token))


def _usage(request: ParsedRequest, output_tokens: int) -> dict[str, int]:
    return {"input_tokens": request.input_tokens, "output_tokens": output_tokens}


def _request_id(random: DeterministicRandom) -> str:
    return "req_011C" + random.letters("request", 20)
