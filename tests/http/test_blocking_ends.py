"""How streams end in requests, urllib3, urllib and http.client: what is kept, and its replay."""

from __future__ import annotations

import gc
import threading

import pytest
import requests
import urllib3

from aquila_cassette import TruncatedReplayError, aquila_cassette
from tests.blocking import Face, every_face
from tests.http.kept import kept
from tests.servers import CHAT_FRAMES, FRAMES, Connection, RawServer, Request, sends

JSON = {"prompt": "Say hello"}


def read_all(face: Face, url: str, timeout: float = 10) -> tuple[bytes, Exception | None]:
    """Read a stream to its end: its bytes, and what it ended in."""
    seen = b""
    try:
        with face.stream(url, json=JSON, timeout=timeout) as reply:
            while True:
                seen += reply.piece()
    except StopIteration:
        return seen, None
    except Exception as error:
        return seen, error


def same(one: Exception | None, other: Exception | None) -> bool:
    """Tell whether two exceptions are of one class, and those that they carry too."""
    while type(one) is type(other) and one is not None and other is not None:
        one, other = _carried(one), _carried(other)
    return type(one) is type(other)


def _carried(error: Exception) -> Exception | None:
    found = [getattr(error, "reason", None), *error.args]
    return next((one for one in found if isinstance(one, Exception)), None)


@every_face
def test_a_whole_stream_is_complete(face: Face) -> None:
    with RawServer(sends(CHAT_FRAMES, Connection.end)) as server:
        with aquila_cassette("ends"):
            live = face.pieces(server.url, json=JSON)
    assert kept().response.ended == "complete"
    with aquila_cassette("ends", mode="none"):
        assert read_all(face, server.url) == (b"".join(live), None)


@every_face
def test_a_consumer_that_stops_after_three_events_leaves_a_closed_tape(face: Face) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"), face.stream(server.url, json=JSON) as reply:
            seen = [reply.piece() for _ in range(3)]
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(seen))
    with aquila_cassette("ends", mode="none"):
        with face.stream(server.url, json=JSON) as reply:
            assert [reply.piece() for _ in range(3)] == seen


@every_face
def test_what_came_but_was_not_read_is_not_kept(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.end)) as server:
        with aquila_cassette("ends"), face.stream(server.url, json=JSON) as reply:
            assert reply.piece() == FRAMES[0]
    assert (kept().response.ended, kept().response.body) == ("closed", FRAMES[0])


@every_face
def test_reading_on_past_the_end_of_a_closed_tape_says_so(face: Face) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"), face.stream(server.url, json=JSON) as reply:
            for _ in range(3):
                reply.piece()
    with aquila_cassette("ends", mode="none"):
        seen, error = read_all(face, server.url)
    assert seen == b"".join(FRAMES[:3])
    assert isinstance(error, TruncatedReplayError)
    assert "its consumer stopped reading there" in str(error)


@every_face
def test_stopping_at_the_terminal_event_is_a_whole_stream(face: Face) -> None:
    with RawServer(sends(CHAT_FRAMES, Connection.gone)) as server:
        with aquila_cassette("ends"), face.stream(server.url, json=JSON) as reply:
            for _ in CHAT_FRAMES:
                reply.piece()
    assert kept().response.ended == "complete"


@every_face
def test_a_connection_reset_after_five_events_fails_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.reset)) as server:
        with aquila_cassette("ends"):
            seen, live = read_all(face, server.url)
    assert (seen, type(live)) == (b"".join(FRAMES), face.reset)
    response = kept().response
    assert (response.ended, response.body) == ("failed", b"".join(FRAMES))
    assert response.error is not None
    assert response.error.type == "ConnectionResetError"
    with aquila_cassette("ends", mode="none"):
        again, error = read_all(face, server.url)
    assert again == seen
    assert same(error, live)
    assert str(error) == str(live)


@every_face
def test_a_chunked_body_cut_short_fails_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.fin)) as server:
        with aquila_cassette("ends"):
            seen, live = read_all(face, server.url)
    assert type(live) is face.cut
    response = kept().response
    assert response.ended == "failed"
    assert response.error is not None
    assert response.error.type == "IncompleteRead"
    with aquila_cassette("ends", mode="none"):
        again, error = read_all(face, server.url)
    assert again == seen == b"".join(FRAMES)
    assert same(error, live)


@every_face
def test_a_content_length_that_is_not_reached_fails_alike_on_replay(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "application/json"}, length=1000)
        connection.piece(b"{}")
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            seen, live = read_all(face, server.url)
    assert kept().response.ended == "failed"
    with aquila_cassette("ends", mode="none"):
        again, error = read_all(face, server.url)
    assert again == seen
    assert same(error, live)
    assert str(error) == str(live)


@every_face
def test_a_cut_that_looks_like_an_end_is_marked_and_replays_as_it_was_seen(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, close=True)
        for frame in CHAT_FRAMES[:2]:
            connection.piece(frame)
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            live = b"".join(face.pieces(server.url, json=JSON))
    response = kept().response
    assert response.ended == "failed"
    assert response.error is not None
    assert response.error.type is None
    with aquila_cassette("ends", mode="none"):
        assert read_all(face, server.url) == (live, None)


@every_face
def test_a_refused_connection_is_kept_and_refused_again(face: Face) -> None:
    with RawServer(sends(FRAMES, Connection.end)) as server:
        url = server.url
    with aquila_cassette("ends"):
        _, live = read_all(face, url)
    assert type(live) is face.refused
    assert kept().response.status is None
    with aquila_cassette("ends", mode="none"):
        _, error = read_all(face, url)
    assert same(error, live)
    if not isinstance(live, requests.RequestException):  # it names objects by their addresses
        assert str(error) == str(live)


@every_face
def test_a_server_that_hangs_up_before_it_answers_fails_alike_on_replay(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            _, live = read_all(face, server.url)
    assert live is not None
    error = kept().response.error
    assert error is not None
    assert error.type == "RemoteDisconnected"
    with aquila_cassette("ends", mode="none"):
        _, again = read_all(face, server.url)
    assert same(again, live)
    assert str(again) == str(live)


@every_face
def test_a_server_that_falls_silent_times_out_alike_on_replay(face: Face) -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        with aquila_cassette("ends"):
            seen, live = read_all(face, server.url, timeout=0.5)
    assert (seen, type(live)) == (b"".join(FRAMES[:2]), face.timeout)
    with aquila_cassette("ends", mode="none"):
        again, error = read_all(face, server.url)
    assert again == seen
    assert same(error, live)


@every_face
def test_a_server_that_never_answers_times_out_alike_on_replay(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.gone()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            _, live = read_all(face, server.url, timeout=0.5)
    assert live is not None
    with aquila_cassette("ends", mode="none"):
        _, error = read_all(face, server.url)
    assert same(error, live)


@every_face
def test_a_stream_still_open_when_the_block_ends_is_closed_there(face: Face) -> None:
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
        with face.stream(server.url, json=JSON) as reply:
            assert reply.piece() == FRAMES[0]
            block.__exit__(None, None, None)
            goes_on.set()
            assert reply.pieces() == [FRAMES[1]]
    response = kept().response
    assert (response.ended, response.body) == ("closed", FRAMES[0])


def test_a_stream_that_is_dropped_and_never_closed_is_closed_when_it_is_collected() -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server, urllib3.PoolManager() as pool:
        with aquila_cassette("ends") as cassette:
            response = pool.request("POST", server.url, json=JSON, preload_content=False)
            pieces = response.stream()
            assert next(pieces) == FRAMES[0]
            assert cassette.recorded == ()
            del response, pieces
            gc.collect()
            assert [one.response.ended for one in cassette.recorded] == ["closed"]
    assert kept().response.body == FRAMES[0]


@every_face
def test_an_error_answer_replays_as_that_error(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(429, {"content-type": "application/json", "retry-after": "20"}, length=2)
        connection.piece(b"{}")
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("ends"), face.stream(server.url, json=JSON) as reply:
            assert reply.pieces() == [b"{}"]
    with aquila_cassette("ends", mode="none"), face.stream(server.url, json=JSON) as reply:
        assert reply.status == 429
        assert reply.headers["retry-after"] == "20"
        assert reply.headers["content-length"] == "2"
        assert reply.pieces() == [b"{}"]


@every_face
@pytest.mark.parametrize("size", [b"-5", b"hello", b""])
def test_a_malformed_chunk_size_is_a_protocol_failure(face: Face, size: bytes) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(FRAMES[0])
        connection.send(size + b"\r\nhello\r\n0\r\n\r\n")
        connection.fin()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            _, live = read_all(face, server.url)
    response = kept().response
    assert (response.ended, response.body) == ("failed", FRAMES[0])
    assert live is not None
    with aquila_cassette("ends", mode="none"):
        seen, error = read_all(face, server.url)
    assert seen == FRAMES[0]
    assert same(error, live)
