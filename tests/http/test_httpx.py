"""httpx and httpx2: what they alone have, HTTP/2 and cancel scopes, and what a response carries."""

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from aquila_cassette import Piece, TruncatedReplayError, aquila_cassette
from tests.clients import FACES, Face, every_face
from tests.http.cassettes import EVENTS, JSON, URL, kept, lay, streamed
from tests.servers import FRAMES, Connection, H2Server, RawServer, Request, client_context, sends

every_async_face = pytest.mark.parametrize("face", [one for one in FACES if not one.sync], ids=repr)
every_sync_face = pytest.mark.parametrize("face", [one for one in FACES if one.sync], ids=repr)
both = pytest.mark.parametrize("lib", [httpx, httpx2], ids=lambda lib: lib.__name__)


async def read_three_and_on(face: Face, url: str, then: Any) -> None:
    """Read three pieces, call `then`, and go on reading."""
    async with face.stream(url, json=JSON) as reply:
        for _ in range(3):
            await reply.piece()
        then()
        await reply.pieces()


def test_reading_on_past_the_end_of_a_closed_response_says_how_to_record_more(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server, httpx.Client() as client:
        with aquila_cassette("ends"), client.stream("POST", server.url) as response:
            pieces = response.iter_raw()
            for _ in range(3):
                next(pieces)
    with aquila_cassette("ends", mode="none"), pytest.raises(TruncatedReplayError) as error:
        httpx.post(server.url)
    assert str(error.value) == (
        f"The recording of POST {server.url} stops here: its consumer stopped reading there.\n"
        f"  cassette: {tmp_path / 'cassettes' / 'ends.yaml'} (interaction 1)\n"
        "  recorded: 3 pieces, 27 bytes\n"
        f"Fix: pytest {request.node.nodeid} --aquila-record=all"
    )


@every_async_face
def test_a_trio_cancel_scope_leaves_a_closed_response(face: Face) -> None:
    async def main(url: str) -> None:
        with aquila_cassette("ends"):
            with anyio.CancelScope() as scope:
                await read_three_and_on(face, url, scope.cancel)
            assert scope.cancelled_caught
        with aquila_cassette("ends", mode="none"), pytest.raises(TruncatedReplayError):
            await face.pieces(url, json=JSON)

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        anyio.run(main, server.url, backend="trio")
    assert (kept().response.ended, kept().response.body) == ("closed", b"".join(FRAMES[:3]))


@every_sync_face
def test_a_stream_that_is_dropped_is_closed_when_it_is_collected(face: Face) -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server, face.client() as client:
        with aquila_cassette("ends") as cassette:
            response = client.send(client.build_request("POST", server.url, json=JSON), stream=True)
            pieces = response.iter_raw()
            assert next(pieces) == FRAMES[0]
            assert cassette.recorded == ()
            del response, pieces
            gc.collect()
            assert [one.response.ended for one in cassette.recorded] == ["closed"]
    assert kept().response.body == FRAMES[0]


@every_sync_face
def test_close_from_another_thread_is_a_close_although_the_read_then_fails(face: Face) -> None:
    with RawServer(sends(FRAMES[:1], Connection.gone)) as server, face.client() as client:
        with aquila_cassette("ends"):
            response = client.send(client.build_request("POST", server.url, json=JSON), stream=True)
            pieces = response.iter_raw()
            next(pieces)
            closing = threading.Thread(target=response.close)
            closing.start()
            closing.join()
            with pytest.raises(face.lib.TransportError):
                next(pieces)
    assert kept().response.ended == "closed"


@every_face
async def test_a_response_replays_with_what_real_ones_carry(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(
            b"HTTP/1.1 302 Found\r\ncontent-type: text/plain\r\nlocation: /caf\xc3\xa9\r\n"
            b"content-encoding: x-own\r\ncontent-length: 6\r\n\r\n\x00\x01own\xff"
        )
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("carried"):
            live = await face.request("GET", server.url)
    with aquila_cassette("carried", mode="none"):
        response = await face.request("GET", server.url)
    assert response.content == live.content == b"\x00\x01own\xff"
    assert response.headers["content-encoding"] == "x-own"
    assert dict(response.headers.raw)[b"location"] == dict(live.headers.raw)[b"location"]
    assert (response.http_version, response.reason_phrase) == ("HTTP/1.1", "Found")
    assert response.request.url == server.url
    assert response.is_closed
    assert response.is_stream_consumed
    assert response.elapsed.total_seconds() < 5


@both
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
