"""Cassettes that tests write for a replay, and what a recording left on one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aquila_cassette import Failure, Interaction, Piece, Request, Response, aquila_cassette
from aquila_cassette.model import Ended
from aquila_cassette.storage import files

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


def kept(name: str = "ends") -> Interaction:
    """Return the one interaction on the cassette, as it is on file."""
    with aquila_cassette(name, mode="none", on_unplayed="ignore") as cassette:
        (interaction,) = cassette.interactions
    return interaction
