"""Asks the provider through the SDK of each dialect, and sums up what the SDK made of it."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import anthropic
import openai
from google import genai
from google.genai import types
from pydantic import BaseModel


class Summary(NamedTuple):
    """What an SDK made of an answer; `objects` are the answer, or all events of its stream."""

    text: str
    calls: list[tuple[str, Any]]
    reason: str
    output_tokens: int
    objects: list[Any]


def checked(answer: Any) -> Any:
    """Return an object if it is valid for its class and has no other fields.

    The SDKs build objects without validating them.
    """
    values = answer.to_dict() if hasattr(answer, "to_dict") else answer.model_dump()
    type(answer).model_validate(values)
    assert list(_undeclared(answer)) == []
    return answer


def _undeclared(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from _undeclared(getattr(value, name, None))
    elif isinstance(value, list):
        for item in value:
            yield from _undeclared(item)


@cache
def openai_sdk(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)


@cache
def anthropic_sdk(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=url, max_retries=0)


@cache
def gemini_sdk(url: str) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))


def chat(url: str, prompt: str, functions: dict[str, Any], *, stream: bool) -> Summary:
    sdk = openai_sdk(url).chat.completions
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in functions.items()
    ]
    options: Any = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
    options["tools"] = tools or openai.omit
    if stream:
        usage: Any = {"stream_options": {"include_usage": True}}
        objects = [checked(chunk) for chunk in sdk.create(**options, **usage, stream=True)]
        with sdk.stream(**options, **usage) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = checked(sdk.create(**options))
        objects = [answer]
    (one,) = answer.choices
    calls = [
        (call.function.name, json.loads(call.function.arguments))
        for call in one.message.tool_calls or []
    ]
    used = answer.usage.completion_tokens
    return Summary(one.message.content or "", calls, one.finish_reason, used, objects)


def responses(url: str, prompt: str, functions: dict[str, Any], *, stream: bool) -> Summary:
    tools: list[Any] = [
        {"type": "function", "name": name, "parameters": schema, "strict": True}
        for name, schema in functions.items()
    ]
    answers: Any = openai_sdk(url).responses.create(
        model="m", input=prompt, tools=tools, stream=stream
    )
    objects = [checked(one) for one in (answers if stream else [answers])]
    answer = objects[-1].response if stream else objects[0]
    calls = [
        (one.name, json.loads(one.arguments))
        for one in answer.output
        if one.type == "function_call"
    ]
    used = answer.usage.output_tokens
    return Summary(answer.output_text, calls, answer.status, used, objects)


def messages(url: str, prompt: str, functions: dict[str, Any], *, stream: bool) -> Summary:
    sdk = anthropic_sdk(url).messages
    turns: list[Any] = [{"role": "user", "content": prompt}]
    options: Any = {"model": "m", "max_tokens": 200, "messages": turns}
    options["tools"] = [
        {"name": name, "input_schema": schema} for name, schema in functions.items()
    ]
    if stream:
        objects = [checked(event) for event in sdk.create(**options, stream=True)]
        with sdk.stream(**options) as events:
            answer: Any = events.get_final_message()
    else:
        answer = checked(sdk.create(**options))
        objects = [answer]
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [(one.name, one.input) for one in answer.content if one.type == "tool_use"]
    return Summary(text, calls, answer.stop_reason, answer.usage.output_tokens, objects)


def gemini(url: str, prompt: str, functions: dict[str, Any], *, stream: bool) -> Summary:
    declared = [
        types.FunctionDeclaration(name=name, parameters_json_schema=schema)
        for name, schema in functions.items()
    ]
    tools: Any = [types.Tool(function_declarations=declared)] if declared else None
    options: Any = {"model": "m", "contents": prompt}
    options["config"] = types.GenerateContentConfig(tools=tools)
    models = gemini_sdk(url).models
    if stream:
        objects = [checked(chunk) for chunk in models.generate_content_stream(**options)]
    else:
        objects = [checked(models.generate_content(**options))]
    parts = [part for one in objects for part in one.candidates[0].content.parts]
    calls = [(p.function_call.name, p.function_call.args) for p in parts if p.function_call]
    reason = objects[-1].candidates[0].finish_reason.value
    used = objects[-1].usage_metadata.candidates_token_count
    return Summary("".join(part.text or "" for part in parts), calls, reason, used, objects)


SDKS: dict[str, Callable[..., Summary]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
}
