"""Serve Anthropic (messages)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aquila_cassette.dialects.json_access import Table, as_dicts
from aquila_cassette.provider.replies import ModelReply, ReplyFrame, compact, sse_frame
from aquila_cassette.provider.request import DeterministicRandom, ParsedRequest, as_count

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicMessages:
    """``POST /v1/messages``."""

    path = re.compile(r"/v1/messages")

    def refusal(self, body: Table) -> str | None:
        if not as_dicts(body.get("messages")):
            return "messages: at least one message is required"
        return None if as_count(body.get("max_tokens")) else "max_tokens: Field required"

    def headers(self, random: DeterministicRandom, *, stream: bool) -> dict[str, str]:
        return {
            "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
            "request-id": _request_id(random),
            "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
            "anthropic-ratelimit-requests-remaining": "3999",
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
        return compact({**message, "content": blocks, "stop_reason": _reason(reply)})

    def frames(self, request: ParsedRequest, reply: ModelReply) -> Iterator[ReplyFrame]:
        yield _frame(request, "message_start", {"message": self._message(request, 1)})
        for index, block in enumerate(self._blocks(request, reply)):
            yield _frame(request, "content_block_start", {"index": index, "content_block": block})
            if index == 0:
                yield ReplyFrame(sse_frame('{"type": "ping"}', "ping"))
            tokens = ("", *reply.calls[index].tokens) if reply.calls else reply.tokens
            for token in tokens:
                delta = {"type": "text_delta", "text": token}
                if reply.calls:
                    delta = {"type": "input_json_delta", "partial_json": token}
                fields = {"index": index, "delta": delta}
                yield _frame(request, "content_block_delta", fields, token)
            yield _frame(request, "content_block_stop", {"index": index})
        end = {
            "delta": {"stop_reason": _reason(reply), "stop_sequence": None},
            "usage": {**_input_usage(request), "output_tokens": reply.output_tokens},
        }
        yield _frame(request, "message_delta", end)._replace(terminal=True)
        yield _frame(request, "message_stop", {})

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
            "usage": {**_input_usage(request), "output_tokens": output_tokens},
        }


def _frame(request: ParsedRequest, kind: str, fields: Table, token: str = "") -> ReplyFrame:
    data = compact({"type": kind, **fields})
    # The real provider hides a token's length behind blanks before the last brace.
    blanks = " " * int(16 * request.random.fraction(f"blanks {kind} {token}"))
    return ReplyFrame(sse_frame(f"{data[:-1]}{blanks}}}", kind), token=bool(token))


def _input_usage(request: ParsedRequest) -> dict[str, int]:
    return {
        "input_tokens": request.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def _reason(reply: ModelReply) -> str:
    if reply.calls:
        return "tool_use"
    return "max_tokens" if reply.cut else "end_turn"


def _request_id(random: DeterministicRandom) -> str:
    return "req_011C" + random.letters("request", 20)
