"""Each provider's own SDK reads the same in a stream and in a whole answer: text, calls of tools."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from aquila_cassette.provider import Provider

ESSAY = "Explain how streaming responses cross a network."
WEATHER = "Call get_weather for New York, in fahrenheit, 3 days, and get_time"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit", "days"],
}
FUNCTIONS = {"get_time": {"type": "object", "properties": {}}, "get_weather": SCHEMA}
CALLS = [("get_time", {}), ("get_weather", {"city": "New York", "unit": "fahrenheit", "days": 3})]

Said = tuple[str, list[tuple[str, Any]]]
"""The text, and the calls of functions."""


@cache
def openai_sdk(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)


@cache
def anthropic_sdk(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=url, max_retries=0)


@cache
def gemini_sdk(url: str) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))


def chat(url: str, prompt: str, *, stream: bool) -> Said:
    sdk: Any = openai_sdk(url).chat.completions
    tools = [{"name": name, "parameters": schema} for name, schema in FUNCTIONS.items()]
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
    asked["tools"] = [{"type": "function", "function": one} for one in tools]
    if stream:
        with sdk.stream(**asked) as events:
            answer = events.get_final_completion()
    else:
        answer = sdk.create(**asked)
    (choice,) = answer.choices
    assert choice.finish_reason == ("tool_calls" if choice.message.tool_calls else "stop")
    called = [one.function for one in choice.message.tool_calls or []]
    return choice.message.content or "", [(one.name, json.loads(one.arguments)) for one in called]


def responses(url: str, prompt: str, *, stream: bool) -> Said:
    tools = [
        {"type": "function", "name": name, "parameters": schema}
        for name, schema in FUNCTIONS.items()
    ]
    sdk: Any = openai_sdk(url).responses
    answer = sdk.create(model="m", input=prompt, tools=tools, stream=stream)
    answer = list(answer)[-1].response if stream else answer
    assert answer.status == "completed"
    calls = [one for one in answer.output if one.type == "function_call"]
    return answer.output_text, [(one.name, json.loads(one.arguments)) for one in calls]


def messages(url: str, prompt: str, *, stream: bool) -> Said:
    sdk: Any = anthropic_sdk(url).messages
    tools = [{"name": name, "input_schema": schema} for name, schema in FUNCTIONS.items()]
    asked = {"model": "m", "max_tokens": 200, "messages": [{"role": "user", "content": prompt}]}
    if stream:
        with sdk.stream(**asked, tools=tools) as events:
            answer = events.get_final_message()
    else:
        answer = sdk.create(**asked, tools=tools)
    calls = [(one.name, one.input) for one in answer.content if one.type == "tool_use"]
    assert answer.stop_reason == ("tool_use" if calls else "end_turn")
    return "".join(one.text for one in answer.content if one.type == "text"), calls


def gemini(url: str, prompt: str, *, stream: bool) -> Said:
    declared = [
        types.FunctionDeclaration(name=name, parameters_json_schema=schema)
        for name, schema in FUNCTIONS.items()
    ]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=declared)])
    models: Any = gemini_sdk(url).models
    ask = models.generate_content_stream if stream else models.generate_content
    answer = ask(model="m", contents=prompt, config=config)
    answers = list(answer) if stream else [answer]
    assert answers[-1].candidates[0].finish_reason.value == "STOP"
    parts = [part for one in answers for part in one.candidates[0].content.parts]
    calls = [(p.function_call.name, p.function_call.args) for p in parts if p.function_call]
    return "".join(part.text or "" for part in parts), calls


@pytest.mark.parametrize("ask", [chat, responses, messages, gemini])
def test_a_stream_says_the_same_as_a_whole_answer(
    provider: Provider, ask: Callable[..., Said]
) -> None:
    said = ask(provider.url, ESSAY, stream=False)
    assert ask(provider.url, ESSAY, stream=True) == said
    assert "“streaming”" in said[0]
    assert said[1] == []
    called = ask(provider.url, WEATHER, stream=False)
    assert ask(provider.url, WEATHER, stream=True) == called == ("", CALLS)
