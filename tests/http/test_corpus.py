"""Real provider streams, cut at random: recorded off a socket, replayed without it."""

import random
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest

from aquila_cassette import aquila_cassette
from tests.corpus import Recorded, every_recorded
from tests.servers import Connection, RawServer, Request


@pytest.fixture(scope="module")
def clients() -> Iterator[list[Any]]:
    """A client of each library, for many tests: making one costs more than a whole replay."""
    with httpx.Client() as one, httpx2.Client() as other:
        yield [one, other]


@every_recorded
async def test_a_real_stream_replays_piece_for_piece_in_every_client(
    clients: list[Any], recorded: Recorded
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(recorded.status, {"content-type": recorded.content_type})
        for piece in recorded.pieces:
            connection.piece(piece)
        connection.end()

    client = random.Random(recorded.file).choice(clients)
    with RawServer(script) as server:
        with aquila_cassette("corpus"):
            with client.stream("GET", server.url) as response:
                live = list(response.iter_raw())
    assert b"".join(live) == recorded.body
    with aquila_cassette("corpus", mode="none", repeats=True) as cassette:
        for one in clients:
            with one.stream("GET", server.url) as response:
                assert list(response.iter_raw()) == live
                assert response.status_code == recorded.status
                assert response.headers["content-type"] == recorded.content_type
        async with httpx.AsyncClient(verify=False) as asynchronous:
            async with asynchronous.stream("GET", server.url) as response:
                assert [piece async for piece in response.aiter_raw()] == live
    assert {one.response.ended for one in cassette.played} == {"complete"}
