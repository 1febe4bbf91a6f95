"""Each provider's own SDK gets full objects, whole and streamed, with tools and their results."""

from typing import Any

import pytest

from aquila_cassette.provider import Provider

from .sdks import SDKS, Summary, openai_sdk

ESSAY = "Explain how streaming responses cross a network."
WEATHER = "Call get_weather for New York, in fahrenheit, 3 days."
WEATHER_ARGUMENTS = {"city": "New York", "unit": "fahrenheit", "days": 3}
WEATHER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit", "days"],
}
FUNCTIONS = {"get_time": {"type": "object", "properties": {}}, "get_weather": WEATHER_SCHEMA}
STOPPED = {"chat": "stop", "responses": "completed", "messages": "end_turn", "gemini": "STOP"}
CALLED = STOPPED | {"chat": "tool_calls", "messages": "tool_use"}

each_dialect = pytest.mark.parametrize("dialect", SDKS)


def ask(
    provider: Provider, dialect: str, prompt: str, functions: Any = (), *, stream: bool = False
) -> Summary:
    return SDKS[dialect](provider.url, prompt, dict(functions), stream=stream)


@each_dialect
def test_a_stream_says_the_same_as_a_whole_answer_in_many_frames(
    provider: Provider, dialect: str
) -> None:
    whole = ask(provider, dialect, ESSAY)
    stream = ask(provider, dialect, ESSAY, stream=True)
    assert stream[:4] == whole[:4]
    assert "“streaming”" in whole.text
    assert whole.reason == STOPPED[dialect]
    assert len(stream.objects) >= whole.output_tokens > 20


@each_dialect
@pytest.mark.parametrize("stream", [False, True])
def test_functions_that_the_prompt_names_are_called(
    provider: Provider, dialect: str, stream: bool
) -> None:
    answer = ask(provider, dialect, WEATHER, FUNCTIONS, stream=stream)
    assert answer.calls == [("get_weather", WEATHER_ARGUMENTS)]
    assert (answer.text, answer.reason) == ("", CALLED[dialect])
    both = "Ask get_time and get_weather for Rome"
    answer = ask(provider, dialect, both, FUNCTIONS, stream=stream)
    assert [name for name, _ in answer.calls] == ["get_time", "get_weather"]
    assert answer.calls[1][1]["city"] == "Rome"


def test_models_are_listed_and_answers_carry_the_headers_of_real_ones(provider: Provider) -> None:
    sdk = openai_sdk(provider.url)
    assert [model.id for model in sdk.models.list()] == ["gpt-4o-mini", "gpt-4o"]
    answer = sdk.responses.with_raw_response.create(model="m", input="Hi")
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.parse()._request_id == answer.headers["x-request-id"]
