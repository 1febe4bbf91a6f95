"""No bytes whatever make a dialect raise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.dialects.reading import ending, read_message, recognise
from tests.dialects.streams import NDJSON, SSE

EVENTSTREAM = "application/vnd.amazon.eventstream"
content_types = st.sampled_from([None, "", SSE, NDJSON, EVENTSTREAM, "application/json", "other"])

NAME_LIST = """
    type object event_type event choices candidates delta message content content_block index
    output_index item response output status usage usageMetadata model modelVersion finish_reason
    finishReason stop_reason done done_reason error tool_calls function name arguments input parts
    text thought thinking functionCall args promptFeedback blockReason completion step interaction
    reasoning reasoning_details summary refusal id last_error step_details tool_plan partial_json
    x_groq function_call
"""
WORD_LIST = """
    stop response.completed response.output_item.done response.function_call_arguments.delta
    message_start message_delta content_block_start content_block_delta message-end tool-call-start
    step.delta step.start function_call tool_use text reasoning error chat.completion.chunk
    thread.run completion
"""
NAMES, WORDS = NAME_LIST.split(), ["", "\ud83d", *WORD_LIST.split()]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)
events = st.sampled_from(
    ["message", "error", "done", "thread.run.step.delta", "thread.message.delta", "response.x"]
)


def ask_everything(content_type: str | None, body: bytes) -> None:
    dialect = recognise(content_type, body)
    found = ending(content_type, body)
    message = read_message(content_type, body)
    assert found.complete_at_eof or not found.terminal
    assert found.dialect == (dialect.name if dialect else None)
    assert dialect is None or message.dialect == dialect.name
    (message.text + message.reasoning + message.refusal + repr(message.tool_calls)).encode()


@given(content_types, st.binary(max_size=200))
def test_no_bytes_make_it_raise(content_type: str | None, body: bytes) -> None:
    ask_everything(content_type, body)


@given(content_types, st.lists(st.tuples(events, objects), max_size=4))
def test_no_events_of_known_fields_make_it_raise(
    content_type: str | None, given_events: list[tuple[str, dict[str, Any]]]
) -> None:
    sse = "".join(f"event: {name}\ndata: {json.dumps(value)}\n\n" for name, value in given_events)
    ask_everything(content_type, sse.encode())
    lines = "".join(json.dumps(value) + "\n" for _, value in given_events)
    ask_everything(content_type, lines.encode())
    ask_everything(content_type, json.dumps([value for _, value in given_events]).encode())


HOSTILE = [
    b"[" * 100_000,
    b'{"error":' * 100_000,
    b'{"error":' * 700 + b"1" + b"}" * 700,
    b'{"choices":[' * 400 + b"1" + b"]}" * 400,
    b'{"choices": [{"index": ' + b"9" * 10_000 + b"}]}",
    b'{"choices": [{"index": NaN, "delta": Infinity}]}',
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_json_makes_it_raise_neither(text: bytes) -> None:
    for content_type in (None, SSE, NDJSON):
        ask_everything(content_type, text)
        ask_everything(content_type, b"event: error\ndata: " + text + b"\n\n")
        ask_everything(content_type, text + b"\n" + text + b"\n")
