"""Applications that talk to a model, and a model that answers otherwise each day.

What an application would send tomorrow is what it does send when tomorrow's model answers it: that
is what following its recorded requests must come to.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from aquila_cassette.cli.record_conversation import Conversation
from aquila_cassette.client import Client, tool
from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.gemini import GeminiGenerateContent
from aquila_cassette.provider.openai import OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import (
    DeterministicRandom,
    ModelReply,
    parse_request,
    reply_to,
    tokens,
)

DIALECTS: dict[str, Any] = {
    "/v1/chat/completions": OpenAIChat(),
    "/v1/responses": OpenAIResponses(),
    "/v1/messages": AnthropicMessages(),
    "/v1beta/models": GeminiGenerateContent(),
}
HOST = "https://api.example.com"
TEST = "test_chat.py::test_talk"
WORDS = "time ships rain Oslo 1987 seldom blue under 2042 stone Ada quick river green"
PROMPTS = ["What is the weather in Lund?", "And how is life there?", "Thanks. weather in Malmö?"]


@dataclass(frozen=True)
class Model:
    """A model on some day: its texts and ids are others each day."""

    day: int
    stream: bool = True

    def answer(self, request: Request) -> Response:
        body = json.loads(request.body)
        path = urlsplit(request.url).path
        dialect = next(one for start, one in DIALECTS.items() if path.startswith(start))
        random = DeterministicRandom([path, body, self.day])
        ask = replace(parse_request(path, body), random=random, stream=self.stream)
        reply = reply_to(ask)
        if not reply.calls:
            seed = DeterministicRandom([self.day, ask.prompt, ask.body])
            size = seed.pick("size", range(6, 15))
            said = " ".join(seed.pick(f"word {n}", WORDS.split()) for n in range(size))
            reply = ModelReply(tuple(tokens(f"{said.capitalize()}.")))
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


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


APPS: dict[str, dict[str, Any]] = {
    "chat": {"model": "gpt-4o-mini", "endpoint": "chat"},
    "responses": {"model": "gpt-4o-mini", "endpoint": "responses"},
    "responses, stored": {"model": "gpt-4o-mini", "endpoint": "responses"},
    "messages": {"model": "claude-sonnet-5-5"},
    "gemini": {"model": "gemini-2.5-flash"},
}
"""What is asked; if it is stored, the provider keeps the conversation."""


def talk(
    app: str, model: Answerer, prompts: Iterable[str] = PROMPTS, host: str = HOST
) -> list[Interaction]:
    """Hold a conversation, tools and all, and return it as it is recorded."""
    recorded: list[Interaction] = []

    def handle(sent: httpx.Request) -> httpx.Response:
        kind = ("content-type", "application/json")
        request = Request(sent.method, str(sent.url), (kind,), sent.read())
        response = model.answer(request)
        recorded.append(Interaction(request, response, recorded_by=TEST))
        headers = dict(response.headers)
        return httpx.Response(200, headers=headers, content=response.body)

    base_url = host + ("/v1beta" if app == "gemini" else "/v1")
    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        client = Client(http, base_url=base_url, **APPS[app])
        messages: list[dict[str, Any]] = []
        options: dict[str, Any] = {"store": True} if "stored" in app else {}
        for prompt in prompts:
            asked = [*messages, {"role": "user", "content": prompt}]
            answer = client.ask(asked, tools=[weather], **options)
            if "stored" in app:
                options["previous_response_id"] = answer.meta.response_id
            else:
                messages = list(answer.messages)
    return recorded


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
