"""Cassettes that tests write for a replay, what a recording left on one, and both runs in one call."""

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aquila_cassette import Interaction, Piece, Request, Response, aquila_cassette
from aquila_cassette.storage import files
from tests.servers import RawServer, Script

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


async def run(ask: Callable[[str], Any], url: str) -> Any:
    """Ask, in a function that is async or not."""
    found = ask(url)
    return await found if inspect.isawaitable(found) else found


async def recorded(script: Script, ask: Callable[[str], Any]) -> tuple[RawServer, Any]:
    """Record what `ask` gets off a server with this script; return the server, which is gone, and that."""
    with RawServer(script) as server, aquila_cassette("ends"):
        return server, await run(ask, server.url)


async def same_again(script: Script, ask: Callable[[str], Any]) -> tuple[RawServer, Any]:
    """Record as `recorded` does, and assert that `ask` gets the same on replay."""
    server, live = await recorded(script, ask)
    with aquila_cassette("ends", mode="none"):
        assert await run(ask, server.url) == live
    return server, live
