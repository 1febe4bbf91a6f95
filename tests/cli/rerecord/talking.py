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

from aquila_cassette.cli.rerecord.conversation import Conversation
from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import FunctionCall, ModelReply, reply_to
from aquila_cassette.provider.request import (
    DeterministicRandom,
    ParsedRequest,
    parse_request,
    tokens,
)

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
    """A model on some day.

    Args:
        day: What it says and its ids depend on that.
        calls: Whether it calls other tools on each day, too.
        mute: Whether it says the same every day.
        stream: Whether it streams.
    """

    day: int
    calls: bool = False
    mute: bool = False
    stream: bool = True

    def answer(self, request: Request) -> Response:
        """Answer a request to any provider."""
        body = json.loads(request.body)
        path = urlsplit(request.url).path
        _, dialect = next(one for one in PATHS.values() if path.startswith(one[0]))
        ask = parse_request(path, body)
        ask = replace(ask, random=DeterministicRandom([path, body, self.day]), stream=self.stream)
        reply = self._reply(ask)
        if self.stream:
            frames = [frame.data for frame in dialect.frames(ask, reply)]
            kind = "text/event-stream"
        else:
            frames, kind = [dialect.whole(ask, reply).encode()], "application/json"
        pieces = tuple(Piece(at, data) for at, data in enumerate(frames))
        return Response(200, (("content-type", kind),), pieces)

    def _reply(self, ask: ParsedRequest) -> ModelReply:
        reply = reply_to(ask)
        if reply.calls:
            if not self.calls:
                return reply
            city = DeterministicRandom([self.day]).pick("city", ("Oslo", "Rome", "Lima"))
            return ModelReply(calls=tuple(_called(call, city) for call in reply.calls))
        if self.mute:
            return reply
        seed = DeterministicRandom([self.day, ask.prompt, ask.body])
        size = 6 + int(seed.fraction("size") * 9)
        said = " ".join(seed.pick(f"word {n}", WORDS.split()) for n in range(size))
        return ModelReply(tuple(tokens(f"{said.capitalize()}.")))


def _called(call: FunctionCall, city: str) -> FunctionCall:
    arguments = {"city": city}
    return FunctionCall(call.name, arguments, tuple(tokens(json.dumps(arguments))))


Send = Callable[[str, dict[str, Any]], tuple[str, list[Any], Any]]


@dataclass(frozen=True)
class App:
    """An application: how it asks, and what it makes of answers.

    Args:
        dialect: Whose API it uses.
        keep: What it keeps of a text it was shown, before it sends it back.
        whole: Whether it sends back what it got as it got it, with all ids.
        stored: Whether the provider keeps the conversation (responses).
        spell: How it writes the arguments of a call again.
    """

    dialect: str
    keep: Callable[[str], str] = str
    whole: bool = True
    stored: bool = False
    spell: Callable[[str], str] = str


def _tool_result(arguments: str) -> str:
    return f"It rains in {json.loads(arguments)['city']}."


class Answerer(Protocol):
    """A model, or a line to one."""

    def answer(self, request: Request) -> Response:
        """Answer a request to any provider."""


def talk(app: App, model: Answerer, prompts: Iterable[str], host: str = HOST) -> list[Interaction]:
    """Hold a conversation, and give it as it is on the cassette.

    A prompt may hold ``{said}``, the text of the answer before, or ``{part}``, a part of it.
    """
    recorded: list[Interaction] = []
    path, _ = PATHS[app.dialect]

    def ask(body: dict[str, Any]) -> Heard:
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = Request("POST", host + path, (("content-type", "application/json"),), data)
        response = model.answer(request)
        recorded.append(Interaction(request, response, recorded_by=TEST))
        return Heard(response.body, response.header("content-type") or "", app)

    said = ""
    talking = _TALKS[app.dialect](app, ask)
    for prompt in prompts:
        part = " ".join(said.split()[1:5]) or "nothing"
        said = talking.send(prompt.replace("{said}", said).replace("{part}", part))
    return recorded


class Heard:
    """An answer as an SDK gives it to its application."""

    def __init__(self, body: bytes, kind: str, app: App) -> None:
        if kind == "application/json":
            self.events: list[Any] = [json.loads(body)]
        else:
            lines = (line[6:] for line in body.decode().splitlines() if line.startswith("data: "))
            self.events = [json.loads(line) for line in lines if line != "[DONE]"]


class _Chat:
    def __init__(self, app: App, ask: Callable[[dict[str, Any]], Heard]) -> None:
        self.app, self.ask = app, ask
        self.messages: list[Any] = [{"role": "system", "content": "Be brief."}]

    def send(self, prompt: str) -> str:
        self.messages.append({"role": "user", "content": prompt})
        while True:
            tool = {"name": "weather", "parameters": SCHEMA}
            heard = self.ask(
                {
                    "model": "gpt-4o-mini",
                    "stream": True,
                    "tools": [{"type": "function", "function": tool}],
                    "messages": self.messages,
                }
            )
            text, calls = self.read(heard)
            if not calls:
                self.messages.append({"role": "assistant", "content": self.app.keep(text)})
                return text
            shown = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {
                        "name": call["name"],
                        "arguments": self.app.spell(call["arguments"]),
                    },
                }
                for call in calls
            ]
            self.messages.append({"role": "assistant", "content": None, "tool_calls": shown})
            for call in calls:
                result = _tool_result(call["arguments"])
                self.messages.append(
                    {"role": "tool", "tool_call_id": call["id"], "content": result}
                )

    def read(self, heard: Heard) -> tuple[str, list[dict[str, str]]]:
        text, calls = "", {}
        for event in heard.events:
            for choice in event["choices"]:
                delta = choice.get("delta") or choice.get("message") or {}
                text += delta.get("content") or ""
                for number, call in enumerate(delta.get("tool_calls") or ()):
                    at = call.get("index", number)
                    one = calls.setdefault(at, {"id": "", "name": "", "arguments": ""})
                    one["id"] = one["id"] or call.get("id", "")
                    one["name"] = one["name"] or call["function"].get("name", "")
                    one["arguments"] += call["function"]["arguments"]
        return text, list(calls.values())


class _Responses:
    def __init__(self, app: App, ask: Callable[[dict[str, Any]], Heard]) -> None:
        self.app, self.ask = app, ask
        self.items: list[Any] = []
        self.previous: str | None = None

    def send(self, prompt: str) -> str:
        self.items.append({"role": "user", "content": prompt})
        while True:
            tool = {"type": "function", "name": "weather", "parameters": SCHEMA}
            body: dict[str, Any] = {"model": "gpt-4o-mini", "stream": True, "tools": [tool]}
            if self.previous:
                body["previous_response_id"] = self.previous
            heard = self.ask({**body, "input": self.items})
            last = heard.events[-1]
            response = last.get("response", last)
            if self.app.stored:
                self.previous = response["id"]
                self.items = []
            text, calls = "", []
            for item in response["output"]:
                if item["type"] == "function_call":
                    calls.append(item)
                    item = {**item, "arguments": self.app.spell(item["arguments"])}
                else:
                    text += item["content"][0]["text"]
                    kept = self.app.keep(item["content"][0]["text"])
                    content = [{**item["content"][0], "text": kept}]
                    item = {**item, "content": content}
                    if not self.app.whole:
                        item = {"role": "assistant", "content": kept}
                if not self.app.stored:
                    self.items.append(item)
            if not calls:
                return text
            for call in calls:
                output = _tool_result(call["arguments"])
                self.items.append(
                    {"type": "function_call_output", "call_id": call["call_id"], "output": output}
                )


class _Messages:
    def __init__(self, app: App, ask: Callable[[dict[str, Any]], Heard]) -> None:
        self.app, self.ask = app, ask
        self.messages: list[Any] = []

    def send(self, prompt: str) -> str:
        self.messages.append({"role": "user", "content": prompt})
        while True:
            heard = self.ask(
                {
                    "model": "claude-sonnet-5-5",
                    "max_tokens": 400,
                    "stream": True,
                    "tools": [{"name": "weather", "input_schema": SCHEMA}],
                    "messages": self.messages,
                }
            )
            blocks = self.read(heard)
            text = "".join(block.get("text", "") for block in blocks)
            kept = [
                {**block, "text": self.app.keep(block["text"])} if "text" in block else block
                for block in blocks
            ]
            content = kept if self.app.whole else self.app.keep(text)
            calls = [block for block in blocks if block["type"] == "tool_use"]
            self.messages.append({"role": "assistant", "content": kept if calls else content})
            if not calls:
                return text
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": call["id"],
                    "content": _tool_result(json.dumps(call["input"])),
                }
                for call in calls
            ]
            self.messages.append({"role": "user", "content": results})

    def read(self, heard: Heard) -> list[dict[str, Any]]:
        if len(heard.events) == 1:
            return [dict(block) for block in heard.events[0]["content"]]
        blocks: list[dict[str, Any]] = []
        for event in heard.events:
            if event["type"] == "content_block_start":
                blocks.append({**event["content_block"], "json": ""})
            elif event["type"] == "content_block_delta":
                blocks[-1]["json"] += event["delta"].get("partial_json", "")
                if "text" in event["delta"]:
                    blocks[-1]["text"] += event["delta"]["text"]
        for block in blocks:
            given = block.pop("json")
            if given:
                block["input"] = json.loads(given)
        return blocks


class _Gemini:
    def __init__(self, app: App, ask: Callable[[dict[str, Any]], Heard]) -> None:
        self.app, self.ask = app, ask
        self.contents: list[Any] = []

    def send(self, prompt: str) -> str:
        self.contents.append({"role": "user", "parts": [{"text": prompt}]})
        tools = [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]
        while True:
            heard = self.ask({"contents": self.contents, "tools": tools})
            each = [event["candidates"][0]["content"] for event in heard.events]
            parts = [part for content in each for part in content.get("parts", ())]
            text = "".join(part.get("text", "") for part in parts)
            calls = [part["functionCall"] for part in parts if "functionCall" in part]
            if calls:
                self.contents.append({"role": "model", "parts": parts})
            elif self.app.whole:  # as google-genai's chats do: each chunk is a message
                self.contents += each
            else:
                kept = [{"text": self.app.keep(text)}]
                self.contents.append({"role": "model", "parts": kept})
            if not calls:
                return text
            results = [
                {
                    "functionResponse": {
                        "name": call["name"],
                        "response": {"output": _tool_result(json.dumps(call["args"]))},
                    }
                }
                for call in calls
            ]
            self.contents.append({"role": "user", "parts": results})


_TALKS: dict[str, Callable[..., Any]] = {
    "chat": _Chat,
    "responses": _Responses,
    "messages": _Messages,
    "gemini": _Gemini,
}

APPS = {
    "chat": App("chat"),
    "chat, stripped": App("chat", keep=str.strip),
    "chat, spelt": App("chat", spell=lambda text: json.dumps(json.loads(text))),
    "responses": App("responses"),
    "responses, stored": App("responses", stored=True),
    "responses, texts": App("responses", whole=False),
    "messages": App("messages"),
    "messages, texts": App("messages", whole=False),
    "gemini, texts": App("gemini", whole=False),
}
"""Applications whose every request can be followed."""


def again(recorded: list[Interaction], model: Model) -> list[Interaction]:
    """Ask the requests of a cassette again, with nothing but the cassette at hand."""
    conversation = Conversation(recorded, Path("cassette.yaml"), "Record it through its test.")
    new = []
    for _ in recorded:
        request = conversation.request()
        response = model.answer(request)
        conversation.answered(response)
        new.append(Interaction(request, response, recorded_by=TEST))
    return new
