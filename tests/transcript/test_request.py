import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette import Request
from aquila_cassette.transcript.request_text import RequestSummary, summarize_request

URL = "https://models.example/v1/ask"


def read(body: Any, url: str = URL) -> RequestSummary:
    return summarize_request(Request("POST", url, body=json.dumps(body).encode()))


CONVERSATIONS = yaml.safe_load(Path(__file__).with_name("conversations.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_read_in_its_order(name: str) -> None:
    conversation = CONVERSATIONS[name]
    summary = read(conversation["body"])
    assert [list(turn) for turn in summary.turns] == conversation["turns"]
    assert summary.rest == {}


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([{"type": "function", "function": {"name": "now"}}], ["now"]),
        ([{"name": "look", "input_schema": {"properties": {"at": {}, "far": {}},
                                            "required": ["at"]}}], ["look(at, far?)"]),
        ([{"functionDeclarations": [{"name": "a", "parameters": {"properties": {}}}]},
          {"name": "b"}], ["a()", "b"]),
        ([{"type": "web_search"}], ['{"type": "web_search"}']),
        ({"name": "alone"}, ["alone"]),
        (None, []),
    ],
)  # fmt: skip
def test_tools_are_shown_as_signatures(tools: Any, expected: list[str]) -> None:
    assert list(read({"tools": tools}).tools) == expected


def test_what_is_no_conversation_is_left_as_it_is() -> None:
    assert read({"model": "m", "input": "x", "dimensions": 8}).rest == {"dimensions": 8}
    assert read({"model": 3}) == RequestSummary(rest={"model": 3})
    assert read([1, 2]) == RequestSummary(rest=[1, 2])


def test_the_model_may_be_in_the_path() -> None:
    url = "https://x.example/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert summarize_request(Request("POST", url)).model == "gemini-2.5-flash"
    assert read({"prompt": "x"}, url).model == "gemini-2.5-flash"


def test_a_body_that_is_no_json_is_shown_as_text_or_named() -> None:
    form = Request("POST", URL, body=b"a=1&b=2")
    file = Request("POST", URL, (("content-type", "audio/wav"),), b"\xff" * 10)
    assert summarize_request(form) == RequestSummary(other="a=1&b=2")
    assert summarize_request(file) == RequestSummary(other="[10 B of audio/wav]")
    assert summarize_request(Request("GET", URL)) == RequestSummary()


names = st.sampled_from(
    ["role", "type", "text", "content", "parts", "messages", "input", "tools", "name", "function"]
)
odd = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "user", "tool", "thinking", "tool_use"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(odd)
def test_no_request_is_too_odd_to_be_read(body: Any) -> None:
    assert all(isinstance(turn.text, str) for turn in read(body).turns)
