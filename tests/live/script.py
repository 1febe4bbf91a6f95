"""A provider whose answers a test says piece by piece, in whichever event loop."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx

from aquila_cassette.client import AsyncClient

DONE = b"data: [DONE]\n\n"


def chunk(text: str, reason: str | None = None) -> bytes:
    """Frame a chunk of an answer; with `reason`, its last."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return f"data: {json.dumps({'id': 'c_1', 'choices': [choice]})}\n\n".encode()


class Script:
    """Answers each prompt with what the test says to it, as soon as it is said."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed: list[str] = []
        self._answers: dict[str, Any] = {}

    def client(self) -> AsyncClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        return AsyncClient(http, model="gpt-4o-mini")

    def say(self, prompt: str, *pieces: bytes) -> None:
        """Say more of the answer to `prompt`."""
        for piece in pieces:
            self._answer(prompt)[0].send_nowait(piece)

    def end(self, prompt: str) -> None:
        """Close the connection of `prompt`."""
        self._answer(prompt)[0].close()

    def _answer(self, prompt: str) -> Any:
        if prompt not in self._answers:
            self._answers[prompt] = anyio.create_memory_object_stream[bytes](10_000)
        return self._answers[prompt]

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        prompt = json.loads(request.content)["messages"][-1]["content"]
        self.asked.append(prompt)
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=self._body(prompt))

    async def _body(self, prompt: str) -> AsyncIterator[bytes]:
        sender, receiver = self._answer(prompt)
        try:
            with sender, receiver:
                async for piece in receiver:
                    yield piece
        finally:
            self.closed.append(prompt)
