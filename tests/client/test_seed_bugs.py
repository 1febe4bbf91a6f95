"""What the seed's own client gets wrong, each by its name, and that this one does not."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aquila_cassette.client import Chunk, Client, Done, Error, Reasoning, ToolCall, collector
from aquila_cassette.errors import StreamError
from tests.client.talk import answering, sse
from tests.client.test_tools import calling, results
from tests.servers import CHAT_FRAMES, RESPONSES_FRAMES

CHAT = b"".join(CHAT_FRAMES)


def chunk(content: str | None = None, reason: str | None = None, **more: Any) -> str:
    delta = {"content": content} if content is not None else {}
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more})


def events_of(*bodies: bytes, **options: Any) -> list[Any]:
    content_type = options.pop("content_type", "text/event-stream")
    http = answering(*bodies, content_type=content_type)
    return list(Client(http, model="gpt-4o-mini").stream("Hi", **options))


def test_a_chunk_equal_to_all_text_so_far_is_not_dropped() -> None:
    body = sse(chunk("ha"), chunk("ha"), chunk("haha"), chunk("!", "stop"), "[DONE]")
    assert events_of(body)[-1].text == "hahahaha!"


def test_the_text_of_a_tool_round_is_not_doubled() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "now", "arguments": "{}"}}
    delta = {"content": "Let me see. ", "tool_calls": [call]}
    first = sse(json.dumps({"choices": [{"delta": delta, "finish_reason": "tool_calls"}]}))

    def now() -> str:
        return "noon"

    *events, done = events_of(first, CHAT, tools=[now])
    assert done.text == "Let me see. Hello, wörld"
    assert "".join(event.text for event in events if isinstance(event, Chunk)) == done.text


@pytest.mark.parametrize(
    ("endpoint", "body", "kind", "reason"),
    [
        (
            "responses",
            sse('{"type": "response.failed", "response": {"error": {"message": "Broken."}}}'),
            "provider",
            "Broken.",
        ),
        (
            "responses",
            sse(
                '{"type": "response.incomplete", "response": '
                '{"incomplete_details": {"reason": "max_output_tokens"}}}'
            ),
            "incomplete",
            "The answer is incomplete: max_output_tokens",
        ),
        ("chat", sse(chunk("Hel"), '{"error": {"message": "Broken."}}'), "provider", "Broken."),
        ("chat", b'{"error": {"message": "Broken."}}', "provider", "Broken."),
        ("chat", CHAT_FRAMES[0], "cut", "The stream ended before data: [DONE]."),
        (
            "responses",
            b"".join(RESPONSES_FRAMES[:-1]),
            "cut",
            "The stream ended before response.completed, response.incomplete or response.failed.",
        ),
    ],
)
def test_what_is_no_completion_does_not_become_completed(
    endpoint: str, body: bytes, kind: str, reason: str
) -> None:
    error = events_of(body, endpoint=endpoint)[-1]
    assert isinstance(error, Error)
    assert (error.kind, error.reason, error.meta.status) == (kind, reason, kind)


def test_a_usage_of_null_does_not_crash() -> None:
    body = sse(chunk("Hi", usage=None), chunk(None, "stop", usage=None), "[DONE]")
    done = events_of(body)[-1]
    assert isinstance(done, Done)
    assert done.meta.usage == {}


def test_the_usage_of_no_round_is_lost() -> None:
    def counted(body: bytes, count: int) -> bytes:
        usage = {"total_tokens": count, "details": {"cached": 1}}
        return sse(json.dumps({"choices": [], "usage": usage})) + body

    def now() -> str:
        return "noon"

    calls = [counted(calling(("now", "{}")), count) for count in (10, 100)]
    done = events_of(*calls, counted(CHAT, 1000), tools=[now])[-1]
    assert done.meta.usage == {"total_tokens": 1110, "details": {"cached": 3}}


def test_a_json_answer_to_a_streaming_request_does_not_give_empty_text() -> None:
    body = b'{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'
    assert events_of(body, content_type="application/json")[-1].text == "Hello"


def test_neither_refusals_nor_reasoning_are_lost() -> None:
    refusing = {"choices": [{"delta": {"reasoning": "Hm.", "refusal": "I won't."}}]}
    thought, error = events_of(sse(json.dumps(refusing), chunk(None, "stop"), "[DONE]"))
    assert isinstance(thought, Reasoning)
    assert thought.text == "Hm."
    assert (error.kind, error.reason) == ("refusal", "I won't.")


def test_several_choices_are_not_mixed() -> None:
    both = [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]
    body = sse(json.dumps({"choices": both}), chunk("A", "stop"), "[DONE]")
    assert events_of(body)[-1].text == "AA"


def test_arguments_in_the_first_frame_of_a_call_are_not_lost() -> None:
    def weather(city: str) -> str:
        return city

    function = {"name": "weather", "arguments": '{"city": '}
    first = {"tool_calls": [{"index": 0, "id": "1", "function": function}]}
    rest = {"tool_calls": [{"index": 0, "function": {"arguments": '"Lund"}'}}]}
    body = sse(*(json.dumps({"choices": [{"delta": delta}]}) for delta in (first, rest)), "[DONE]")
    called = [one for one in events_of(body, CHAT, tools=[weather]) if isinstance(one, ToolCall)]
    assert [one.arguments for one in called] == ['{"city": "Lund"}'] * 2
    assert called[1].result == "Lund"


def test_invalid_arguments_do_not_become_an_empty_object() -> None:
    ran: list[int] = []

    def count(number: int = 0) -> None:
        ran.append(number)

    (result,), _ = results(("count", '{"number": 1'), tools=[count])
    assert result.result is not None
    assert result.result.endswith(': {"number": 1')
    assert ran == []


def test_one_error_is_told_once() -> None:
    kept = collector()
    body = sse('{"error": {"message": "Broken."}}', '{"error": {"message": "Again."}}', "[DONE]")
    events = events_of(body, sink=kept)
    assert [event.reason for event in events] == ["Broken."]
    assert kept.events == events


@pytest.mark.parametrize("body", [CHAT, b""])
def test_a_second_wait_for_the_same_stream_returns_at_once(body: bytes) -> None:
    stream = Client(answering(body), model="m").stream("Hi")
    for _ in range(2):
        if body:
            assert stream.result().text == "Hello, wörld"
        else:
            with pytest.raises(StreamError):
                stream.result()


def test_results_of_parallel_calls_come_back_in_the_order_of_the_calls_in_one_message() -> None:
    asked: list[httpx.Request] = []
    names = ["one", "two", "three"]

    def answer(number: int) -> str:
        return str(number)

    calls = [("answer", json.dumps({"number": number})) for number, _ in enumerate(names)]
    http = answering(calling(*calls), CHAT, asked=asked)
    Client(http, model="m").ask("Hi", tools=[answer])
    _, spoken, *told = json.loads(asked[1].content)["messages"]
    assert len(spoken["tool_calls"]) == 3
    assert [one["content"] for one in told] == ["0", "1", "2"]
    assert [one["tool_call_id"] for one in told] == [one["id"] for one in spoken["tool_calls"]]


def test_an_unknown_tool_does_not_kill_the_stream() -> None:
    def known() -> str:
        return "fine"

    done = events_of(calling(("unknown", "{}")), CHAT, tools=[known])[-1]
    assert isinstance(done, Done)


def test_an_unsupported_value_is_not_tried_again() -> None:
    asked: list[httpx.Request] = []
    body = b'{"error": {"message": "Unsupported value: temperature"}}'
    http = answering(body, body, status=400, asked=asked)
    (error,) = Client(http, model="m").stream("Hi")
    assert error.reason == "Unsupported value: temperature"
    assert len(asked) == 1


def test_there_is_a_cancel() -> None:
    with Client(answering(CHAT), model="m").stream("Hi") as stream:
        next(iter(stream))
        stream.cancel()
    assert list(stream)[-1].reason == "The stream was cancelled."
