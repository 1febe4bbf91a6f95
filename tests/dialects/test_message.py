"""What the model wrote, streamed or at once, word for word; and when it came."""

import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.dialects.message import ModelMessage, ModelToolCall, TimedText
from aquila_cassette.dialects.reading import ending, read_message, timeline_text
from tests.dialects.streams import ANSWERS, SSE, chunk, data, stream, typed


def expected(name: str) -> ModelMessage:
    says = dict(ANSWERS[name]["says"])
    calls = tuple(ModelToolCall(*call) for call in says.pop("tool_calls", ()))
    return ModelMessage(**says, tool_calls=calls)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_says(name: str) -> None:
    content_type, body = stream(name)
    assert read_message(content_type, body) == expected(name)
    if content_type == "application/json":
        indented = json.dumps(json.loads(body), indent=1).encode()
        assert read_message(f"{content_type}; charset=utf-8", indented) == expected(name)


def test_a_line_that_begins_with_error_says_the_error_and_is_the_end() -> None:
    body = b'data: {"object":"chat.completion.chunk","choices":[]}\n\nerror: {"error":{"message":"No."}}'
    for rest in (b"", b"\n\n"):
        assert read_message(SSE, body + rest).error == "No."
        assert ending(SSE, body + rest).terminal


def test_json_sent_as_a_stream_says_its_error() -> None:
    assert read_message(SSE, b'{\n "error": {"code": 404, "message": "No."}}').error == "No."


def assert_the_timeline_is_the_message(content_type: str | None, pieces: list[bytes]) -> None:
    message = read_message(content_type, b"".join(pieces))
    texts: defaultdict[tuple[int, str, str], str] = defaultdict(str)
    added = timeline_text(content_type, pieces)
    names = {one.part: one.name for one in added}
    for one in added:
        texts[one.part, one.kind, names[one.part]] += one.text
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for _, kind, name in sorted(texts):
        text = texts[_, kind, name].encode("utf-16-le", "surrogatepass")
        found[kind].append((name, text.decode("utf-16-le", "replace")))
    said = {"words": message.text, "thought": message.reasoning, "refusal": message.refusal}
    for kind, whole in said.items():
        assert "".join(text for _, text in found[kind]) == whole
    assert found["call"] == [(call.name, call.arguments) for call in message.tool_calls]
    assert [text for _, text in found["error"]][-1:] == [message.error] * bool(message.error)


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_however_an_answer_is_cut_its_timeline_is_its_message(name: str, draw: Any) -> None:
    content_type, body = stream(name)
    edges = sorted(draw.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in pairwise([0, *edges, len(body)])]
    assert_the_timeline_is_the_message(content_type, pieces)


def test_a_text_comes_with_the_piece_that_ends_its_event() -> None:
    body = data(chunk({"content": "Hel"}), chunk({"content": "lo"}))
    middle = body.index(b"\n\n")
    cut = [body[:9], body[9:middle], body[middle : middle + 2], body[middle + 2 :]]
    assert timeline_text(SSE, cut) == [
        TimedText(2, 0, "words", "", "Hel"),
        TimedText(3, 0, "words", "", "lo"),
    ]


def test_parts_are_in_the_order_in_which_they_began() -> None:
    block = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
    body = typed(
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "Hm."}},
        {"type": "content_block_delta", "index": 1, "delta": {"text": "Let me"}},
        {"type": "content_block_delta", "index": 1, "delta": {"text": " look."}},
        {"type": "content_block_start", "index": 2, "content_block": block},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": '{"at":'}},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": "1}"}},
        {"type": "content_block_delta", "index": 3, "delta": {"text": "So."}},
        {"type": "error", "error": {"message": "Overloaded"}},
    )
    assert [tuple(one)[1:] for one in timeline_text(SSE, [body])] == [
        (0, "thought", "", "Hm."),
        (1, "words", "", "Let me"),
        (1, "words", "", " look."),
        (2, "call", "look", ""),
        (2, "call", "look", '{"at":'),
        (2, "call", "look", "1}"),
        (3, "words", "", "So."),
        (4, "error", "", "Overloaded"),
    ]


@pytest.mark.parametrize(
    ("whole", "last"), [('{"a":1}', ":1}"), ('{"a":1,"b":2}', '{"a":1,"b":2}'), ("", ":1}")]
)
def test_the_whole_of_a_call_counts_more_than_its_chunks(whole: str, last: str) -> None:
    item = {"type": "function_call", "call_id": "c", "name": "f"}
    delta = "response.function_call_arguments.delta"
    body = typed(
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": delta, "output_index": 0, "delta": '{"a"'},
        {"type": delta, "output_index": 0, "delta": ":1}"},
        {"type": "response.output_item.done", "item": {**item, "arguments": whole}},
    )
    assert_the_timeline_is_the_message(SSE, [body])
    assert [one.text for one in timeline_text(SSE, [body]) if one.text][-1] == last


def test_an_answer_that_is_one_json_comes_whole_with_its_last_piece() -> None:
    body = b'{"choices": [{"message": {"content": "Hello", "reasoning": "Hm."}}]}'
    assert timeline_text("application/json", [body[:5], body[5:]]) == [
        TimedText(1, 0, "thought", "", "Hm."),
        TimedText(1, 1, "words", "", "Hello"),
    ]
