"""Each way in which a stream ends: what is kept of it, and what its replay gives."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from aquila_cassette import TruncatedReplayError, aquila_cassette
from tests.clients import FACES, Face, every_face
from tests.http.kept import kept, read_again
from tests.servers import CHAT_FRAMES, FRAMES, Connection, RawServer, Request, sends

JSON = {"prompt": "Say hello"}
ASYNC_FACES = [face for face in FACES if not face.sync]
SYNC_FACES = [face for face in FACES if face.sync]
every_async_face = pytest.mark.parametrize("face", ASYNC_FACES, ids=repr)
every_sync_face = pytest.mark.parametrize("face", SYNC_FACES, ids=repr)


async def read_three_and_on(face: Face, url: str, then: Callable[[], object]) -> None:
    """Read three pieces, call `then`, and go on reading."""
    async with face.stream(url, json=JSON) as reply:
        for _ in range(3):
            await reply.piece()
        then()
        await reply.pieces()


async def replayed(face: Face, url: str) -> tuple[bytes, Exception | None]:
    return await read_again(face.stream(url, json=JSON))


@every_face
async def test_a_whole_stream_is_complete(face: Face) -> None:
    with RawServer(sends(CHAT_FRAMES, Connection.end)) as server:
        with aquila_cassette("ends"):
            live = await face.pieces(server.url, json=JSON)
    assert kept().response.ended == "complete"
    assert await replayed(face, server.url) == (b"".join(live), None)


@every_face
async def test_a_consumer_that_stops_after_three_events_leaves_a_closed_tape(face: Face) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with face.stream(server.url, json=JSON) as reply:
                seen = [await reply.piece() for _ in range(3)]
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(seen))
    with aquila_cassette("ends", mode="none"):
        async with face.stream(server.url, json=JSON) as reply:
            assert [await reply.piece() for _ in range(3)] == seen


@every_face
async def test_reading_on_past_the_end_of_a_closed_tape_says_how_to_record_more(
    face: Face, request: pytest.FixtureRequest
) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with face.stream(server.url, json=JSON) as reply:
                seen = b"".join([await reply.piece() for _ in range(3)])
    got, error = await replayed(face, server.url)
    assert got == seen
    assert isinstance(error, TruncatedReplayError)
    test = f"'{request.node.nodeid}'"
    tape = Path(request.getfixturevalue("tmp_path")) / "cassettes" / "ends.yaml"
    assert str(error) == (
        f"The recording of POST {server.url} stops here: its consumer stopped reading there.\n"
        f"  cassette: {tape} (interaction 1)\n"
        "  recorded: 3 pieces, 27 bytes\n"
        f"Fix: pytest {test} --aquila-record=all"
    )


@every_face
async def test_stopping_at_the_terminal_event_is_a_whole_stream(face: Face) -> None:
    with RawServer(sends(CHAT_FRAMES, Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with face.stream(server.url, json=JSON) as reply:
                for _ in CHAT_FRAMES:
                    await reply.piece()
    assert kept().response.ended == "complete"


@every_face
async def test_a_connection_reset_after_five_events_fails_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.reset)) as server:
        seen = []
        with aquila_cassette("ends"):
            with pytest.raises(face.lib.ReadError) as live:
                async with face.stream(server.url, json=JSON) as reply:
                    while True:
                        seen.append(await reply.piece())
    response = kept().response
    assert seen == FRAMES
    assert (response.ended, response.body) == ("failed", b"".join(FRAMES))
    assert response.error is not None
    assert (response.error.type, response.error.message) == ("ReadError", str(live.value))
    got, error = await replayed(face, server.url)
    assert got == b"".join(FRAMES)
    assert type(error) is face.lib.ReadError
    assert str(error) == str(live.value)


@every_face
async def test_a_chunked_body_cut_short_fails_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.fin)) as server:
        with aquila_cassette("ends"), pytest.raises(face.lib.RemoteProtocolError):
            await face.pieces(server.url, json=JSON)
    assert kept().response.ended == "failed"
    got, error = await replayed(face, server.url)
    assert got == b"".join(FRAMES)
    assert type(error) is face.lib.RemoteProtocolError


@every_face
async def test_a_content_length_that_is_not_reached_fails_alike_on_replay(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, length=1000)
        connection.piece(FRAMES[0])
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"), pytest.raises(face.lib.RemoteProtocolError):
            await face.pieces(server.url, json=JSON)
    got, error = await replayed(face, server.url)
    assert got == FRAMES[0]
    assert type(error) is face.lib.RemoteProtocolError


@every_face
async def test_a_cut_that_looks_like_an_end_is_marked_and_replays_as_it_was_seen(
    face: Face,
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, close=True)
        for frame in CHAT_FRAMES[:2]:
            connection.piece(frame)
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            live = await face.pieces(server.url, json=JSON)
    response = kept().response
    assert response.ended == "failed"
    assert response.error is not None
    assert response.error.type is None
    assert "data: [DONE]" in response.error.message
    assert await replayed(face, server.url) == (b"".join(live), None)


@every_face
async def test_a_refused_connection_is_kept_and_refused_again(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.end)) as server:
        url = server.url
    with aquila_cassette("ends"):
        try:
            await face.pieces(url, json=JSON)
        except face.lib.ConnectError as error:
            live = str(error)
    assert kept().response.status is None
    got, error = await replayed(face, url)
    assert (got, type(error), str(error)) == (b"", face.lib.ConnectError, live)


@every_face
async def test_a_server_that_falls_silent_times_out_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        client = face.client(timeout=0.5)
        with aquila_cassette("ends"):
            with pytest.raises(face.lib.ReadTimeout):
                async with face.stream(server.url, json=JSON, client=client) as reply:
                    await reply.pieces()
    got, error = await replayed(face, server.url)
    assert got == b"".join(FRAMES[:2])
    assert type(error) is face.lib.ReadTimeout


@every_async_face
async def test_a_cancelled_task_leaves_what_it_had_read(face: Face) -> None:
    three = asyncio.Event()
    seen = []

    async def read(url: str) -> None:
        async with face.stream(url, json=JSON) as reply:
            while True:
                seen.append(await reply.piece())
                if len(seen) == 3:
                    three.set()

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(read(server.url))
            await three.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(seen))
    got, error = await replayed(face, server.url)
    assert got == b"".join(seen)
    assert isinstance(error, TruncatedReplayError)


@every_async_face
async def test_a_cancellation_that_leaves_the_block_keeps_what_was_read(face: Face) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit, aquila_cassette("ends"):
                await read_three_and_on(face, server.url, lambda: limit.reschedule(0))
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(FRAMES[:3]))


@every_async_face
async def test_asyncio_timeout_around_the_reader_leaves_a_closed_tape(face: Face) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    await read_three_and_on(face, server.url, lambda: limit.reschedule(0))
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(FRAMES[:3]))


@every_async_face
def test_a_trio_cancel_scope_leaves_a_closed_tape(face: Face) -> None:
    async def main(url: str) -> None:
        with aquila_cassette("ends"):
            with anyio.CancelScope() as scope:
                await read_three_and_on(face, url, scope.cancel)
            assert scope.cancelled_caught
        got, error = await replayed(face, url)
        assert got == b"".join(FRAMES[:3])
        assert isinstance(error, TruncatedReplayError)

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        anyio.run(main, server.url, backend="trio")


@every_async_face
async def test_a_call_cancelled_before_the_headers_is_kept_as_closed(face: Face) -> None:
    asked = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        asked.set()
        connection.gone()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(face.pieces(server.url, json=JSON))
            await asyncio.to_thread(asked.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert (kept().response.status, kept().response.ended) == (None, "closed")
    got, error = await replayed(face, server.url)
    assert got == b""
    assert isinstance(error, TruncatedReplayError)


@every_sync_face
def test_a_stream_that_is_dropped_and_never_closed_is_closed_when_it_is_collected(
    face: Face,
) -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server, face.client() as client:
        with aquila_cassette("ends") as cassette:
            request = client.build_request("POST", server.url, json=JSON)
            response = client.send(request, stream=True)
            pieces = response.iter_raw()
            assert next(pieces) == FRAMES[0]
            assert cassette.recorded == ()
            del response, pieces
            gc.collect()
            assert [one.response.ended for one in cassette.recorded] == ["closed"]
    assert kept().response.body == FRAMES[0]


@every_face
async def test_a_stream_still_open_when_the_block_ends_is_closed_there(face: Face) -> None:
    goes_on = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(FRAMES[0])
        connection.wait(goes_on)
        connection.piece(FRAMES[1])
        connection.end()

    with RawServer(script) as server:
        block = aquila_cassette("ends")
        block.__enter__()
        async with face.stream(server.url, json=JSON) as reply:
            assert await reply.piece() == FRAMES[0]
            block.__exit__(None, None, None)
            goes_on.set()
            assert await reply.pieces() == [FRAMES[1]]
    response = kept().response
    assert (response.ended, response.body) == ("closed", FRAMES[0])


@every_sync_face
def test_close_from_another_thread_is_a_close_although_the_read_then_fails(face: Face) -> None:
    with RawServer(sends(FRAMES[:1], Connection.gone)) as server, face.client() as client:
        with aquila_cassette("ends"):
            request = client.build_request("POST", server.url, json=JSON)
            response = client.send(request, stream=True)
            pieces = response.iter_raw()
            next(pieces)
            closing = threading.Thread(target=response.close)
            closing.start()
            closing.join()
            with pytest.raises(face.lib.TransportError):
                next(pieces)
    assert kept().response.ended == "closed"


@every_face
async def test_an_error_answer_replays_as_that_error(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(429, {"content-type": "application/json", "retry-after": "20"}, length=2)
        connection.piece(b"{}")
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            await face.request("POST", server.url, json=JSON)
    with aquila_cassette("ends", mode="none"):
        response = await face.request("POST", server.url, json=JSON)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "20"
    assert response.content == b"{}"
    assert response.http_version == "HTTP/1.1"
    assert response.elapsed.total_seconds() >= 0
