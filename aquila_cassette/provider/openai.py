"""Serve OpenAI (chat completions, responses)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts
from aquila_cassette.provider.replies import (
    DeterministicRandom,
    FunctionCall,
    ModelReply,
    ParsedRequest,
    ReplyFrame,
    compact,
    sse_frame,
)

CREATED = 1_767_225_600
"""The time of every answer, in s since 1970: the first second of 2026."""

_REASONS = ("tool_calls", "length", "stop")
_BROKEN = "The server had an error while processing your request. Sorry about that!"
_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", "server_error"),
    503: ("server_error", "service_unavailable"),
}
_ECHOED: Table = {
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_p": 1.0,
}
"""The fields of a response that a request may set, and what they are otherwise."""


class OpenAIDialect:
    def headers(self, random: DeterministicRandom, *, stream: bool) -> dict[str, str]:
        return {
            "content-type": "text/event-stream; charset=utf-8" if stream else "application/json",
            "x-request-id": "req_" + random.letters("request", 32),
            "openai-version": "2020-10-01",
        }

    def error_body(self, random: DeterministicRandom, status: int, message: str) -> str:
        kind, code = _ERRORS.get(status, ("invalid_request_error", None))
        return compact({"error": {"message": message, "type": kind, "param": None, "code": code}})


class OpenAIChat(OpenAIDialect):
    """``POST /v1/chat/completions``."""

    path = re.compile(r"/v1/chat/completions")

    def whole(self, request: ParsedRequest, reply: ModelReply) -> str:
        content = None if reply.calls else reply.text
        message: Table = {"role": "assistant", "content": content, "refusal": None}
        if reply.calls:
            message["tool_calls"] = [
                self._call(request, number, call, "".join(call.tokens))
                for number, call in enumerate(reply.calls)
            ]
        answer = self._answer(
            request, "chat.completion", "message", message, reply.reason(*_REASONS)
        )
        return compact({**answer, "usage": self._usage(request, reply)})

    def frames(self, request: ParsedRequest, reply: ModelReply) -> Iterator[ReplyFrame]:
        options = as_dict(request.body.get("stream_options"))
        wants_usage = options.get("include_usage") is True

        def frame(
            delta: Table, *, token: str = "", reason: str | None = None, **more: Any
        ) -> ReplyFrame:
            chunk = self._answer(request, "chat.completion.chunk", "delta", delta, reason)
            if wants_usage:
                chunk["usage"] = None
            data = sse_frame(compact({**chunk, **more}))
            return ReplyFrame(data, bool(token), terminal=reason is not None)

        if not reply.calls:
            yield frame({"role": "assistant", "content": "", "refusal": None})
            for token in reply.tokens:
                yield frame({"content": token}, token=token)
        for number, call in enumerate(reply.calls):
            role = {"role": "assistant", "content": None} if number == 0 else {}
            begun = {"index": number, **self._call(request, number, call, "")}
            yield frame({**role, "tool_calls": [begun]})
            for token in call.tokens:
                part = {"index": number, "function": {"arguments": token}}
                yield frame({"tool_calls": [part]}, token=token)
        yield frame({}, reason=reply.reason(*_REASONS))
        if wants_usage:
            yield frame({}, choices=[], usage=self._usage(request, reply))
        yield ReplyFrame(sse_frame("[DONE]"))

    def failure(self, request: ParsedRequest, sent: int) -> Iterator[bytes]:
        yield sse_frame(self.error_body(request.random, 500, _BROKEN))

    def _answer(
        self, request: ParsedRequest, kind: str, field: str, message: Table, reason: str | None
    ) -> Table:
        return {
            "id": "chatcmpl-" + request.random.letters("id", 29),
            "object": kind,
            "created": CREATED,
            "model": request.model,
            "choices": [{"index": 0, field: message, "logprobs": None, "finish_reason": reason}],
        }

    def _call(
        self, request: ParsedRequest, number: int, call: FunctionCall, arguments: str
    ) -> Table:
        id_ = "call_" + request.random.letters(f"call {number}", 24)
        function = {"name": call.name, "arguments": arguments}
        return {"id": id_, "type": "function", "function": function}

    def _usage(self, request: ParsedRequest, reply: ModelReply) -> Table:
        return {
            "prompt_tokens": request.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": request.input_tokens + reply.output_tokens,
        }


class OpenAIResponses(OpenAIDialect):
    """``POST /v1/responses``."""

    path = re.compile(r"/v1/responses")

    def whole(self, request: ParsedRequest, reply: ModelReply) -> str:
        return compact(self._response(request, reply))

    def frames(self, request: ParsedRequest, reply: ModelReply) -> Iterator[ReplyFrame]:
        numbers = count()

        def frame(kind: str, token: str = "", **fields: Any) -> ReplyFrame:
            data = _numbered(f"response.{kind}", fields, next(numbers))
            return ReplyFrame(data, bool(token), terminal=kind in ("completed", "incomplete"))

        yield frame("created", response=self._response(request))
        yield frame("in_progress", response=self._response(request))
        for index, item in enumerate(self._output(request, reply)):
            empty: Table = {"arguments": ""} if reply.calls else {"content": []}
            begun = {**item, "status": "in_progress", **empty}
            yield frame("output_item.added", item=begun, output_index=index)
            at = {"item_id": item["id"], "output_index": index}
            if reply.calls:
                for token in reply.calls[index].tokens:
                    yield frame("function_call_arguments.delta", token, delta=token, **at)
                yield frame("function_call_arguments.done", arguments=item["arguments"], **at)
            else:
                at, part = {"content_index": 0, **at}, item["content"][0]
                yield frame("content_part.added", part={**part, "text": ""}, **at)
                for token in reply.tokens:
                    yield frame("output_text.delta", token, delta=token, logprobs=[], **at)
                yield frame("output_text.done", text=reply.text, logprobs=[], **at)
                yield frame("content_part.done", part=part, **at)
            yield frame("output_item.done", item=item, output_index=index)
        end = "incomplete" if reply.cut else "completed"
        yield frame(end, response=self._response(request, reply))

    def failure(self, request: ParsedRequest, sent: int) -> Iterator[bytes]:
        error = {"code": "server_error", "message": _BROKEN}
        yield _numbered("error", {**error, "param": None}, sent)
        failed = {**self._response(request), "status": "failed", "error": error}
        yield _numbered("response.failed", {"response": failed}, sent + 1)

    def _output(self, request: ParsedRequest, reply: ModelReply) -> list[Table]:
        random = request.random
        calls = [
            {
                "id": "fc_" + random.letters(f"item {number}", 48),
                "type": "function_call",
                "status": "completed",
                "arguments": "".join(call.tokens),
                "call_id": "call_" + random.letters(f"call {number}", 24),
                "name": call.name,
            }
            for number, call in enumerate(reply.calls)
        ]
        part = {"type": "output_text", "annotations": [], "text": reply.text}
        message = {
            "id": "msg_" + random.letters("message", 48),
            "type": "message",
            "status": "incomplete" if reply.cut else "completed",
            "content": [part],
            "role": "assistant",
        }
        return calls or [message]

    def _response(self, request: ParsedRequest, reply: ModelReply | None = None) -> Table:
        """Return the response object: in progress without a `reply`, done with one."""
        body = request.body
        response = {
            "id": "resp_" + request.random.letters("response", 48),
            "object": "response",
            "created_at": CREATED,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": request.model,
            "output": [],
            "usage": None,
            **{name: body.get(name, default) for name, default in _ECHOED.items()},
            "tools": as_dicts(body.get("tools")),
        }
        if reply is None:
            return response
        return response | {
            "status": "incomplete" if reply.cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if reply.cut else None,
            "output": self._output(request, reply),
            "usage": {
                "input_tokens": request.input_tokens,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": reply.output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": request.input_tokens + reply.output_tokens,
            },
        }


def _numbered(kind: str, fields: Table, number: int) -> bytes:
    return sse_frame(compact({"type": kind, **fields, "sequence_number": number}), kind)
