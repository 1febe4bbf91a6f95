from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from .asking import ESSAY, HELLO, WEATHER, WEATHER_ARGUMENTS, WEATHER_SCHEMA, full

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from aquila_cassette.provider import Provider

TOOL: Any = {"name": "get_weather", "input_schema": WEATHER_SCHEMA}
OTHER: Any = {"name": "get_time", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def sdk(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k", base_url=provider.url, max_retries=0) as sdk:
        yield sdk


def asking(prompt: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "claude-sonnet-5-5", "max_tokens": 200, "messages": messages, **more}


def test_an_answer_is_a_full_message(sdk: anthropic.Anthropic) -> None:
    answer = full(sdk.messages.create(**asking(HELLO)))
    assert answer.content[0].text.startswith("Hello! ")
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 5


def test_a_stream_has_every_event_in_order(sdk: anthropic.Anthropic) -> None:
    whole = sdk.messages.create(**asking(ESSAY))
    events: list[Any] = [full(e) for e in sdk.messages.create(**asking(ESSAY), stream=True)]
    deltas = [event for event in events if event.type == "content_block_delta"]
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * whole.usage.output_tokens,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert "".join(event.delta.text for event in deltas) == whole.content[0].text
    assert events[-2].usage.output_tokens == whole.usage.output_tokens


def test_a_ping_comes_before_the_first_word(provider: Provider, http: httpx.Client) -> None:
    ask = asking(HELLO, stream=True)
    body = http.post(f"{provider.url}/v1/messages", json=ask).text
    types = [line.removeprefix("event: ") for line in body.split("\n") if line[:6] == "event:"]
    assert types[:4] == ["message_start", "content_block_start", "ping", "content_block_delta"]
    assert types[-1] == "message_stop"


def test_a_tool_call_is_streamed_in_pieces(sdk: anthropic.Anthropic) -> None:
    with sdk.messages.stream(**asking(WEATHER, tools=[OTHER, TOOL])) as stream:
        types = [event.type for event in stream]
        message = full(stream.get_final_message())
    assert types.count("input_json") > 5
    assert message.stop_reason == "tool_use"
    (block,) = message.content
    assert (block.name, block.input) == ("get_weather", WEATHER_ARGUMENTS)


def test_a_tool_call_comes_whole_too(sdk: anthropic.Anthropic) -> None:
    answer = full(sdk.messages.create(**asking(WEATHER, tools=[TOOL])))
    assert answer.content[0].input == WEATHER_ARGUMENTS


def test_two_calls_are_streamed_as_two_blocks(sdk: anthropic.Anthropic) -> None:
    with sdk.messages.stream(
        **asking("Ask get_time and get_weather for Rome", tools=[OTHER, TOOL])
    ) as stream:
        message: Any = stream.get_final_message()
    assert [block.name for block in message.content] == ["get_time", "get_weather"]
    assert message.content[1].input["city"] == "Rome"


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"type": "auto"}, "end_turn"),
        ({"type": "none"}, "end_turn"),
        ({"type": "any"}, "tool_use"),
        ({"type": "tool", "name": "get_weather"}, "tool_use"),
    ],
)
def test_a_tool_choice_is_heeded(sdk: anthropic.Anthropic, choice: Any, reason: str) -> None:
    answer = sdk.messages.create(**asking(HELLO, tools=[TOOL], tool_choice=choice))
    assert answer.stop_reason == reason


def test_what_a_tool_gave_back_is_used_in_the_answer(sdk: anthropic.Anthropic) -> None:
    first: Any = sdk.messages.create(**asking(WEATHER, tools=[TOOL]))
    (block,) = first.content
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "41 °F, rain"}
    ask = asking(WEATHER, tools=[TOOL])
    ask["messages"] += [
        {"role": "assistant", "content": [block.to_dict()]},
        {"role": "user", "content": [result]},
    ]
    with sdk.messages.stream(**ask) as stream:
        assert stream.get_final_text().startswith("I asked get_weather: 41 °F, rain — ")


def test_max_tokens_cuts_the_answer(sdk: anthropic.Anthropic) -> None:
    answer: Any = sdk.messages.create(**asking(ESSAY) | {"max_tokens": 4})
    assert answer.stop_reason == "max_tokens"
    assert answer.content[0].text == "Let me begin with"


async def test_the_async_client_gets_the_same_objects(
    provider: Provider, sdk: anthropic.Anthropic
) -> None:
    ask = asking(WEATHER, tools=[TOOL])
    async with anthropic.AsyncAnthropic(api_key="k", base_url=provider.url, max_retries=0) as other:
        assert await other.messages.create(**ask) == sdk.messages.create(**ask)
        stream = await other.messages.create(**ask, stream=True)
        assert [e async for e in stream] == list(sdk.messages.create(**ask, stream=True))


def test_the_models_are_listed(sdk: anthropic.Anthropic) -> None:
    models = [full(model).id for model in sdk.models.list()]
    assert models == ["claude-sonnet-5-5", "claude-haiku-5-5"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"messages": []}, "messages: at least one message is required"),
        ({"max_tokens": 0}, "max_tokens: Field required"),
    ],
)
def test_a_request_that_lacks_something_is_refused_with_400(
    sdk: anthropic.Anthropic, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        sdk.messages.create(**asking(HELLO) | wrong)
    assert caught.value.body == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": message},
        "request_id": caught.value.request_id,
    }
