from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google import genai
from google.genai import types

from .asking import ESSAY, HELLO, WEATHER, WEATHER_ARGUMENTS, WEATHER_SCHEMA, full

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from aquila_cassette.provider import Provider

MODEL = "gemini-2.5-flash"


def client(provider: Provider) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=provider.url))


@pytest.fixture(scope="module")
def sdk(provider: Provider) -> Iterator[genai.Client]:
    with client(provider) as sdk:
        yield sdk


def config(*names: str, **more: Any) -> types.GenerateContentConfig:
    declarations = [
        types.FunctionDeclaration(name=name, parameters_json_schema=WEATHER_SCHEMA)
        for name in names
    ]
    tools: Any = [types.Tool(function_declarations=declarations)] if names else None
    return types.GenerateContentConfig(tools=tools, **more)


def test_an_answer_is_a_full_response(sdk: genai.Client) -> None:
    answer = full(sdk.models.generate_content(model=MODEL, contents=HELLO))
    assert answer.text.startswith("Hello! ")
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.model_version == MODEL


def test_a_stream_says_the_same_in_many_chunks_and_stops(sdk: genai.Client) -> None:
    whole = sdk.models.generate_content(model=MODEL, contents=ESSAY)
    chunks = [full(c) for c in sdk.models.generate_content_stream(model=MODEL, contents=ESSAY)]
    assert "".join(chunk.text for chunk in chunks) == whole.text
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + [types.FinishReason.STOP]
    assert chunks[-1].usage_metadata == whole.usage_metadata


def test_frames_end_in_crlf(provider: Provider, http: httpx.Client) -> None:
    url = f"{provider.url}/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
    body = http.post(url, json={"contents": [{"parts": [{"text": HELLO}]}]})
    assert body.content.count(b"\n") == body.content.count(b"\r\n") > 10
    assert body.content.endswith(b"}\r\n\r\n")


def test_a_tool_that_the_prompt_names_is_called(sdk: genai.Client) -> None:
    answer = full(
        sdk.models.generate_content(model=MODEL, contents=WEATHER, config=config("get_weather"))
    )
    (call,) = answer.function_calls
    assert (call.name, call.args) == ("get_weather", WEATHER_ARGUMENTS)


def test_a_tool_call_is_streamed_whole_and_followed_by_an_end(sdk: genai.Client) -> None:
    called, end = (
        full(chunk)
        for chunk in sdk.models.generate_content_stream(
            model=MODEL, contents=WEATHER, config=config("get_weather")
        )
    )
    assert called.function_calls[0].args == WEATHER_ARGUMENTS
    assert end.candidates[0].finish_reason is types.FinishReason.STOP


@pytest.mark.parametrize(("mode", "called"), [("AUTO", False), ("NONE", False), ("ANY", True)])
def test_a_function_calling_mode_is_heeded(sdk: genai.Client, mode: Any, called: bool) -> None:
    tool_config = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=mode))
    answer = sdk.models.generate_content(
        model=MODEL, contents=HELLO, config=config("get_weather", tool_config=tool_config)
    )
    assert bool(answer.function_calls) is called


@pytest.mark.parametrize("response", [{"result": "41 °F, rain"}, {"sky": "rain"}])
def test_what_a_tool_gave_back_is_used_in_the_answer(
    sdk: genai.Client, response: dict[str, str]
) -> None:
    turns: Any = [
        types.UserContent(WEATHER),
        types.ModelContent([types.Part.from_function_call(name="get_weather", args={})]),
        types.UserContent(
            [types.Part.from_function_response(name="get_weather", response=response)]
        ),
    ]
    answer = sdk.models.generate_content(model=MODEL, contents=turns).text
    assert answer is not None
    assert answer.startswith("I asked get_weather: ")
    assert "rain" in answer


def test_max_output_tokens_cuts_the_answer(sdk: genai.Client) -> None:
    cut = config(max_output_tokens=4)
    last: Any
    *_, last = sdk.models.generate_content_stream(model=MODEL, contents=ESSAY, config=cut)
    assert last.text == " with"
    assert last.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS


# Where aiohttp is installed the SDK uses it, in a way that aiohttp discourages.
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_the_async_client_gets_the_same_objects(
    provider: Provider, sdk: genai.Client
) -> None:
    async with client(provider).aio as other:
        ask: Any = {"model": MODEL, "contents": WEATHER, "config": config("get_weather")}
        one = await other.models.generate_content(**ask)
        assert one.model_dump(exclude={"sdk_http_response"}) == sdk.models.generate_content(
            **ask
        ).model_dump(exclude={"sdk_http_response"})
        stream = await other.models.generate_content_stream(**ask)
        texts = [c.function_calls async for c in stream]
        assert texts == [c.function_calls for c in sdk.models.generate_content_stream(**ask)]


def test_a_request_without_contents_is_refused_with_400(
    provider: Provider, http: httpx.Client
) -> None:
    url = f"{provider.url}/v1beta/models/{MODEL}:generateContent"
    answer = http.post(url, json={})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": 400,
            "message": "* GenerateContentRequest.contents: contents is not specified",
            "status": "INVALID_ARGUMENT",
        }
    }
