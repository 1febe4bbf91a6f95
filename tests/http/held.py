"""Cassettes to hold back, and readers that read them during the test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aquila_cassette import Cassette, Failure, Interaction, Piece, Request, Response
from aquila_cassette.model import Ended
from aquila_cassette.storage import files
from tests.clients import Face

__all__ = ["EVENTS", "URL", "Reader", "question", "reading", "write_cassette"]

URL = "https://api.example.com/v1/chat/completions"
EVENTS = [b"data: %d\n\n" % number for number in range(1, 6)]


def write_cassette(
    name: str,
    *frames: Sequence[bytes],
    url: str = URL,
    asked: Sequence[Any] = (),
    ended: Ended = "complete",
    error: Failure | None = None,
    content_type: str = "text/event-stream",
) -> None:
    """Write a cassette: an interaction for each list of frames, each body in one piece.

    `asked` are the JSON bodies of the requests, by default ``{"prompt": "question 1"}`` and so on.
    """
    headers = (("content-type", content_type),)
    interactions = [
        Interaction(
            Request(
                "POST",
                url,
                (("content-type", "application/json"),),
                json.dumps(asked[number] if asked else question(number + 1)).encode(),
            ),
            Response(
                200, headers, (Piece(300_000, b"".join(body)),), 200_000, "HTTP/1.1", ended, error
            ),
        )
        for number, body in enumerate(frames)
    ]
    files.save(Path(os.environ["AQUILA_CASSETTE_DIR"]) / f"{name}.yaml", interactions)


def question(number: int) -> dict[str, str]:
    return {"prompt": f"question {number}"}


class Reader:
    """One who reads a stream, in a task or in a thread: what it has, and what it ended in."""

    def __init__(self, face: Face, asked: Any, url: str = URL) -> None:
        self.pieces: list[bytes] = []
        self.error: BaseException | None = None
        self.head = threading.Event()
        self.response: Any = None
        self._face = face
        self._asked = asked
        self._url = url
        self.task = asyncio.create_task(self._read_in_thread() if face.sync else self._read())

    async def done(self) -> list[bytes]:
        """Wait for its end and give all that it read."""
        await asyncio.wait([self.task])
        return self.pieces

    async def _read(self) -> None:
        try:
            async with self._face.stream(self._url, json=self._asked) as reply:
                self.response = reply.response
                self.head.set()
                async for piece in reply.response.aiter_raw():
                    self.pieces.append(piece)
        except BaseException as error:
            self.error = error

    async def _read_in_thread(self) -> None:
        await asyncio.to_thread(self._read_sync)

    def _read_sync(self) -> None:
        try:
            with self._face.client() as client:
                with client.stream("POST", self._url, json=self._asked) as response:
                    self.response = response
                    self.head.set()
                    for piece in response.iter_raw():
                        self.pieces.append(piece)
        except BaseException as error:
            self.error = error


@contextlib.asynccontextmanager
async def reading(
    cassette: Cassette, face: Face, *asked: Any, url: str = URL
) -> AsyncIterator[list[Reader]]:
    """Have the answers to these requests read meanwhile; let all through at the end."""
    readers = [Reader(face, one, url) for one in asked]
    try:
        yield readers
    finally:
        cassette.release()
        for reader in readers:
            await reader.done()
