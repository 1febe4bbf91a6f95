from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from .asking import ESSAY, HELLO, WEATHER, WEATHER_ARGUMENTS, WEATHER_SCHEMA, full

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.provider import Provider

TOOL: Any = {"type": "function", "name": "get_weather", "parameters": WEATHER_SCHEMA}
OTHER: Any = {"type": "function", "name": "get_time", "parameters": {}}

# Sent by the real one too, but not declared by the SDK.
UNDECLARED = ("store", "frequency_penalty", "presence_penalty", "obfuscation")


@pytest.fixture(scope="module")
def sdk(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=f"{provider.url}/v1", max_retries=0) as sdk:
        yield sdk


def asking(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "input": prompt, **more}


def test_an_answer_is_a_full_response(sdk: openai.OpenAI) -> None:
    answer = full(
        sdk.responses.create(**asking(HELLO, instructions="Be kind.")), unknown=UNDECLARED
    )
    assert answer.output_text.startswith("Hello! ")
    assert answer.status == "completed"
    assert answer.instructions == "Be kind."
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_a_stream_has_every_event_in_order_and_numbered(sdk: openai.OpenAI) -> None:
    whole = sdk.responses.create(**asking(ESSAY))
    events: list[Any] = [
        full(event, unknown=UNDECLARED)
        for event in sdk.responses.create(**asking(ESSAY), stream=True)
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert [event.type for event in events if event not in deltas] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[4 : 4 + len(deltas)] == deltas
    assert len(deltas) == whole.usage.output_tokens
    assert "".join(event.delta for event in deltas) == whole.output_text
    assert events[-1].response.output_text == whole.output_text
    assert events[-1].response.usage == whole.usage


def test_a_tool_call_is_streamed_in_pieces(sdk: openai.OpenAI) -> None:
    ask = asking(WEATHER, tools=[OTHER, TOOL])
    with sdk.responses.stream(**ask) as stream:
        types = [event.type for event in stream]
        (item,) = stream.get_final_response().output
    assert types.count("response.function_call_arguments.delta") > 5
    assert item.type == "function_call"
    assert (item.name, item.status) == ("get_weather", "completed")
    assert json.loads(item.arguments) == WEATHER_ARGUMENTS
    for event in sdk.responses.create(**ask, stream=True):
        full(event, unknown=UNDECLARED)


def test_a_tool_call_comes_whole_too(sdk: openai.OpenAI) -> None:
    answer = full(sdk.responses.create(**asking(WEATHER, tools=[TOOL])), unknown=UNDECLARED)
    assert json.loads(answer.output[0].arguments) == WEATHER_ARGUMENTS
    assert answer.tools[0].strict is True


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", ["message"]),
        ("required", ["get_time"]),
        ({"type": "function", "name": "get_weather"}, ["get_weather"]),
    ],
)
def test_a_tool_choice_is_heeded(sdk: openai.OpenAI, choice: Any, called: list[str]) -> None:
    answer = sdk.responses.create(**asking(HELLO, tools=[OTHER, TOOL], tool_choice=choice))
    assert [getattr(item, "name", item.type) for item in answer.output] == called


def test_what_a_tool_gave_back_is_used_in_the_answer(sdk: openai.OpenAI) -> None:
    call: Any = sdk.responses.create(**asking(WEATHER, tools=[TOOL])).output[0]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "41 °F, rain"}
    turns: Any = [{"role": "user", "content": WEATHER}, call.to_dict(), result]
    answer = sdk.responses.create(model="gpt-4o-mini", input=turns, tools=[TOOL])
    assert answer.output_text.startswith("I asked get_weather: 41 °F, rain — ")


def test_max_output_tokens_makes_the_response_incomplete(sdk: openai.OpenAI) -> None:
    events: list[Any] = list(
        sdk.responses.create(**asking(ESSAY, max_output_tokens=4), stream=True)
    )
    last = full(events[-1], unknown=UNDECLARED)
    assert last.type == "response.incomplete"
    assert last.response.status == "incomplete"
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert last.response.output_text == "Let me begin with"


async def test_the_async_client_gets_the_same_objects(
    provider: Provider, sdk: openai.OpenAI
) -> None:
    ask = asking(ESSAY)
    async with openai.AsyncOpenAI(
        api_key="k", base_url=f"{provider.url}/v1", max_retries=0
    ) as other:
        assert await other.responses.create(**ask) == sdk.responses.create(**ask)
        stream = await other.responses.create(**ask, stream=True)
        assert [e async for e in stream] == list(sdk.responses.create(**ask, stream=True))


def test_a_request_without_input_is_refused_with_400(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'input'"):
        sdk.responses.create(model="gpt-4o-mini", input=[])
