"""Pace and steps where a stream is read by a blocking library in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from aquila_cassette import UsageError, aquila_cassette
from tests.blocking import Face, every_face
from tests.servers import CHAT_FRAMES, Connection, RawServer, Request

JSON = {"prompt": "Say hello"}


@pytest.fixture
def url() -> Iterator[str]:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        for frame in CHAT_FRAMES:
            connection.piece(frame)
        connection.end()

    with RawServer(script) as server:
        yield server.url


class Reader(threading.Thread):
    """Reads a stream in a thread of its own, and keeps what it got."""

    def __init__(self, face: Face, url: str) -> None:
        super().__init__(daemon=True)
        self.face, self.url = face, url
        self.seen: list[bytes] = []

    def run(self) -> None:
        with self.face.stream(self.url, json=JSON) as reply:
            for piece in iter(lambda: next(reply._pieces, None), None):
                self.seen.append(piece)


@every_face
def test_a_held_stream_is_let_through_event_by_event(face: Face, url: str) -> None:
    with aquila_cassette("held"):
        face.pieces(url, json=JSON)
    with aquila_cassette("held", mode="none", hold=True) as cassette:
        reader = Reader(face, url)
        reader.start()
        cassette.advance_sync(1)
        assert reader.seen == [CHAT_FRAMES[0]]
        cassette.advance_sync(2)
        assert reader.seen == list(CHAT_FRAMES[:3])
        cassette.release()
        reader.join()
    assert reader.seen == list(CHAT_FRAMES)


@every_face
def test_a_held_stream_that_its_own_thread_reads_is_an_error_at_once(face: Face, url: str) -> None:
    with aquila_cassette("held"):
        face.pieces(url, json=JSON)
    with aquila_cassette("held", mode="none", hold=True), pytest.raises(UsageError):
        face.pieces(url, json=JSON)


@every_face
async def test_settled_waits_for_a_thread_that_reads(face: Face, url: str) -> None:
    with aquila_cassette("settled"):
        face.pieces(url, json=JSON)
    async with aquila_cassette("settled", mode="none") as cassette:
        reader = Reader(face, url)
        reader.start()
        await cassette.settled(streams=1)
        assert reader.seen == list(CHAT_FRAMES)
        reader.join()


@every_face
def test_a_recorded_pace_is_kept(face: Face) -> None:
    goes_on = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(CHAT_FRAMES[0])
        connection.wait(goes_on)
        connection.piece(CHAT_FRAMES[-1])
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("pace"), face.stream(server.url, json=JSON) as reply:
            reply.piece()
            threading.Timer(0.2, goes_on.set).start()
            reply.pieces()
        url = server.url
    with aquila_cassette("pace", mode="none", speed=1), face.stream(url, json=JSON) as reply:
        reply.piece()
        started = time.perf_counter()
        reply.pieces()
        assert time.perf_counter() - started >= 0.15
