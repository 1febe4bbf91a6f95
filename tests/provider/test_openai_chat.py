from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from .asking import ESSAY, HELLO, WEATHER, WEATHER_ARGUMENTS, WEATHER_SCHEMA, full

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletionChunk

    from aquila_cassette.provider import Provider

TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER_SCHEMA}}
OTHER: Any = {"type": "function", "function": {"name": "get_time", "parameters": {}}}


@pytest.fixture(scope="module")
def sdk(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=f"{provider.url}/v1", max_retries=0) as sdk:
        yield sdk


def asking(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], **more}


def text(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_a_greeting_is_answered_with_hello(sdk: openai.OpenAI) -> None:
    answer = full(sdk.chat.completions.create(**asking(HELLO)))
    assert answer.choices[0].message.content.startswith("Hello! ")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-mini"


def test_a_stream_says_the_same_in_many_chunks_and_stops(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(**asking(ESSAY))
    chunks = [full(c) for c in sdk.chat.completions.create(**asking(ESSAY), stream=True)]
    assert text(chunks) == whole.choices[0].message.content
    assert "“streaming”" in text(chunks)
    assert len(chunks) == whole.usage.completion_tokens + 2
    assert [c.choices[0].finish_reason for c in chunks[-2:]] == [None, "stop"]
    assert chunks[0].choices[0].delta.role == "assistant"


def test_usage_is_streamed_only_when_asked_for(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(**asking(HELLO))
    options: Any = {"include_usage": True}
    *chunks, last = sdk.chat.completions.create(
        **asking(HELLO), stream=True, stream_options=options
    )
    assert [c.usage for c in chunks] == [None] * len(chunks)
    assert full(last).choices == []
    assert last.usage == whole.usage


def test_a_tool_that_the_prompt_names_is_called(sdk: openai.OpenAI) -> None:
    answer = full(sdk.chat.completions.create(**asking(WEATHER, tools=[OTHER, TOOL])))
    (call,) = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == WEATHER_ARGUMENTS


def test_a_tool_call_is_streamed_in_pieces(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.stream(**asking(WEATHER, tools=[OTHER, TOOL])) as stream:
        types = [event.type for event in stream]
        (choice,) = stream.get_final_completion().choices
    assert types.count("tool_calls.function.arguments.delta") > 5
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or []
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == WEATHER_ARGUMENTS


def test_two_tools_that_the_prompt_names_are_called_side_by_side(sdk: openai.OpenAI) -> None:
    prompt = "Ask get_time and get_weather for Rome"
    with sdk.chat.completions.stream(**asking(prompt, tools=[OTHER, TOOL])) as stream:
        message = stream.get_final_completion().choices[0].message
    calls = message.tool_calls or []
    assert [call.function.name for call in calls] == ["get_time", "get_weather"]
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("auto", []),
        ("none", []),
        ("required", ["get_time"]),
        ({"type": "function", "function": {"name": "get_weather"}}, ["get_weather"]),
    ],
)
def test_a_tool_choice_is_heeded(sdk: openai.OpenAI, choice: Any, called: list[str]) -> None:
    answer = sdk.chat.completions.create(**asking(HELLO, tools=[OTHER, TOOL], tool_choice=choice))
    calls = answer.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == called


def test_what_a_tool_gave_back_is_used_in_the_answer(sdk: openai.OpenAI) -> None:
    first = sdk.chat.completions.create(**asking(WEATHER, tools=[TOOL])).choices[0].message
    assert first.tool_calls
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "41 °F, rain"}
    ask = asking(WEATHER, tools=[TOOL])
    ask["messages"] += [first.to_dict(), result]
    answer = text(list(sdk.chat.completions.create(**ask, stream=True)))
    assert answer.startswith("I asked get_weather: 41 °F, rain — ")


def test_max_tokens_cuts_the_answer_for_length(sdk: openai.OpenAI) -> None:
    chunks = list(sdk.chat.completions.create(**asking(ESSAY, max_tokens=4), stream=True))
    whole = sdk.chat.completions.create(**asking(ESSAY, max_completion_tokens=4))
    assert text(chunks) == "Let me begin with" == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "length" == whole.choices[0].finish_reason


async def test_the_async_client_gets_the_same_objects(
    provider: Provider, sdk: openai.OpenAI
) -> None:
    ask = asking(WEATHER, tools=[TOOL])
    async with openai.AsyncOpenAI(
        api_key="k", base_url=f"{provider.url}/v1", max_retries=0
    ) as other:
        assert await other.chat.completions.create(**ask) == sdk.chat.completions.create(**ask)
        stream = await other.chat.completions.create(**ask, stream=True)
        assert [c async for c in stream] == list(sdk.chat.completions.create(**ask, stream=True))


def test_the_models_are_listed(sdk: openai.OpenAI) -> None:
    assert [full(model).id for model in sdk.models.list()] == ["gpt-4o-mini", "gpt-4o"]


def test_an_answer_carries_the_headers_of_the_real_one(sdk: openai.OpenAI) -> None:
    answer = sdk.chat.completions.with_raw_response.create(**asking(HELLO))
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-ratelimit-remaining-requests"] == "9999"
    assert answer.parse()._request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "We could not parse the JSON body of your request."),
        (b"[]", "We could not parse the JSON body of your request."),
        (b'{"model": "m"}', "Missing required parameter: 'messages'."),
        (b'{"messages": [{}]}', "You must provide a model parameter."),
    ],
)
def test_a_request_that_lacks_something_is_refused_with_400(
    sdk: openai.OpenAI, body: bytes, message: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.post("/chat/completions", cast_to=object, content=body)
    assert caught.value.body == {
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
