"""Cassettes that tests write for a replay, and what a recording left on one."""

import json
import os
from pathlib import Path

from aquila_cassette import Interaction, Piece, Request, Response, aquila_cassette
from aquila_cassette.storage import files

URL = "https://api.example.com/v1/chat/completions"
JSON = {"prompt": "Say hello"}
EVENTS = [b"data: %d\n\n" % number for number in range(1, 6)]


def lay(name: str, *interactions: Interaction) -> None:
    """Write a cassette."""
    files.save(Path(os.environ["AQUILA_CASSETTE_DIR"]) / f"{name}.yaml", interactions)


def streamed(*pieces: Piece, url: str = URL, asked: object = JSON) -> Interaction:
    """Return an interaction in which a question was sent as JSON and these pieces came."""
    request = Request("POST", url, body=json.dumps(asked).encode())
    response = Response(200, (("content-type", "text/event-stream"),), pieces)
    return Interaction(request, response)


def kept(name: str = "ends") -> Interaction:
    """Return the one interaction on the cassette, as it is on file."""
    with aquila_cassette(name, mode="none", on_unplayed="ignore") as cassette:
        (interaction,) = cassette.interactions
    return interaction
