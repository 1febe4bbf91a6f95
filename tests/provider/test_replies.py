"""What the model replies to a prompt, and how it fills a function's arguments."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.dialects.reading import read_message
from aquila_cassette.provider.replies import (
    ParsedRequest,
    encode,
    fill_arguments,
    parse_request,
    reply_to,
    tokens,
)
from aquila_cassette.provider.server import DIALECTS, ProviderDialect

# The names of fields that the parser and the schemas know, and one they do not.
_FIELDS = """
messages input contents content parts text role type name id call_id tool_call_id tool_use_id
tool_calls function functionResponse functionDeclarations response output tools parameters
input_schema properties items enum anyOf max_tokens generationConfig stream other
"""
FIELDS = st.sampled_from(_FIELDS.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | FIELDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=20,
)
BODIES = st.dictionaries(FIELDS, VALUES)


def parsed(prompt: str, *functions: str) -> ParsedRequest:
    tools = [{"name": name, "input_schema": {}} for name in functions]
    turns = [{"role": "user", "content": prompt}]
    return parse_request("/v1/messages", {"model": "m", "messages": turns, "tools": tools})


@given(st.text())
def test_every_prompt_gets_the_same_reply_of_more_than_five_tokens(prompt: str) -> None:
    assert "".join(tokens(prompt)) == prompt
    reply = reply_to(parsed(prompt))
    assert reply.output_tokens > 5
    assert reply_to(parsed(prompt)) == reply


@pytest.mark.parametrize("dialect", DIALECTS)
@given(body=BODIES)
def test_any_json_is_answered_and_a_stream_says_the_same_as_a_whole_answer(
    dialect: ProviderDialect, body: dict[str, Any]
) -> None:
    request = parse_request("/v1beta/models/m:streamGenerateContent", body)
    reply = reply_to(request)
    frames = list(dialect.frames(request, reply))
    assert sum(frame.terminal for frame in frames) == 1
    assert list(dialect.failure(request, len(frames)))
    streamed = read_message("text/event-stream", b"".join(frame.data for frame in frames))
    whole = read_message("application/json", encode(dialect.whole(request, reply)))
    assert (streamed.text, streamed.tool_calls) == (whole.text, whole.tool_calls)
    assert whole.text == reply.text


def test_words_of_the_prompt_are_quoted_and_functions_that_it_names_are_called() -> None:
    assert reply_to(parsed("Say hello")).text.startswith("Hello! ")
    text = reply_to(parsed("Please explain what entropy means for compression")).text
    assert "“entropy”" in text
    assert "“compression”" in text
    assert "explain" not in text
    called = {"use get_weather now": 1, "get weather, please": 1, "forget_weather": 0, "so what": 0}
    for prompt, calls in called.items():
        assert len(reply_to(parsed(prompt, "get_weather")).calls) == calls


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "STRING"}, "New York"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "New York"),
        ({}, "New York"),
        ({"enum": ["hot", "cold"]}, "cold"),
        ({"type": "number"}, 12),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "integer"}}, [12]),
    ],
)
def test_arguments_fit_the_schema_and_come_from_the_prompt(schema: Any, value: Any) -> None:
    whole = {"type": "object", "properties": {"x": schema}}
    assert fill_arguments(whole, "Is it cold in New York or in Rome at 12?") == {"x": value}
