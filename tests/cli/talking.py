"""Applications that talk to a model, and a model that answers otherwise each day.

What an application would send tomorrow is what it does send when tomorrow's model answers it: that
is what following its recorded requests must come to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from aquila_cassette.cli.conversation import Conversation
from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import FunctionCall, ModelReply, reply_to
from aquila_cassette.provider.request import DeterministicRandom, parse_request, tokens

__all__ = ["APPS", "Answerer", "App", "Model", "again", "talk"]

PATHS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", OpenAIChat()),
    "responses": ("/v1/responses", OpenAIResponses()),
    "messages": ("/v1/messages", AnthropicMessages()),
    "gemini": ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", GeminiGenerateContent()),
}
HOST = "https://api.example.com"
TEST = "test_chat.py::test_talk"
WORDS = "time ships rain Oslo 1987 seldom blue under 2042 stone Ada quick river green"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True)
class Model:
    """A model on some day: its texts and ids are others each day; if it `calls`, so are its calls."""

    day: int
    calls: bool = False
    stream: bool = True

    def answer(self, request: Request) -> Response:
        body = json.loads(request.body)
        path = urlsplit(request.url).path
        _, dialect = next(one for one in PATHS.values() if path.startswith(one[0]))
        random = DeterministicRandom([path, body, self.day])
        ask = replace(parse_request(path, body), random=random, stream=self.stream)
        reply = reply_to(ask)
        if not reply.calls:
            seed = DeterministicRandom([self.day, ask.prompt, ask.body])
            size = 6 + int(seed.fraction("size") * 9)
            said = " ".join(seed.pick(f"word {n}", WORDS.split()) for n in range(size))
            reply = ModelReply(tuple(tokens(f"{said.capitalize()}.")))
        elif self.calls:
            city = {"city": DeterministicRandom([self.day]).pick("city", ("Oslo", "Rome", "Lima"))}
            written = tuple(tokens(json.dumps(city)))
            reply = ModelReply(
                calls=tuple(FunctionCall(one.name, city, written) for one in reply.calls)
            )
        if self.stream:
            pieces = [frame.data for frame in dialect.frames(ask, reply)]
            kind = "text/event-stream"
        else:
            pieces, kind = [dialect.whole(ask, reply).encode()], "application/json"
        timed = tuple(Piece(at, data) for at, data in enumerate(pieces))
        return Response(200, (("content-type", kind),), timed)


class Answerer(Protocol):
    """A model, or a connection to one."""

    def answer(self, request: Request) -> Response: ...


@dataclass(frozen=True)
class App:
    """An application: how it asks, and what it makes of answers."""

    dialect: str
    keep: Callable[[str], str] = str  # what it keeps of a text, before it sends it back
    is_whole: bool = True  # whether it sends back answers as it got them, with all ids
    is_stored: bool = False  # whether the provider keeps the conversation
    spell: Callable[[str], str] = str  # how it writes the arguments of a call again


Ask = Callable[[dict[str, Any]], list[Any]]  # a request's body to the events of the answer
Turn = tuple[bool, list[Any]]  # whether tools were called, and the messages to add


def talk(app: App, model: Answerer, prompts: Iterable[str], host: str = HOST) -> list[Interaction]:
    """Hold a conversation, tools and all, and return it as it is recorded."""
    recorded: list[Interaction] = []
    path, _ = PATHS[app.dialect]

    def ask(body: dict[str, Any]) -> list[Any]:
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = Request("POST", host + path, (("content-type", "application/json"),), data)
        response = model.answer(request)
        recorded.append(Interaction(request, response, recorded_by=TEST))
        if response.header("content-type") == "application/json":
            return [json.loads(response.body)]
        lines = [one[6:] for one in response.body.decode().splitlines() if one[:6] == "data: "]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    messages: list[Any] = []
    previous: dict[str, Any] = {}
    for prompt in prompts:
        part = {"parts": [{"text": prompt}]} if app.dialect == "gemini" else {"content": prompt}
        messages.append({"role": "user", **part})
        is_calling = True
        while is_calling:
            is_calling, more = _TURNS[app.dialect](app, ask, messages, previous)
            messages = more if app.is_stored else [*messages, *more]
    return recorded


def _chat(app: App, ask: Ask, messages: list[Any], _: Any) -> Turn:
    tool = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    system = {"role": "system", "content": "Be brief."}
    text, calls = "", {}
    body = {"model": "gpt-4o-mini", "stream": True, "tools": [tool]}
    for event in ask({**body, "messages": [system, *messages]}):
        for choice in event["choices"]:
            delta = choice.get("delta") or choice.get("message") or {}
            text += delta.get("content") or ""
            for number, call in enumerate(delta.get("tool_calls") or ()):
                one = calls.setdefault(call.get("index", number), {"id": "", "function": ["", ""]})
                one["id"] = one["id"] or call.get("id", "")
                one["function"][0] = one["function"][0] or call["function"].get("name", "")
                one["function"][1] += call["function"]["arguments"]
    if not calls:
        return False, [{"role": "assistant", "content": app.keep(text)}]
    made, results = [], []
    for call in calls.values():
        name, arguments = call["function"]
        function = {"name": name, "arguments": app.spell(arguments)}
        made.append({"id": call["id"], "type": "function", "function": function})
        content = _tool_result(json.loads(arguments))
        results.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    return True, [{"role": "assistant", "content": None, "tool_calls": made}, *results]


def _responses(app: App, ask: Ask, items: list[Any], previous: dict[str, Any]) -> Turn:
    tool = {"type": "function", "name": "weather", "parameters": SCHEMA}
    body = {"model": "gpt-4o-mini", "stream": True, "tools": [tool], **previous}
    last = ask({**body, "input": items})[-1]
    response = last.get("response", last)
    echoes, results = [], []
    for item in response["output"]:
        if item["type"] == "function_call":
            echoes.append({**item, "arguments": app.spell(item["arguments"])})
            result = _tool_result(json.loads(item["arguments"]))
            output = {"type": "function_call_output", "call_id": item["call_id"], "output": result}
            results.append(output)
        else:
            kept = app.keep(item["content"][0]["text"])
            whole = {**item, "content": [{**item["content"][0], "text": kept}]}
            echoes.append(whole if app.is_whole else {"role": "assistant", "content": kept})
    if app.is_stored:
        previous["previous_response_id"] = response["id"]
        return bool(results), results
    return bool(results), [*echoes, *results]


def _messages(app: App, ask: Ask, messages: list[Any], _: Any) -> Turn:
    tool = {"name": "weather", "input_schema": SCHEMA}
    body = {"model": "claude-sonnet-5-5", "max_tokens": 400, "stream": True, "tools": [tool]}
    events = ask({**body, "messages": messages})
    blocks = [dict(block) for block in events[0].get("content", ())]
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            blocks[-1]["json"] += event["delta"].get("partial_json", "")
            if "text" in event["delta"]:
                blocks[-1]["text"] += event["delta"]["text"]
    for block in blocks:
        if given := block.pop("json", ""):
            block["input"] = json.loads(given)
        if "text" in block:
            block["text"] = app.keep(block["text"])
    results = [
        {"type": "tool_result", "tool_use_id": one["id"], "content": _tool_result(one["input"])}
        for one in blocks
        if one["type"] == "tool_use"
    ]
    text = "".join(block.get("text", "") for block in blocks)
    content = blocks if app.is_whole or results else text
    answer = {"role": "assistant", "content": content}
    return bool(results), [answer, {"role": "user", "content": results}] if results else [answer]


def _gemini(app: App, ask: Ask, contents: list[Any], _: Any) -> Turn:
    tools = [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]
    events = ask({"contents": contents, "tools": tools})
    each = [event["candidates"][0]["content"].get("parts", ()) for event in events]
    parts = [part for parts in each for part in parts]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    if not calls:
        text = app.keep("".join(part.get("text", "") for part in parts))
        return False, [{"role": "model", "parts": [{"text": text}]}]
    results = [
        {
            "functionResponse": {
                "name": call["name"],
                "response": {"output": _tool_result(call["args"])},
            }
        }
        for call in calls
    ]
    return True, [{"role": "model", "parts": parts}, {"role": "user", "parts": results}]


def _tool_result(arguments: dict[str, str]) -> str:
    return f"It rains in {arguments['city']}."


_TURNS = {"chat": _chat, "responses": _responses, "messages": _messages, "gemini": _gemini}

APPS = {
    "chat": App("chat"),
    "chat, stripped": App("chat", keep=str.strip),
    "chat, spelt": App("chat", spell=lambda text: json.dumps(json.loads(text))),
    "responses": App("responses"),
    "responses, stored": App("responses", is_stored=True),
    "responses, texts": App("responses", is_whole=False),
    "messages": App("messages"),
    "messages, texts": App("messages", is_whole=False),
    "gemini, texts": App("gemini", is_whole=False),
}
"""Applications whose every request can be followed."""


def again(recorded: list[Interaction], model: Model) -> list[Interaction]:
    """Send the requests of a cassette again, with nothing but the cassette at hand."""
    conversation = Conversation(recorded, Path("cassette.yaml"), "Fix: record it by its test")
    new = []
    for _ in recorded:
        request = conversation.request()
        response = model.answer(request)
        conversation.answered(response)
        new.append(Interaction(request, response, recorded_by=TEST))
    return new
