"""What each HTTP library must do: one test for a behaviour, run with every library.

A test records off a server, looks at what was kept, and replays with the server gone.
"""

import asyncio
import gzip
import re
import threading
import zlib
from collections.abc import Awaitable, Callable

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
from tests.http.cassettes import JSON, kept, lay, recorded, same_again
from tests.servers import (
    CHAT_FRAMES,
    FRAMES,
    Connection,
    GateServer,
    RawServer,
    Request,
    answers,
    chat,
    sends,
)

every = every_library()
every_async = every_library(lambda library: library.is_async)
every_closable = every_library(lambda library: library.can_close)
CHAT = b"".join(CHAT_FRAMES)
THREE = b"".join(FRAMES[:3])
Read = tuple[bytes, Exception | None]


async def read(
    library: Library, url: str, *, until: bytes = b"", on: Callable[[bytes], object] = len
) -> Read:
    """Read a stream until that much has come, or to its end; return its bytes and what it ended in."""
    seen = b""
    try:
        async with library.stream(url, json=JSON, timeout=10) as reply:
            while not until or seen != until:
                seen += await reply.piece()
                on(seen)
    except StopAsyncIteration:
        pass
    except Exception as error:
        return seen, error
    return seen, None


async def replayed(library: Library, url: str) -> Read:
    with aquila_cassette("ends", mode="none"):
        return await read(library, url)


def of_kept() -> tuple[str, bytes]:
    return kept().response.ended, kept().response.body


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
    async def stop(url: str) -> Read:
        return await read(library, url, until=THREE)

    server, live = await same_again(sends(FRAMES[:3], Connection.gone), stop)
    assert live == (THREE, None)
    assert of_kept() == ("closed", THREE)
    got, error = await replayed(library, server.url)
    assert got == THREE
    assert isinstance(error, TruncatedReplayError)
    assert "stops here: its consumer stopped reading there." in str(error)


@every_async
async def test_a_task_that_reads_ahead_is_stopped_by_its_consumer_again(library: Library) -> None:
    async def first(url: str) -> bytes:
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        async def read_ahead() -> None:
            async with library.stream(url, json=JSON) as reply:
                while piece := await reply.piece():
                    pieces.put_nowait(piece)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(read_ahead())
            piece = await pieces.get()
            task.cancel()
        return piece

    await same_again(sends(FRAMES[:3], Connection.gone), first)
    assert kept().response.ended == "closed"


@every_closable
async def test_stopping_at_the_terminal_event_is_a_complete_stream(library: Library) -> None:
    server, _ = await recorded(
        sends(CHAT_FRAMES, Connection.gone), lambda url: read(library, url, until=CHAT)
    )
    assert kept().response.ended == "complete"
    assert await replayed(library, server.url) == (CHAT, None)


@every_async
@pytest.mark.parametrize("came", [b"", THREE])
async def test_a_cancelled_task_leaves_what_it_had_read(library: Library, came: bytes) -> None:
    is_there = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        if came:
            connection.head(200)
            connection.piece(came)
        else:
            is_there.set()
        connection.gone()

    async def cancelled(url: str) -> None:
        task = asyncio.create_task(read(library, url, on=lambda _: is_there.set()))
        await asyncio.to_thread(is_there.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    server, _ = await recorded(script, cancelled)
    assert of_kept() == ("closed", came)
    assert kept().response.status == (200 if came else None)
    got, error = await replayed(library, server.url)
    assert (got, type(error)) == (came, TruncatedReplayError)


@every
async def test_a_stream_still_open_when_the_block_ends_is_closed_there(library: Library) -> None:
    with GateServer(FRAMES[:2]) as server:
        block = aquila_cassette("ends")
        block.__enter__()
        async with library.stream(server.url, json=JSON) as reply:
            assert await reply.piece() == FRAMES[0]
            block.__exit__(None, None, None)
            server.seen()
            assert await reply.pieces() == [FRAMES[1]]
    assert of_kept() == ("closed", FRAMES[0])


@every
async def test_a_held_stream_is_let_through_event_by_event_in_the_run_that_records_it_too(
    library: Library,
) -> None:
    seen = b""

    def note(now: bytes) -> None:
        nonlocal seen
        seen = now

    with RawServer(chat) as server:
        for mode in ("once", "all", "none"):
            seen = b""
            async with aquila_cassette("ends", mode=mode, hold=True) as cassette:
                reading = read(library, server.url, on=note)
                thread = threading.Thread(target=asyncio.run, args=(reading,))
                thread.start()
                await cassette.advance(1)
                assert seen == CHAT_FRAMES[0]
                await cassette.advance(2)
                assert seen == b"".join(CHAT_FRAMES[:3])
                assert cassette.misses == ()
                cassette.release()
                await asyncio.to_thread(thread.join)
            assert seen == CHAT
            assert of_kept() == ("complete", CHAT)


@every
async def test_a_stream_that_is_held_while_it_is_recorded_fails_at_its_place(
    library: Library,
) -> None:
    ends = []
    with RawServer(sends(FRAMES, Connection.fin)) as server:
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
                assert await library.pieces(server.url, json=JSON) == [b'{"a": 1}']


# Failures.


@every
@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_stream_that_breaks_off_fails_alike_on_replay(library: Library, how: str) -> None:
    if library.name == "tornado" and how == "reset":
        return  # tornado itself loses a reset, and waits for its time-out
    whole = b"".join(FRAMES)
    read_all = threading.Event()

    def break_off(connection: Connection) -> None:
        connection.wait(read_all)  # a reset takes with it what was not read yet
        getattr(connection, how)()

    def on(seen: bytes) -> None:
        if seen == whole:
            read_all.set()

    server, (seen, live) = await recorded(
        sends(FRAMES, break_off), lambda url: read(library, url, on=on)
    )
    assert type(live) is (library.reset if how == "reset" else library.cut)
    assert (seen, *of_kept()) == (whole, "failed", whole)
    error = kept().response.error
    assert error is not None
    assert error.category in ("reset", "closed", "protocol")
    again, error_again = await replayed(library, server.url)
    assert again == seen
    assert same(error_again, live)


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "within a chunk": _CHUNKED + b"7\r\ndata: 1\r\nff\r\ndata: 2",
    "after a chunk": _CHUNKED + b"7\r\ndata: 1\r\n",
    "within its length": _HEAD + b"Content-Length: 20\r\n\r\ndata: 1",
    **{
        f"the chunk size {size!r}": _CHUNKED + b"7\r\ndata: 1\r\n%s\r\nhello\r\n0\r\n\r\n" % size
        for size in (b"ZZ", b"")
    },
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "too long a line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "nothing": b"",
}


# What tornado shows of a stream that ends at once is a race in tornado.
@every_library(lambda one: one.name != "tornado")
@pytest.mark.parametrize("sent", BROKEN)
async def test_an_answer_that_is_broken_gives_as_much_as_without_us_and_on_replay(
    library: Library, sent: str
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(BROKEN[sent])
        connection.fin()

    with RawServer(script) as server:
        bare, error = await read(library, server.url)
        with aquila_cassette("ends"):
            seen, live = await read(library, server.url)
    assert (bare, same(error, live)) == (seen, True)
    assert kept().response.ended == "failed" or live is None
    again, error_again = await replayed(library, server.url)
    assert (again, same(error_again, live)) == (seen, True)


@every
async def test_a_cut_that_looks_like_an_end_is_marked_and_replays_as_it_was_seen(
    library: Library,
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, close=True)
        for frame in CHAT_FRAMES[:2]:
            connection.piece(frame)
        connection.fin()

    _, live = await same_again(script, lambda url: read(library, url))
    assert live == (b"".join(CHAT_FRAMES[:2]), None)
    cut = Failure(None, "the stream ended without its data: [DONE]")
    assert (kept().response.ended, kept().response.error) == ("failed", cut)


@every
async def test_a_refused_connection_is_kept_and_refused_again(library: Library) -> None:
    with RawServer(chat) as server:
        pass
    with aquila_cassette("ends"):
        seen, live = await read(library, server.url)
    assert (seen, type(live)) == (b"", library.refused)
    response = kept().response
    assert response.error is not None
    assert (response.status, response.error.category) == (None, "connect")
    got, error = await replayed(library, server.url)
    assert (got, same(error, live)) == (b"", True)


@every
@pytest.mark.parametrize("sent", [0, 2])
async def test_a_server_that_falls_silent_times_out_alike_on_replay(
    library: Library, sent: int
) -> None:
    async def wait(url: str) -> Read:
        seen = b""
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each library has its own
            async with library.stream(url, json=JSON, timeout=0.4) as reply:
                while True:
                    seen += await reply.piece()
        assert isinstance(raised.value, library.timeout) or not sent
        return seen, raised.value

    script = sends(FRAMES[:sent], Connection.gone) if sent else lambda one, _: one.gone()
    server, (seen, live) = await recorded(script, wait)
    assert seen == b"".join(FRAMES[:sent])
    assert kept().response.error is not None
    assert kept().response.error.category == "timeout"  # type: ignore[union-attr]
    with aquila_cassette("ends", mode="none"):
        got, error = await wait(server.url)
    assert (got, same(error, live)) == (seen, True)


@every
@pytest.mark.parametrize("category", ["connect", None, "timeout", "reset", "protocol"])
async def test_what_another_library_recorded_as_failed_fails_as_this_one_would(
    library: Library, category: str | None
) -> None:
    asked = Asked("POST", "http://a.example/", body=b'{"prompt": "Say hello"}')
    # A HAR file tells of a request that a browser blocked, and no more.
    failure = Failure("UnknownError" if category else None, "it broke", category)
    status = None if category in ("connect", None) else 200
    lay("ends", Interaction(asked, Response(status, ended="failed", error=failure)))
    expected = {"timeout": library.timeout, "reset": library.reset, "protocol": library.cut}
    if library.name == "tornado":
        expected["reset"] = ConnectionResetError
    seen, error = await replayed(library, asked.url)
    assert (seen, type(error)) == (b"", expected.get(category or "", library.refused))


# Whole responses.


def whole(
    library: Library, *, method: str = "GET", path: str = ""
) -> Callable[[str], Awaitable[object]]:
    """Make a function that asks, and returns body, status, headers and status text."""

    async def ask(url: str) -> tuple[bytes, int, dict[str, str], str]:
        async with library.open(method, url + path, None, 5) as reply:
            body = b"".join(await reply.pieces())
            unkept = ("date", "server", "content-encoding")
            headers = {k: v for k, v in reply.headers.items() if k not in unkept}
            response = reply.response
            reason = getattr(response, "reason_phrase", getattr(response, "reason", ""))
            return body, reply.status, headers, reason

    return ask


@every
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_status_headers_length_and_status_text_are_as_they_were_on_the_wire(
    library: Library, method: str
) -> None:
    def script(connection: Connection, request: Request) -> None:
        headers = {"X-Goog-Upload-URL": "https://uploads.example/1", "Retry-After": "20"}
        connection.head(409, {**headers, "ETag": '"e"', "Date": "Mon, 23 Nov"}, length=5)
        if request.method != "HEAD":
            connection.piece(b"he")
            connection.piece(b"llo")
        connection.end()

    _, (body, status, headers, _) = await same_again(script, whole(library, method=method))
    assert (body, status) == (b"" if method == "HEAD" else b"hello", 409)
    assert headers["content-length"] == "5"
    response = kept().response
    assert response.ended == "complete"
    upload = "X-Goog-Upload-URL" if library.name != "tornado" else "X-Goog-Upload-Url"
    assert (upload in dict(response.headers), response.header("date")) == (True, None)


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
    server, _ = await recorded(script, lambda url: read(library, url))
    asked = server.requests[0].headers.get("accept-encoding", "identity")
    assert asked == "identity" or library.name.startswith(("lm15", "tornado"))  # they decode
    if library.name.startswith("lm15") and encoding == "br":
        return  # it passes on what it cannot decode
    assert (kept().response.body, kept().response.header("content-encoding")) == (text, None)
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

    server, live = await same_again(script, lambda url: library.pieces(f"{url}/from"))
    follows = not library.name.startswith("httpx")
    assert live == ([b"there"] if follows else [])
    assert len(server.requests) == (2 if follows else 1)


@every
async def test_a_cassette_of_another_library_is_replayed(library: Library) -> None:
    server, _ = await recorded(chat, lambda url: httpx.post(f"{url}/", json=JSON))
    assert await replayed(library, f"{server.url}/") == (CHAT, None)


@every
async def test_a_miss_comes_out_as_it_is_once_and_nothing_is_sent(library: Library) -> None:
    with RawServer(chat) as server:
        with pytest.raises(MissError, match="No interaction matches POST"):
            with aquila_cassette("missed", mode="none") as cassette:
                await library.pieces(server.url, json=JSON)
        assert (len(cassette.misses), server.connections) == (1, 0)
