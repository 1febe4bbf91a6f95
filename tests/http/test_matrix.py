"""What each HTTP library must do: one test for a behaviour, run with every library.

A test records off a server, looks at what was kept, and replays with the server gone.
"""

import asyncio
import gzip
import re
import threading
import zlib
from collections.abc import Callable

import brotli
import httpx
import pytest

from aquila_cassette import (
    Failure,
    Interaction,
    MissError,
    Response,
    TruncatedReplayError,
    aquila_cassette,
)
from aquila_cassette import Request as Asked
from tests.clients import Library, every_library
from tests.http.cassettes import JSON, kept, lay
from tests.servers import (
    CHAT_FRAMES,
    FRAMES,
    Connection,
    GateServer,
    RawServer,
    Request,
    Script,
    answers,
    sends,
)

TYPE = (("content-type", "application/json"),)
every = every_library()
every_async = every_library(lambda library: library.is_async)
every_closable = every_library(lambda library: library.can_close)


async def read(library: Library, url: str, timeout: float = 10) -> tuple[bytes, Exception | None]:
    """Read a stream to its end: its bytes, and what it ended in."""
    seen = b""
    try:
        async with library.stream(url, json=JSON, timeout=timeout) as reply:
            while True:
                seen += await reply.piece()
    except StopAsyncIteration:
        return seen, None
    except Exception as error:
        return seen, error


async def recorded(
    library: Library, script: Script, timeout: float = 10
) -> tuple[str, tuple[bytes, Exception | None]]:
    """Record a stream off a server with this script; return its URL, and what was read."""
    with RawServer(script) as server, aquila_cassette("ends"):
        return server.url, await read(library, server.url, timeout)


async def replayed(
    library: Library, url: str, timeout: float = 10
) -> tuple[bytes, Exception | None]:
    with aquila_cassette("ends", mode="none"):
        return await read(library, url, timeout)


def same(one: Exception | None, other: Exception | None) -> bool:
    """Return whether two errors say the same, and are of one class, as those that they carry."""
    texts = [re.sub(r"0x\w+", "", str(error)) for error in (one, other)]
    while type(one) is type(other) and one is not None and other is not None:
        one, other = _carried(one), _carried(other)
    return type(one) is type(other) and texts[0] == texts[1]


def _carried(error: Exception) -> Exception | None:
    if not type(error).__module__.startswith(("requests", "urllib")):
        return None
    found = [getattr(error, "reason", None), *error.args]
    return next((one for one in found if isinstance(one, Exception)), None)


# Streams.


@every
async def test_each_piece_is_seen_before_the_next_is_sent_and_comes_alone_on_replay(
    library: Library,
) -> None:
    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("ends"):
            async with library.stream(server.url, json=JSON) as reply:
                for number, frame in enumerate(CHAT_FRAMES, 1):
                    assert await reply.piece() == frame
                    assert server.sent == number
                    server.seen()
                assert await reply.pieces() == []
        one = kept()
        assert [piece.data for piece in one.response.pieces] == list(CHAT_FRAMES)
        assert (one.response.ended, one.request.body) == ("complete", b'{"prompt": "Say hello"}')
    with aquila_cassette("ends", mode="none"):
        async with library.stream(server.url, json=JSON) as reply:
            assert await reply.pieces() == list(CHAT_FRAMES)
            assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream")


@every_closable
async def test_a_consumer_that_stops_leaves_a_closed_response_of_what_it_read(
    library: Library,
) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with library.stream(server.url, json=JSON) as reply:
                seen = b""
                while len(seen) < 27:
                    seen += await reply.piece()
    assert (kept().response.ended, kept().response.body) == ("closed", b"".join(FRAMES[:3]))
    with aquila_cassette("ends", mode="none"):
        async with library.stream(server.url, json=JSON) as reply:
            assert await reply.piece() == kept().response.pieces[0].data
    got, error = await replayed(library, server.url)
    assert got == seen
    assert isinstance(error, TruncatedReplayError)
    assert "stops here: its consumer stopped reading there." in str(error)


@every_closable
async def test_stopping_at_the_terminal_event_is_a_complete_stream(library: Library) -> None:
    whole = b"".join(CHAT_FRAMES)
    with RawServer(sends(CHAT_FRAMES, Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with library.stream(server.url, json=JSON) as reply:
                seen = b""
                while seen != whole:
                    seen += await reply.piece()
    assert kept().response.ended == "complete"
    assert await replayed(library, server.url) == (whole, None)


@every_async
async def test_a_cancelled_task_leaves_what_it_had_read(library: Library) -> None:
    three = asyncio.Event()
    seen = b""

    async def reading(url: str) -> None:
        nonlocal seen
        async with library.stream(url, json=JSON) as reply:
            while True:
                seen += await reply.piece()
                if len(seen) == 27:
                    three.set()

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(reading(server.url))
            await three.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert (kept().response.ended, kept().response.body) == ("closed", seen)


@every_async
async def test_a_call_cancelled_before_the_response_is_kept_as_closed(library: Library) -> None:
    asked = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        asked.set()
        connection.gone()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(library.pieces(server.url, json=JSON))
            await asyncio.to_thread(asked.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert (kept().response.status, kept().response.ended) == (None, "closed")
    got, error = await replayed(library, server.url)
    assert (got, type(error)) == (b"", TruncatedReplayError)


@every
async def test_a_stream_still_open_when_the_block_ends_is_closed_there(library: Library) -> None:
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
        async with library.stream(server.url, json=JSON) as reply:
            assert await reply.piece() == FRAMES[0]
            block.__exit__(None, None, None)
            goes_on.set()
            assert await reply.pieces() == [FRAMES[1]]
    assert (kept().response.ended, kept().response.body) == ("closed", FRAMES[0])


@every
async def test_a_held_stream_is_let_through_event_by_event_in_the_run_that_records_it_too(
    library: Library,
) -> None:
    seen: list[bytes] = []

    async def reading() -> None:
        async with library.stream(server.url, json=JSON) as reply:
            while True:
                seen.append(await reply.piece())

    def in_a_thread() -> None:
        with pytest.raises(StopAsyncIteration):
            asyncio.run(reading())

    with RawServer(sends(CHAT_FRAMES)) as server:
        for mode in ("once", "all", "none"):
            seen.clear()
            async with aquila_cassette("ends", mode=mode, hold=True) as cassette:
                thread = threading.Thread(target=in_a_thread)
                thread.start()
                await cassette.advance(1)
                assert seen == [CHAT_FRAMES[0]]
                await cassette.advance(2)
                assert seen == list(CHAT_FRAMES[:3])
                assert cassette.misses == ()
                cassette.release()
                await asyncio.to_thread(thread.join)
            assert seen == list(CHAT_FRAMES)
            assert kept().response.body == b"".join(CHAT_FRAMES)
    assert kept().response.ended == "complete"


@every
async def test_a_stream_that_is_held_while_it_is_recorded_fails_at_its_place(
    library: Library,
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        for frame in FRAMES:
            connection.piece(frame)
        connection.fin()

    ends = []
    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode, hold=True) as cassette:
                cassette.release()
                ends.append(await read(library, server.url))
    assert ends[0][0] == ends[1][0] == kept().response.body  # tornado loses it, live too
    assert type(ends[0][1]) is type(ends[1][1]) is library.cut
    assert kept().response.ended == "failed"


@every
async def test_answers_that_are_no_streams_pass_at_once_where_a_block_holds_and_records(
    library: Library,
) -> None:
    body = gzip.compress(b'{"a": 1}')
    answer = answers(body, content_type="application/json", content_encoding="gzip")
    with RawServer(answer) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode, hold=True):
                for _ in range(2):
                    assert await library.pieces(server.url, json=JSON) == [b'{"a": 1}']


# Failures.


@every
@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_stream_that_breaks_off_fails_alike_on_replay(library: Library, how: str) -> None:
    if library.name == "tornado" and how == "reset":
        return  # tornado itself loses a reset, and waits for its time-out

    read_all = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        for frame in FRAMES:
            connection.piece(frame)
        connection.wait(read_all)  # a reset takes with it what was not read yet
        getattr(connection, how)()

    seen, live = b"", None
    with RawServer(script) as server:
        with aquila_cassette("ends"):
            try:
                async with library.stream(server.url, json=JSON) as reply:
                    while True:
                        seen += await reply.piece()
                        if seen == b"".join(FRAMES):
                            read_all.set()
            except Exception as error:
                live = error
    assert type(live) is (library.reset if how == "reset" else library.cut)
    response = kept().response
    assert (seen, response.ended, response.body) == (b"".join(FRAMES), "failed", seen)
    assert response.error is not None
    assert response.error.category in ("reset", "closed", "protocol")
    again, error_again = await replayed(library, server.url)
    assert again == seen
    assert same(error_again, live)


def cut_short(connection: Connection, request: Request) -> None:
    connection.head(200, length=1000)
    connection.piece(FRAMES[0])
    connection.fin()


def hang_up(connection: Connection, request: Request) -> None:
    connection.fin()


@every
@pytest.mark.parametrize(("script", "came"), [(cut_short, FRAMES[0]), (hang_up, b"")])
async def test_an_answer_that_is_not_whole_fails_alike_on_replay(
    library: Library, script: Script, came: bytes
) -> None:
    url, (seen, live) = await recorded(library, script)
    assert (kept().response.ended, kept().response.body) == ("failed", came)
    again, error = await replayed(library, url)
    assert again == seen
    assert same(error, live)


@every
async def test_a_cut_that_looks_like_an_end_is_marked_and_replays_as_it_was_seen(
    library: Library,
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, close=True)
        for frame in CHAT_FRAMES[:2]:
            connection.piece(frame)
        connection.fin()

    url, live = await recorded(library, script)
    response = kept().response
    assert live == (b"".join(CHAT_FRAMES[:2]), None)
    assert (response.ended, response.error) == (
        "failed",
        Failure(None, "the stream ended without its data: [DONE]"),
    )
    assert await replayed(library, url) == live


@every
async def test_a_refused_connection_is_kept_and_refused_again(library: Library) -> None:
    with RawServer(sends(())) as server:
        url = server.url
    with aquila_cassette("ends"):
        seen, live = await read(library, url)
    assert (seen, type(live)) == (b"", library.refused)
    response = kept().response
    assert response.status is None
    assert response.error is not None
    assert response.error.category == "connect"
    got, error = await replayed(library, url)
    assert got == b""
    assert same(error, live)


@every
@pytest.mark.parametrize("sent", [0, 2])
async def test_a_server_that_falls_silent_times_out_alike_on_replay(
    library: Library, sent: int
) -> None:
    def script(connection: Connection, request: Request) -> None:
        if sent:
            connection.head(200)
        for frame in FRAMES[:sent]:
            connection.piece(frame)
        connection.gone()

    url, (seen, live) = await recorded(library, script, timeout=0.4)
    assert seen == b"".join(FRAMES[:sent])
    assert kept().response.error is not None
    assert kept().response.error.category == "timeout"  # type: ignore[union-attr]
    if sent:
        assert type(live) is library.timeout
    got, error = await replayed(library, url, timeout=0.4)
    assert got == seen
    assert same(error, live)


@every
@pytest.mark.parametrize("category", ["connect", None, "timeout", "reset", "protocol"])
async def test_what_another_library_recorded_as_failed_fails_as_this_one_would(
    library: Library, category: str | None
) -> None:
    asked = Asked("POST", "http://a.example/", TYPE, b'{"prompt": "Say hello"}')
    # A HAR file tells of a request that a browser blocked, and no more.
    failure = Failure("UnknownError" if category else None, "it broke", category)
    status = None if category in ("connect", None) else 200
    response = Response(status, ended="failed", error=failure)
    lay("ends", Interaction(asked, response))
    expected = {"timeout": library.timeout, "reset": library.reset, "protocol": library.cut}
    if library.name == "tornado":
        expected["reset"] = ConnectionResetError
    seen, error = await replayed(library, asked.url)
    assert (seen, type(error)) == (b"", expected.get(category or "", library.refused))


# Whole responses.


@every
async def test_an_error_response_replays_with_its_status_and_headers(library: Library) -> None:
    with RawServer(answers(b"{}", 429, retry_after="20")) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode):
                async with library.stream(server.url, json=JSON) as reply:
                    assert await reply.pieces() == [b"{}"]
                    assert reply.status == 429
                    assert reply.headers["retry-after"] == "20"
    assert len(server.requests) == 1


@every
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
async def test_a_body_that_comes_compressed_all_the_same_is_kept_as_what_it_decodes_to(
    library: Library, encoding: str
) -> None:
    text = b"data: Hello\n\n" * 40
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "br": brotli.compress,
        "deflate": zlib.compress,
    }
    script = answers(pack[encoding](text), content_encoding=encoding)
    with RawServer(script) as server:
        with aquila_cassette("ends"):
            await read(library, server.url)
    asked = server.requests[0].headers.get("accept-encoding", "identity")
    assert asked == "identity" or library.name.startswith(("lm15", "tornado"))  # they decode
    response = kept().response
    if library.name.startswith("lm15") and encoding == "br":
        return  # it passes on what it cannot decode
    assert (response.body, response.header("content-encoding")) == (text, None)
    assert await replayed(library, server.url) == (text, None)


# What is recorded, and how often.


@every_library(lambda library: library.name not in ("http_client", "lm15", "lm15-async"))
async def test_a_redirect_is_followed_and_each_response_is_recorded_once(library: Library) -> None:
    def script(connection: Connection, request: Request) -> None:
        if request.path == "/from":
            connection.head(302, {"location": "/to"}, length=0)
            connection.end()
        else:
            answers(b"there")(connection, request)

    follows = not library.name.startswith("httpx")
    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode) as cassette:
                got = await library.pieces(f"{server.url}/from")
                assert got == ([b"there"] if follows else [])
            statuses = [one.response.status for one in cassette.interactions]
            assert statuses == ([302, 200] if follows else [302])
    assert len(server.requests) == len(statuses)


@every
async def test_a_cassette_of_another_library_is_replayed(library: Library) -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        with aquila_cassette("ends"):
            httpx.post(f"{server.url}/", json=JSON)
    assert await replayed(library, f"{server.url}/") == (b"".join(CHAT_FRAMES), None)


@every
async def test_a_miss_comes_out_as_it_is_once_and_nothing_is_sent(library: Library) -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        with pytest.raises(MissError, match="No interaction matches POST"):
            with aquila_cassette("missed", mode="none") as cassette:
                await library.pieces(server.url, json=JSON)
        assert (len(cassette.misses), server.connections) == (1, 0)
