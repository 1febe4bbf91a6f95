"""All libraries side by side: one file for all of them, and blocks in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httplib2
import pytest

from aquila_cassette import MissError, aquila_cassette
from tests.clients import LIBRARIES
from tests.http.test_bedrock import converse
from tests.servers import Connection, RawServer, Request
from tests.servers.bedrock import CONVERSE_FRAMES, EVENTSTREAM


def echo(connection: Connection, request: Request) -> None:
    """Answer with the path, or as bedrock does."""
    if "converse" in request.path:
        connection.head(200, EVENTSTREAM)
        for frame in CONVERSE_FRAMES:
            connection.piece(frame)
    else:
        connection.head(200, {"content-type": "text/plain"}, length=len(request.path))
        connection.piece(request.path.encode())
    connection.end()


def by_httplib2(url: str) -> list[bytes]:
    client = httplib2.Http()
    try:
        return [client.request(url)[1]]
    finally:
        client.close()


def by_boto3(url: str) -> list[bytes]:
    events = converse(url, retries={"total_max_attempts": 5})
    return [repr(event).encode() for event in events]


Ask = Callable[[str], list[bytes]]
ASKS: dict[str, Ask] = {
    **{one.name: lambda url, one=one: asyncio.run(one.pieces(url)) for one in LIBRARIES},
    "httplib2": by_httplib2,
    "boto3": by_boto3,
}


def all_in_turn(url: str) -> list[list[bytes]]:
    return [ask(f"{url}/{name}") for name, ask in ASKS.items()]


def all_in_threads(url: str) -> list[list[bytes]]:
    with ThreadPoolExecutor(len(ASKS)) as threads:
        return list(threads.map(lambda name: ASKS[name](f"{url}/{name}"), ASKS))


@pytest.mark.parametrize("replayed", [all_in_turn, all_in_threads])
@pytest.mark.parametrize("recorded", [all_in_turn, all_in_threads])
def test_calls_through_all_libraries_land_in_one_file_and_replay_with_the_server_dead(
    recorded: Callable[[str], list[list[bytes]]],
    replayed: Callable[[str], list[list[bytes]]],
    tmp_path: Path,
) -> None:
    with RawServer(echo) as server:
        url = server.url
        with aquila_cassette("all") as cassette:
            live = recorded(url)
        assert len(cassette.recorded) == len(ASKS)
    assert [file.name for file in (tmp_path / "cassettes").iterdir()] == ["all.yaml"]
    with aquila_cassette("all", mode="none") as cassette:
        assert replayed(url) == live
    assert len(cassette.played) == len(ASKS)
    assert live[0] == [b"/httpx-sync"]


@pytest.mark.parametrize("ask", [by_httplib2, by_boto3])
def test_a_miss_comes_out_as_it_is_and_is_asked_once(ask: Ask) -> None:
    with RawServer(echo) as server, pytest.raises(MissError, match="No interaction matches"):
        with aquila_cassette("missed", mode="none") as cassette:
            ask(server.url)
    assert (len(cassette.misses), server.connections) == (1, 0)
