"""httpx and httpx2: what they alone have, HTTP/2 and cancel scopes, and what a response carries."""

import asyncio
import gc
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import urllib3

from aquila_cassette import Piece, TruncatedReplayError, aquila_cassette
from tests.clients import FACES, Face, every_face
from tests.http.cassettes import EVENTS, JSON, URL, kept, lay, recorded, same_again, streamed
from tests.servers import FRAMES, Connection, H2Server, RawServer, Request, client_context, sends

every_async_face = pytest.mark.parametrize("face", [one for one in FACES if not one.sync], ids=repr)
every_sync_face = pytest.mark.parametrize("face", [one for one in FACES if one.sync], ids=repr)
STALLS = sends(FRAMES[:1], Connection.gone)


def test_reading_on_past_the_end_of_a_closed_response_says_how_to_record_more(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with RawServer(STALLS) as server, httpx.Client() as client:
        with aquila_cassette("ends"), client.stream("POST", server.url) as response:
            next(response.iter_raw())
    with aquila_cassette("ends", mode="none"), pytest.raises(TruncatedReplayError) as error:
        httpx.post(server.url)
    assert str(error.value) == (
        f"The recording of POST {server.url} stops here: its consumer stopped reading there.\n"
        f"  cassette: {tmp_path / 'cassettes' / 'ends.yaml'} (interaction 1)\n"
        "  recorded: 1 piece, 9 bytes\n"
        f"Fix: pytest {request.node.nodeid} --aquila-record=all"
    )


async def test_a_replayed_failure_says_where_it_comes_from() -> None:
    notes: list[str] = []

    def ask(url: str) -> None:
        with pytest.raises(httpx.ReadError) as raised:
            httpx.get(url)
        notes.extend(getattr(raised.value, "__notes__", ()))

    await same_again(lambda connection, _: connection.reset(), ask)
    (note,) = notes
    assert re.fullmatch(
        r"Replayed from a cassette: \S+ends.yaml \(interaction 1\), recorded 20..-..-..\.", note
    )


@every_async_face
def test_a_trio_cancel_scope_leaves_a_closed_response(face: Face) -> None:
    async def main(url: str) -> None:
        with aquila_cassette("ends"):
            with anyio.CancelScope() as scope:
                async with face.stream(url, json=JSON) as reply:
                    await reply.piece()
                    scope.cancel()
                    await reply.pieces()
            assert scope.cancelled_caught
        with aquila_cassette("ends", mode="none"), pytest.raises(TruncatedReplayError):
            await face.pieces(url, json=JSON)

    with RawServer(STALLS) as server:
        anyio.run(main, server.url, backend="trio")
    assert (kept().response.ended, kept().response.body) == ("closed", FRAMES[0])


def by_httpx(url: str) -> tuple[Any, ...]:
    client = httpx.Client(verify=False)
    response = client.send(client.build_request("POST", url, json=JSON), stream=True)
    pieces = response.iter_raw()
    return next(pieces), pieces, response


def by_urllib3(url: str) -> tuple[Any, ...]:
    response = urllib3.PoolManager().request("POST", url, json=JSON, preload_content=False)
    pieces = response.stream()
    return next(pieces), pieces, response


@pytest.mark.parametrize("ask", [by_httpx, by_urllib3])
def test_a_stream_that_is_dropped_is_closed_when_it_is_collected(
    ask: Callable[[str], tuple[Any, ...]],
) -> None:
    with RawServer(STALLS) as server, aquila_cassette("ends") as cassette:
        piece, *dropped = ask(server.url)
        assert piece == FRAMES[0]
        assert cassette.recorded == ()
        del dropped
        gc.collect()
        assert [one.response.ended for one in cassette.recorded] == ["closed"]
    assert kept().response.body == FRAMES[0]


@every_sync_face
async def test_close_from_another_thread_is_a_close_although_the_read_then_fails(
    face: Face,
) -> None:
    def ask(url: str) -> None:
        with face.client() as client:
            response = client.send(client.build_request("POST", url, json=JSON), stream=True)
            pieces = response.iter_raw()
            next(pieces)
            closing = threading.Thread(target=response.close)
            closing.start()
            closing.join()
            with pytest.raises(face.lib.TransportError):
                next(pieces)

    await recorded(STALLS, ask)
    assert kept().response.ended == "closed"


@every_face
async def test_a_response_replays_with_what_real_ones_carry(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(
            b"HTTP/1.1 302 Found\r\ncontent-type: text/plain\r\nlocation: /caf\xc3\xa9\r\n"
            b"content-encoding: x-own\r\ncontent-length: 6\r\n\r\n\x00\x01own\xff"
        )
        connection.end()

    async def carried(url: str) -> list[Any]:
        response = await face.request("GET", url)
        assert response.elapsed.total_seconds() < 5
        fields = "content http_version reason_phrase url is_closed is_stream_consumed"
        return [*(getattr(response, name) for name in fields.split()), response.headers.raw]

    _, live = await same_again(script, carried)
    assert live[:3] == [b"\x00\x01own\xff", "HTTP/1.1", "Found"]


@pytest.mark.parametrize("lib", [httpx, httpx2], ids=lambda lib: lib.__name__)
def test_an_http_2_stream_replays_as_http_2_and_a_reset_one_fails_alike(lib: Any) -> None:
    def ask(client: Any, url: str) -> tuple[list[bytes], str, str]:
        seen = []
        error = ""
        with client.stream("GET", url) as response:
            try:
                for piece in response.iter_raw():
                    seen.append(piece)
            except lib.RemoteProtocolError as raised:
                error = str(raised)
        return [piece for piece in seen if piece], response.http_version, error

    with H2Server(FRAMES) as server:
        urls = [server.url, f"{server.url}/reset"]
        with aquila_cassette("h2"), lib.Client(http2=True, verify=client_context()) as client:
            live = [ask(client, url) for url in urls]
    with aquila_cassette("h2", mode="none"), lib.Client() as client:
        assert [ask(client, url) for url in urls] == live
    assert (b"".join(live[0][0]), live[0][1:]) == (b"".join(FRAMES), ("HTTP/2", ""))
    assert live[1][2]


@every_async_face
async def test_a_body_can_be_read_on_where_an_iterator_stopped(face: Face) -> None:
    lay("read", streamed(*(Piece(0, event) for event in EVENTS)))
    seen: list[bytes] = []

    async def read() -> None:
        async with face.client() as client, client.stream("POST", URL, json=JSON) as reply:
            async for piece in reply.stream:
                seen.append(piece)
                break
            async for piece in reply.stream:
                seen.append(piece)

    async with aquila_cassette("read", mode="none", hold=True) as cassette:
        task = asyncio.create_task(read())
        await cassette.advance(2)
        assert seen == EVENTS[:2]
        await cassette.advance(3)
        await task
    assert seen == EVENTS
