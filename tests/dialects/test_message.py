"""What the model said, streamed or at once, word for word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aquila_cassette.dialects import ModelMessage, ModelToolCall, read_message
from tests.dialects.streams import NDJSON, SSE, WHOLE, chunk, data, event, lines, typed

OF_WHOLE = {
    "openai-chat": ModelMessage(
        "Hello", model="m", usage={"total_tokens": 3}, finish_reason="stop"
    ),
    "openai-responses": ModelMessage(
        "Hello", model="m", usage={"total_tokens": 3}, finish_reason="completed"
    ),
    "openai-runs": ModelMessage(
        "Hello", model="m", usage={"total_tokens": 3}, finish_reason="completed"
    ),
    "anthropic": ModelMessage(
        "Hello", model="m", usage={"in": 1, "out": 2}, finish_reason="end_turn"
    ),
    "anthropic-complete": ModelMessage("Hello", model="m", finish_reason="stop_sequence"),
    "gemini": ModelMessage("Hello", model="m", usage={"totalTokenCount": 3}, finish_reason="STOP"),
    "gemini-interactions": ModelMessage(
        "Hello", model="m", usage={"total_tokens": 3}, finish_reason="completed"
    ),
    "cohere": ModelMessage("Hello", usage={"out": 2}, finish_reason="COMPLETE"),
    "ollama": ModelMessage("Hello", model="m", usage={"eval_count": 2}, finish_reason="stop"),
}


def but(said_: ModelMessage, **more: Any) -> ModelMessage:
    return ModelMessage(**{name: getattr(said_, name) for name in ModelMessage.__slots__} | more)


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_says_its_text_and_what_is_about_it(name: str) -> None:
    assert read_message(*WHOLE[name]) == but(OF_WHOLE[name], dialect=name)


@pytest.mark.parametrize("name", WHOLE)
def test_a_cut_stream_says_what_it_said_so_far(name: str) -> None:
    content_type, body = WHOLE[name]
    for kept in range(len(body)):
        assert "Hello".startswith(read_message(content_type, body[:kept]).text)


def call(index: int | None, id_: str | None = None, **function: str) -> dict[str, Any]:
    return {"index": index, "id": id_, "function": function}


STREAMS = {
    "chat: tool calls in chunks": (
        SSE,
        data(
            chunk({"content": None, "tool_calls": [call(0, "a", name="f", arguments="")]}),
            chunk({"tool_calls": [call(0, arguments='{"x":')]}),
            chunk({"tool_calls": [call(0, arguments="1}"), call(1, "b", name="g")]}),
            chunk(finish_reason="tool_calls"),
        ),
        ModelMessage(
            tool_calls=(ModelToolCall("f", '{"x":1}'), ModelToolCall("g", "")),
            model="m",
            finish_reason="tool_calls",
            dialect="openai-chat",
        ),
    ),
    "chat: whole tool calls that are not counted": (
        SSE,
        data(
            chunk({"tool_calls": [call(0, "a", name="f", arguments="{}")]}),
            chunk({"tool_calls": [call(0, "b", name="f", arguments='{"x": 1}')]}),
        ),
        ModelMessage(
            tool_calls=(ModelToolCall("f", "{}"), ModelToolCall("f", '{"x": 1}')),
            model="m",
            dialect="openai-chat",
        ),
    ),
    "chat: a function call of old": (
        SSE,
        data(
            chunk({"function_call": {"name": "f", "arguments": "{"}}),
            chunk({"function_call": {"arguments": "}"}}),
        ),
        ModelMessage(tool_calls=(ModelToolCall("f", "{}"),), model="m", dialect="openai-chat"),
    ),
    "chat: reasoning under each of its names": (
        SSE,
        data(
            chunk({"reasoning_content": "a", "reasoning": "a"}),
            chunk({"reasoning": "b", "content": ""}),
            chunk({"reasoning_details": [{"text": "c"}, {"summary": "d"}]}),
            chunk({"content": "Hi"}),
        ),
        ModelMessage("Hi", "abcd", model="m", dialect="openai-chat"),
    ),
    "chat: content in parts": (
        SSE,
        data(
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}]}),
            chunk({"content": [{"type": "reasoning", "summary": [{"text": "b"}]}]}),
            chunk({"content": [{"type": "text", "text": "Hi"}]}),
        ),
        ModelMessage("Hi", "ab", model="m", dialect="openai-chat"),
    ),
    "chat: a refusal": (
        SSE,
        data(chunk({"refusal": "No"}), chunk({"refusal": "."})),
        ModelMessage(refusal="No.", model="m", dialect="openai-chat"),
    ),
    "chat: the first of two choices": (
        SSE,
        data(
            chunk(choices=[{"index": 1, "delta": {"content": "Bye"}}]),
            chunk(choices=[{"index": 0, "delta": {"content": "Hi"}}]),
        ),
        ModelMessage("Hi", model="m", dialect="openai-chat"),
    ),
    "chat: deltas beside the message so far": (
        SSE,
        data(
            chunk(choices=[{"delta": {"content": "H"}, "message": {"content": "H"}}]),
            chunk(choices=[{"delta": {"content": "i"}, "message": {"content": "Hi"}}]),
        ),
        ModelMessage("Hi", model="m", dialect="openai-chat"),
    ),
    "chat: deltas beside a text": (
        SSE,
        data(chunk(choices=[{"delta": {"content": "Hi"}, "text": "Hi"}])),
        ModelMessage("Hi", model="m", dialect="openai-chat"),
    ),
    "chat: the older completions": (
        SSE,
        data({"object": "text_completion", "choices": [{"text": "Hi", "finish_reason": "stop"}]}),
        ModelMessage("Hi", finish_reason="stop", dialect="openai-chat"),
    ),
    "chat: Groq's counts": (
        SSE,
        data(chunk({"content": "Hi"}, x_groq={"usage": {"total_tokens": 3}})),
        ModelMessage("Hi", model="m", usage={"total_tokens": 3}, dialect="openai-chat"),
    ),
    "chat: an error in the middle": (
        SSE,
        data(chunk({"content": "Hi"})) + event("error", {"error": {"message": "Overloaded"}}),
        ModelMessage("Hi", model="m", error="Overloaded", dialect="openai-chat"),
    ),
    "chat: a character cut in two": (
        SSE,
        data(
            '{"choices": [{"delta": {"content": "\\ud83d"}}]}',
            '{"choices": [{"delta": {"content": "\\ude00 \\ud83d"}}]}',
        ),
        ModelMessage("\U0001f600 \ufffd", dialect="openai-chat"),
    ),
    "responses: reasoning, refusal and calls": (
        SSE,
        typed(
            {"type": "response.created", "response": {"model": "m"}},
            {"type": "response.reasoning_summary_text.delta", "delta": "a"},
            {"type": "response.reasoning_text.delta", "delta": "b"},
            {"type": "response.refusal.delta", "delta": "No."},
            {
                "type": "response.output_item.added",
                "output_index": 1,
                "item": {"type": "function_call", "name": "f", "arguments": ""},
            },
            {
                "type": "response.output_item.added",
                "output_index": 2,
                "item": {"type": "custom_tool_call", "name": "g", "input": ""},
            },
            {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"},
            {"type": "response.custom_tool_call_input.delta", "output_index": 2, "delta": "x"},
            {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "}"},
            {
                "type": "response.output_item.done",
                "output_index": 1,
                "item": {"type": "function_call", "name": "f", "arguments": "{}"},
            },
            {
                "type": "response.output_item.done",
                "output_index": 2,
                "item": {"type": "custom_tool_call", "name": "g"},
            },
            {
                "type": "response.incomplete",
                "response": {
                    "status": "incomplete",
                    "incomplete_details": {"reason": "max_output_tokens"},
                },
            },
        ),
        ModelMessage(
            reasoning="ab",
            refusal="No.",
            tool_calls=(ModelToolCall("f", "{}"), ModelToolCall("g", "x")),
            model="m",
            finish_reason="max_output_tokens",
            dialect="openai-responses",
        ),
    ),
    "responses: all of it in the last event": (
        SSE,
        typed(
            {
                "type": "response.completed",
                "response": {
                    "status": "completed",
                    "output": [
                        {"type": "reasoning", "summary": [{"text": "a"}]},
                        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
                    ],
                },
            }
        ),
        ModelMessage("Hi", "a", finish_reason="completed", dialect="openai-responses"),
    ),
    "responses: a failure": (
        SSE,
        typed(
            {
                "type": "response.failed",
                "response": {"status": "failed", "error": {"code": "x", "message": "Broken."}},
            }
        ),
        ModelMessage(error="Broken.", finish_reason="failed", dialect="openai-responses"),
    ),
    "runs: a tool call": (
        SSE,
        b"".join(
            event(
                "thread.run.step.delta",
                {
                    "id": "s",
                    "delta": {
                        "step_details": {
                            "tool_calls": [
                                {"index": 0, "type": "function", "function": function},
                                {"index": 1, "type": "code_interpreter", "code_interpreter": code},
                            ]
                        }
                    },
                },
            )
            for function, code in (
                ({"name": "f", "arguments": "{"}, {"input": "1+"}),
                ({"arguments": "}"}, {"input": "1"}),
            )
        ),
        ModelMessage(
            tool_calls=(ModelToolCall("f", "{}"), ModelToolCall("code_interpreter", "1+1")),
            dialect="openai-runs",
        ),
    ),
    "runs: a failure": (
        SSE,
        event(
            "thread.run.failed",
            {"object": "thread.run", "status": "failed", "last_error": {"message": "Broken."}},
        ),
        ModelMessage(finish_reason="failed", error="Broken.", dialect="openai-runs"),
    ),
    "anthropic: thinking and calls": (
        SSE,
        typed(
            {"type": "message_start", "message": {"model": "m"}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "Hm."},
            },
            {
                "type": "content_block_start",
                "index": 1,
                "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": ""},
            },
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": '{"x": 1}'},
            },
            {
                "type": "content_block_start",
                "index": 2,
                "content_block": {"type": "server_tool_use", "name": "g", "input": {"q": "ä"}},
            },
        ),
        ModelMessage(
            reasoning="Hm.",
            tool_calls=(ModelToolCall("f", '{"x": 1}'), ModelToolCall("g", '{"q": "ä"}')),
            model="m",
            dialect="anthropic",
        ),
    ),
    "anthropic: an error": (
        SSE,
        typed(
            {"type": "message_start", "message": {"model": "m"}},
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ),
        ModelMessage(model="m", error="Overloaded", dialect="anthropic"),
    ),
    "gemini: thoughts and calls": (
        SSE,
        data(
            {"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}]}}]},
            {
                "candidates": [
                    {
                        "content": {
                            "parts": [
                                {"functionCall": {"name": "f", "args": {"x": 1}}},
                                {"functionCall": {"name": "f"}},
                            ]
                        }
                    },
                    {"index": 1, "content": {"parts": [{"text": "Bye"}]}},
                ]
            },
        ),
        ModelMessage(
            reasoning="Hm.",
            tool_calls=(ModelToolCall("f", '{"x": 1}'), ModelToolCall("f", "{}")),
            dialect="gemini",
        ),
    ),
    "gemini: a blocked prompt": (
        SSE,
        data({"promptFeedback": {"blockReason": "SAFETY"}}),
        ModelMessage(finish_reason="SAFETY", dialect="gemini"),
    ),
    "interactions: a thought and a call": (
        SSE,
        b"".join(
            [
                event(
                    "step.delta",
                    {
                        "event_type": "step.delta",
                        "delta": {"type": "thought_summary", "content": {"text": "Hm."}},
                    },
                ),
                event(
                    "step.start",
                    {
                        "event_type": "step.start",
                        "index": 1,
                        "step": {"type": "function_call", "name": "f", "arguments": {"x": 1}},
                    },
                ),
            ]
        ),
        ModelMessage(
            reasoning="Hm.",
            tool_calls=(ModelToolCall("f", '{"x": 1}'),),
            dialect="gemini-interactions",
        ),
    ),
    "cohere: a plan, thinking and a call": (
        SSE,
        typed(
            {"type": "message-start", "delta": {"message": {}}},
            {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will. "}}},
            {"type": "content-delta", "delta": {"message": {"content": {"thinking": "Hm."}}}},
            {
                "type": "tool-call-start",
                "index": 0,
                "delta": {
                    "message": {
                        "tool_calls": {"id": "t", "function": {"name": "f", "arguments": "{"}}
                    }
                },
            },
            {
                "type": "tool-call-delta",
                "index": 0,
                "delta": {"message": {"tool_calls": {"function": {"arguments": "}"}}}},
            },
        ),
        ModelMessage(
            reasoning="I will. Hm.", tool_calls=(ModelToolCall("f", "{}"),), dialect="cohere"
        ),
    ),
    "ollama: thinking and calls": (
        NDJSON,
        lines(
            {"message": {"content": "", "thinking": "Hm."}, "done": False},
            {
                "message": {
                    "content": "",
                    "tool_calls": [
                        {"function": {"name": "f", "arguments": {"x": 1}}},
                        {"function": {"name": "f", "arguments": {}}},
                    ],
                },
                "done": True,
            },
        ),
        ModelMessage(
            reasoning="Hm.",
            tool_calls=(ModelToolCall("f", '{"x": 1}'), ModelToolCall("f", "{}")),
            dialect="ollama",
        ),
    ),
    "ollama: generate": (
        NDJSON,
        lines(
            {"model": "m", "response": "H", "thinking": "Hm.", "done": False},
            {"model": "m", "response": "i", "done": True, "prompt_eval_count": 1},
        ),
        ModelMessage("Hi", "Hm.", model="m", usage={"prompt_eval_count": 1}, dialect="ollama"),
    ),
    "ollama: an error": (
        NDJSON,
        lines({"message": {"content": "Hi"}, "done": False}, {"error": "out of memory"}),
        ModelMessage("Hi", error="out of memory", dialect="ollama"),
    ),
    "unknown: nothing is made up": (SSE, data({"value": "Hi"}), ModelMessage()),
    "unknown: an error": (SSE, event("error", "Overloaded"), ModelMessage(error="Overloaded")),
    "unknown: an error without words": (
        SSE,
        event("error", {"code": 1}),
        ModelMessage(error='{"code": 1}'),
    ),
    "nothing": (None, b"", ModelMessage()),
}


@pytest.mark.parametrize("what", STREAMS)
def test_a_stream_says(what: str) -> None:
    content_type, body, expected = STREAMS[what]
    assert read_message(content_type, body) == expected


ANSWERS: dict[str, tuple[object, ModelMessage]] = {
    "chat": (
        {
            "object": "chat.completion",
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {
                        "content": "Hi",
                        "reasoning_content": "Hm.",
                        "refusal": None,
                        "tool_calls": [
                            {"id": "a", "function": {"name": "f", "arguments": "{}"}},
                            {"id": "b", "custom": {"name": "g", "input": "x"}},
                        ],
                    },
                },
                {"index": 1, "message": {"content": "Bye"}},
            ],
            "usage": {"total_tokens": 3},
        },
        ModelMessage(
            "Hi",
            "Hm.",
            (ModelToolCall("f", "{}"), ModelToolCall("g", "x")),
            model="m",
            usage={"total_tokens": 3},
            finish_reason="tool_calls",
            dialect="openai-chat",
        ),
    ),
    "responses": (
        {
            "object": "response",
            "model": "m",
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [], "content": [{"text": "Hm."}]},
                {
                    "type": "message",
                    "content": [
                        {"type": "output_text", "text": "Hi"},
                        {"type": "refusal", "refusal": "No."},
                    ],
                },
                {"type": "function_call", "name": "f", "arguments": "{}"},
            ],
            "usage": {"total_tokens": 3},
            "error": None,
        },
        ModelMessage(
            "Hi",
            "Hm.",
            (ModelToolCall("f", "{}"),),
            refusal="No.",
            model="m",
            usage={"total_tokens": 3},
            finish_reason="completed",
            dialect="openai-responses",
        ),
    ),
    "anthropic": (
        {
            "type": "message",
            "model": "m",
            "content": [
                {"type": "thinking", "thinking": "Hm."},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}},
            ],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 1},
        },
        ModelMessage(
            "Hi",
            "Hm.",
            (ModelToolCall("f", '{"x": 1}'),),
            model="m",
            usage={"input_tokens": 1},
            finish_reason="tool_use",
            dialect="anthropic",
        ),
    ),
    "anthropic, of old": (
        {"completion": "Hi", "stop_reason": "stop_sequence", "model": "m"},
        ModelMessage("Hi", model="m", finish_reason="stop_sequence", dialect="anthropic-complete"),
    ),
    "gemini": (
        {
            "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
            "modelVersion": "m",
        },
        ModelMessage("Hi", model="m", finish_reason="STOP", dialect="gemini"),
    ),
    "gemini, a list of answers": (
        [
            {"candidates": [{"content": {"parts": [{"text": "H"}]}}]},
            {"candidates": [{"content": {"parts": [{"text": "i"}]}, "finishReason": "STOP"}]},
        ],
        ModelMessage("Hi", finish_reason="STOP", dialect="gemini"),
    ),
    "cohere": (
        {
            "id": "c",
            "finish_reason": "COMPLETE",
            "message": {
                "tool_plan": "I will. ",
                "content": [
                    {"type": "thinking", "thinking": "Hm."},
                    {"type": "text", "text": "Hi"},
                ],
                "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}],
            },
            "usage": {"out": 2},
        },
        ModelMessage(
            "Hi",
            "I will. Hm.",
            (ModelToolCall("f", "{}"),),
            usage={"out": 2},
            finish_reason="COMPLETE",
            dialect="cohere",
        ),
    ),
    "ollama": (
        {"model": "m", "message": {"content": "Hi"}, "done": True, "done_reason": "stop"},
        ModelMessage("Hi", model="m", finish_reason="stop", dialect="ollama"),
    ),
    "openai's error": (
        {"error": {"message": "Bad key.", "type": "invalid_request_error"}},
        ModelMessage(error="Bad key."),
    ),
    "anthropic's error": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ModelMessage(error="Overloaded"),
    ),
    "gemini's error in a list": (
        [{"error": {"code": 404, "message": "No such model."}}],
        ModelMessage(error="No such model."),
    ),
    "mistral's error": (
        {"object": "error", "message": "Unauthorized"},
        ModelMessage(error="Unauthorized"),
    ),
    "an error within an error": (
        {"error": {"error": {"message": "Inner."}}},
        ModelMessage(error="Inner."),
    ),
    "embeddings": (
        {"object": "list", "data": [], "model": "m", "usage": {"total_tokens": 3}},
        ModelMessage(model="m", usage={"total_tokens": 3}),
    ),
    "no object": ("Hi", ModelMessage()),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_at_once_says(what: str) -> None:
    answer, expected = ANSWERS[what]
    assert read_message("application/json", json.dumps(answer, indent=1).encode()) == expected
    assert read_message("application/json; charset=utf-8", json.dumps(answer).encode()) == expected


def test_json_sent_as_a_stream_says_its_error() -> None:
    assert read_message(SSE, b'{\n "error": {"code": 404, "message": "No."}}').error == "No."
