"""Asks the provider through the SDK of each dialect, and sums up what the SDK made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types
from pydantic import BaseModel

# Sent by the real provider too, but not declared by the SDK.
_UNDECLARED = {"store", "obfuscation"}


@dataclass(frozen=True)
class Summary:
    """What an SDK made of an answer; `objects` are the answer, or all events of its stream."""

    text: str
    calls: list[tuple[str, Any]]
    reason: str
    output_tokens: int
    objects: list[Any]


@dataclass(frozen=True)
class Request:
    """A request; `result` is what the first of `functions` returned, if it was called before."""

    prompt: str
    stream: bool = False
    functions: tuple[tuple[str, dict[str, Any]], ...] = ()
    choice: str = ""
    result: str = ""
    max_tokens: int = 200


def checked(answer: Any) -> Any:
    """Return an object if it is valid for its class and has no other fields.

    The SDKs build objects without validating them.
    """
    values = answer.to_dict() if hasattr(answer, "to_dict") else answer.model_dump()
    type(answer).model_validate(values)
    assert set(_undeclared(answer)) <= _UNDECLARED
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


def chat(url: str, request: Request) -> Summary:
    sdk = openai_sdk(url)
    tools = [_nested(name, schema) for name, schema in request.functions]
    messages: list[Any] = [{"role": "user", "content": request.prompt}]
    if request.result:
        name = request.functions[0][0]
        call = {"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        messages += [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": request.result},
        ]
    choice: Any = request.choice
    if request.choice in dict(request.functions):
        choice = {"type": "function", "function": {"name": request.choice}}
    options: Any = {"tools": tools or openai.omit, "tool_choice": choice or openai.omit}
    options |= {"model": "gpt-4o-mini", "messages": messages, "max_tokens": request.max_tokens}
    objects = [checked(sdk.chat.completions.create(**options))]
    if request.stream:
        usage: Any = {"stream_options": {"include_usage": True}}
        chunks = sdk.chat.completions.create(**options, **usage, stream=True)
        objects = [checked(chunk) for chunk in chunks]
        with sdk.chat.completions.stream(**options, **usage) as stream:
            stream.until_done()
            answer: Any = stream.current_completion_snapshot
    else:
        answer = objects[0]
    (one,) = answer.choices
    calls = [(c.function.name, c.function.arguments) for c in one.message.tool_calls or []]
    used = answer.usage.completion_tokens
    return Summary(one.message.content or "", _parsed(calls), one.finish_reason, used, objects)


def responses(url: str, request: Request) -> Summary:
    sdk = openai_sdk(url)
    tools: list[Any] = [
        {"type": "function", "name": name, "parameters": schema, "strict": True}
        for name, schema in request.functions
    ]
    items: list[Any] = [{"role": "user", "content": request.prompt}]
    if request.result:
        name = request.functions[0][0]
        items += [
            {"type": "function_call", "call_id": "1", "name": name, "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": request.result},
        ]
    choice: Any = request.choice
    if request.choice in dict(request.functions):
        choice = {"type": "function", "name": request.choice}
    answers = sdk.responses.create(
        model="gpt-4o-mini",
        input=items,
        tools=tools,
        tool_choice=choice or openai.omit,
        max_output_tokens=request.max_tokens,
        stream=request.stream,
    )
    objects: list[Any] = [checked(one) for one in (answers if request.stream else [answers])]
    answer = objects[-1].response if request.stream else objects[0]
    calls = [(one.name, one.arguments) for one in answer.output if one.type == "function_call"]
    used = answer.usage.output_tokens
    return Summary(answer.output_text, _parsed(calls), answer.status, used, objects)


def messages(url: str, request: Request) -> Summary:
    sdk = anthropic_sdk(url)
    tools: list[Any] = [
        {"name": name, "input_schema": {"type": "object", **schema}}
        for name, schema in request.functions
    ]
    turns: list[Any] = [{"role": "user", "content": request.prompt}]
    if request.result:
        call = {"type": "tool_use", "id": "1", "name": request.functions[0][0], "input": {}}
        result = {"type": "tool_result", "tool_use_id": "1", "content": request.result}
        turns += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    kinds = {"required": "any", "none": "none", "": "auto"}
    choice: Any = {"type": kinds.get(request.choice, "tool")}
    if choice["type"] == "tool":
        choice["name"] = request.choice
    options: Any = {"tools": tools, "tool_choice": choice, "messages": turns}
    options |= {"model": "claude-sonnet-5-5", "max_tokens": request.max_tokens}
    if request.stream:
        objects = [checked(event) for event in sdk.messages.create(**options, stream=True)]
        with sdk.messages.stream(**options) as stream:
            answer: Any = stream.get_final_message()
    else:
        answer = checked(sdk.messages.create(**options))
        objects = [answer]
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [(one.name, one.input) for one in answer.content if one.type == "tool_use"]
    return Summary(text, calls, answer.stop_reason, answer.usage.output_tokens, objects)


def gemini(url: str, request: Request) -> Summary:
    declared: Any = [
        types.FunctionDeclaration(name=name, parameters_json_schema=schema)
        for name, schema in request.functions
    ]
    modes: Any = {"required": "ANY", "none": "NONE", "": "AUTO"}
    calling = types.FunctionCallingConfig(
        mode=modes.get(request.choice, "ANY"),
        allowed_function_names=None if request.choice in modes else [request.choice],
    )
    contents: list[Any] = [types.UserContent(request.prompt)]
    if request.result:
        name, response = request.functions[0][0], {"result": request.result}
        contents += [
            types.ModelContent([types.Part.from_function_call(name=name, args={})]),
            types.UserContent([types.Part.from_function_response(name=name, response=response)]),
        ]
    options: Any = {
        "model": "gemini-2.5-flash",
        "contents": contents,
        "config": types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=declared)] if declared else None,
            tool_config=types.ToolConfig(function_calling_config=calling) if declared else None,
            max_output_tokens=request.max_tokens,
        ),
    }
    models = gemini_sdk(url).models
    if request.stream:
        objects = [checked(chunk) for chunk in models.generate_content_stream(**options)]
    else:
        objects = [checked(models.generate_content(**options))]
    parts = [part for one in objects for part in one.candidates[0].content.parts]
    calls = [(p.function_call.name, p.function_call.args) for p in parts if p.function_call]
    reason = objects[-1].candidates[0].finish_reason.value
    used = objects[-1].usage_metadata.candidates_token_count
    return Summary("".join(part.text or "" for part in parts), calls, reason, used, objects)


SDKS: dict[str, Callable[[str, Request], Summary]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
}


def _nested(name: str, schema: dict[str, Any]) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def _parsed(calls: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in calls]
