from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila_cassette.provider import anthropic, gemini, openai_chat, openai_responses
from aquila_cassette.provider.asking import RefusedError
from aquila_cassette.provider.words import respond

from .asking import json_values

if TYPE_CHECKING:
    from aquila_cassette.provider.routes import Dialect

ANY = json_values("name", "text", "role")


def some(*keys: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw an object that has some of these fields, mostly with odd values."""
    return ANY | st.fixed_dictionaries({}, optional=dict.fromkeys(keys, ANY) | known)


FUNCTION = some(
    "name", "description", "parameters", "parametersJsonSchema", "input_schema", "type"
) | some("function", name=st.just("f"), type=st.just("function"), input_schema=st.just({}))
PART = some(
    *("text", "name", "id", "tool_use_id", "content"),
    type=st.sampled_from(["text", "tool_use", "tool_result"]),
    functionResponse=some("name", "response"),
    functionCall=some("name", "args"),
)
TURN = some(
    *("name", "call_id", "tool_call_id", "output", "type", "role"),
    tool_calls=st.lists(some("id", function=FUNCTION), max_size=2),
    content=st.lists(PART, max_size=2) | ANY,
    parts=st.lists(PART, max_size=2),
) | some(
    *("content", "call_id", "tool_call_id", "output", "parts"),
    role=st.sampled_from(["user", "assistant", "tool", "model"]),
    type=st.sampled_from(["function_call", "function_call_output", "message"]),
)
TURNS = st.lists(TURN, min_size=1, max_size=3)
CONFIG = some(
    functionCallingConfig=some("mode", "allowedFunctionNames")
    | some("allowedFunctionNames", mode=st.just("ANY"))
)
BODY = st.fixed_dictionaries(
    {"messages": TURNS, "input": TURNS, "contents": TURNS},
    optional={
        **dict.fromkeys(
            ("model", "stream", "max_completion_tokens", "max_output_tokens", "system", "text"),
            ANY,
        ),
        **dict.fromkeys(("instructions", "reasoning", "metadata", "stream_options"), ANY),
        "max_tokens": st.just(9) | ANY,
        "generationConfig": some("maxOutputTokens"),
        "toolConfig": CONFIG,
        "tool_choice": some("name", "type", "function") | st.sampled_from(["required", "none"]),
        "tools": st.lists(
            FUNCTION | some(functionDeclarations=st.lists(FUNCTION, max_size=2)), max_size=2
        ),
    },
)


@pytest.mark.parametrize("dialect", [openai_chat, openai_responses, anthropic, gemini])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODY)
def test_any_json_is_refused_or_answered(dialect: Dialect, body: dict[str, Any]) -> None:
    try:
        ask = dialect.ask("/v1beta/models/m:streamGenerateContent", body)
    except RefusedError:
        return
    reply = respond(ask)
    json.loads(dialect.whole(ask, reply))
    frames = list(dialect.frames(ask, reply))
    assert sum(frame.token for frame in frames) > 0 or reply.calls
    assert sum(frame.terminal for frame in frames) == 1
    assert list(dialect.breakdown(ask, len(frames)))
