"""What stepping through a held stream cannot do, and how it says so."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import httpx
import pytest

from aquila_cassette import MissError, RenderTimeout, UsageError, aquila_cassette
from aquila_cassette.waiting.pending import Pending, mark_job, register
from tests.clients import FACES, Face, every_face
from tests.http.held import EVENTS, URL, Reader, question, reading, tape
from tests.servers import CHAT_FRAMES, Connection, RawServer, Request

ASYNC = next(face for face in FACES if not face.sync)
every_sync_face = pytest.mark.parametrize("face", [f for f in FACES if f.sync], ids=repr)
SAY_WHICH = "Fix: say which, by a part of its prompt or URL or by its number: "
TEST = "tests/http/test_hold_errors.py"


@every_face
async def test_several_streams_and_no_word_which_is_an_error_that_lists_them(face: Face) -> None:
    asked = [
        {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]}
        for content in ("Say hello", "Say bye")
    ]
    tape("held", CHAT_FRAMES, CHAT_FRAMES, asked=asked)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, asked[0]):
            await cassette.advance(2)
            async with reading(cassette, face, asked[1]):
                await cassette.advance(1, of="Say bye")
                with pytest.raises(UsageError) as raised:
                    await cassette.advance(3)
                lines = str(raised.value).splitlines()
                assert [line for line in lines if "reader:" not in line] == [
                    "advance(3) has 2 held streams to choose from.",
                    f"  stream 1: POST {URL}: its reader waits for the next event",
                    "    prompt: 'Say hello'",
                    "    model:  gpt-4o-mini",
                    "    events: 2 of 5, so far 'Hello, '",
                    f"  stream 2: POST {URL}: its reader waits for the next event",
                    "    prompt: 'Say bye'",
                    "    model:  gpt-4o-mini",
                    "    events: 1 of 5, so far 'Hel'",
                    SAY_WHICH + "advance(3, of=1)",
                ]
                with pytest.raises(UsageError, match=r"^advance\(1, of='Say'\) has 2 held streams"):
                    await cassette.advance(of="Say")


@every_face
async def test_a_stream_that_is_over_cannot_be_advanced(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(9)
            await reader.done()
            with pytest.raises(UsageError) as raised:
                await cassette.advance(1, of=1)
    assert str(raised.value) == (
        "advance(1, of=1) has nothing to let through: all of that stream was.\n"
        f"  stream 1: POST {URL}: it is over\n"
        "    prompt: 'question 1'\n"
        "    events: 5 of 5\n"
        "Fix: take the call out, or name another stream"
    )


async def test_where_no_stream_comes_the_error_lists_those_there_were() -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        with pytest.raises(RenderTimeout) as raised:
            await cassette.advance(2, timeout=0.01)
        assert str(raised.value) == (
            "advance(2) found no held stream in 0.01 s.\n"
            "  held: none\n"
            "Fix: have it asked for in a task or thread of its own, or wait longer: "
            "advance(timeout=...)"
        )
        async with reading(cassette, ASYNC, question(1)) as [reader]:
            await cassette.advance(5)
            await reader.done()
            with pytest.raises(RenderTimeout) as raised:
                await cassette.advance(of="question", timeout=0.01)
    assert str(raised.value) == (
        "advance(1, of='question') found no held stream in 0.01 s.\n"
        f"  stream 1: POST {URL}: it is over\n"
        "    prompt: 'question 1'\n"
        "    events: 5 of 5\n"
        "Fix: have it asked for in a task or thread of its own, or wait longer: "
        "advance(timeout=...)"
    )


async def test_a_reader_that_does_not_come_back_is_named() -> None:
    tape("held", EVENTS)
    never = asyncio.Event()

    async def read_two() -> None:
        async with httpx.AsyncClient(verify=False) as client:
            async with client.stream("POST", URL, json=question(1)) as response:
                seen = 0
                async for _ in response.aiter_raw():
                    seen += 1
                    if seen == 2:
                        await never.wait()

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        task = asyncio.create_task(read_two())
        await cassette.advance()
        with pytest.raises(RenderTimeout) as raised:
            await cassette.advance(2, timeout=0.2)
        never.set()
        await cassette.advance(1)
        task.cancel()
        await asyncio.wait([task])
    line = read_two.__code__.co_firstlineno + 7
    assert str(raised.value) == (
        "advance(2) let events through that were not consumed in 0.2 s.\n"
        f"  stream 1: POST {URL}: its reader did not come back for more\n"
        "    prompt: 'question 1'\n"
        "    events: 2 of 5\n"
        f"    reader: {TEST}:{line} in "
        "test_a_reader_that_does_not_come_back_is_named.<locals>.read_two\n"
        "Fix: read it in a task or thread of its own, or wait longer: advance(timeout=...)"
    )


def test_a_thread_that_does_not_come_back_is_named() -> None:
    tape("held", EVENTS)
    back = threading.Event()

    def read_two() -> None:
        with httpx.Client(verify=False) as client:
            with client.stream("POST", URL, json=question(1)) as response:
                for number, _ in enumerate(response.iter_raw(), 1):
                    if number == 2:
                        back.wait()

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        thread = threading.Thread(target=read_two)
        thread.start()
        cassette.advance_sync()
        try:
            with pytest.raises(RenderTimeout) as raised:
                cassette.advance_sync(2, timeout=0.2)
        finally:
            back.set()
    thread.join()
    assert str(raised.value).splitlines()[:2] == [
        "advance_sync(2) let events through that were not consumed in 0.2 s.",
        f"  stream 1: POST {URL}: its reader did not come back for more",
    ]


class Stuck:
    """A view whose handler does not end."""

    def __init__(self) -> None:
        register(self)

    def pending(self) -> list[Pending]:
        return [Pending("handler of Stuck")]

    def take_failure(self) -> None:
        return None


def after_the_deadline(called: str) -> str:
    return (
        f"{called}(1): what came of the events was not handled in 0.2 s.\n"
        "  pending: handler of Stuck\n"
        f"Fix: end it, or wait longer: {called}(timeout=...)"
    )


@every_face
async def test_a_view_that_does_not_handle_what_came_is_named(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)):
            await cassette.advance()
            view = Stuck()
            with pytest.raises(RenderTimeout) as raised:
                await cassette.advance(timeout=0.2)
            del view
    assert str(raised.value) == after_the_deadline("advance")


@every_sync_face
def test_a_view_that_does_not_handle_what_came_is_named_in_a_thread_too(face: Face) -> None:
    tape("held", EVENTS)

    def read() -> None:
        with face.client() as client:
            client.post(URL, json=question(1))

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        thread = threading.Thread(target=read)
        thread.start()
        cassette.advance_sync()
        view = Stuck()
        with pytest.raises(RenderTimeout) as raised:
            cassette.advance_sync(timeout=0.2)
        del view
    thread.join()
    assert str(raised.value) == after_the_deadline("advance_sync")


async def test_a_request_without_a_recording_is_told_at_once() -> None:
    tape("held", EVENTS)
    with pytest.raises(MissError, match="No recording matches POST"):
        async with aquila_cassette(
            "held", mode="none", hold=True, on_unplayed="ignore"
        ) as cassette:
            async with reading(cassette, ASYNC, question(7)):
                await cassette.advance()


async def test_a_block_that_does_not_hold_cannot_be_advanced() -> None:
    tape("held", EVENTS)
    with aquila_cassette("held", mode="none", on_unplayed="ignore") as cassette:
        with pytest.raises(UsageError) as raised:
            await cassette.advance()
        cassette.release()
    assert str(raised.value) == (
        'advance(1) needs a block that holds streams back.\nFix: aquila_cassette("held", hold=True)'
    )


async def test_what_was_released_cannot_be_advanced() -> None:
    tape("held", EVENTS)
    with aquila_cassette("held", mode="none", hold=True, on_unplayed="ignore") as cassette:
        cassette.release()
        with pytest.raises(UsageError) as raised:
            await cassette.advance()
    assert str(raised.value) == (
        "advance(1) has nothing to let through: all was released.\nFix: call it before release()"
    )


@every_face
async def test_what_is_recorded_is_not_held_and_is_on_the_tape_whole_when_that_is_said(
    face: Face,
) -> None:
    let_on = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(EVENTS[0])
        connection.wait(let_on)
        for frame in EVENTS[1:]:
            connection.piece(frame)
        connection.end()

    tape_path = Path(os.environ["AQUILA_CASSETTE_DIR"]) / "fresh.yaml"
    with RawServer(script) as server:
        with pytest.raises(UsageError) as raised:
            async with aquila_cassette("fresh", hold=True) as cassette:
                reader = Reader(face, question(1), server.url)
                await asyncio.to_thread(reader.head.wait)
                advance = asyncio.create_task(cassette.advance(2, timeout=0.01))
                await asyncio.sleep(0)
                let_on.set()
                await advance
        await reader.done()
    assert str(raised.value) == (
        "advance(2) has nothing to hold back: this block records, and that is live.\n"
        f"  cassette: {tape_path} (mode once)\n"
        "Fix: run it again: what was recorded is replayed then, and held"
    )
    async with aquila_cassette("fresh", hold=True) as cassette:
        async with reading(cassette, face, question(1), url=server.url) as [reader]:
            await cassette.advance(2)
            assert reader.pieces == EVENTS[:2]


async def test_mode_all_says_how_to_record_what_is_stepped_through() -> None:
    tape("held", EVENTS)

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(EVENTS[0])
        connection.end()

    tape_path = Path(os.environ["AQUILA_CASSETTE_DIR"]) / "held.yaml"
    with RawServer(script) as server:
        with pytest.raises(UsageError) as raised:
            async with aquila_cassette("held", mode="all", hold=True) as cassette:
                async with reading(cassette, ASYNC, question(1), url=server.url):
                    await cassette.advance()
    assert str(raised.value) == (
        "advance(1) has nothing to hold back: this block records, and that is live.\n"
        f"  cassette: {tape_path} (mode all)\n"
        "Fix: delete the file, and run it twice in mode once"
    )


async def test_a_job_cannot_step_through_what_it_may_itself_read() -> None:
    tape("held", EVENTS)
    with aquila_cassette("held", mode="none", hold=True, on_unplayed="ignore") as cassette:
        with mark_job("job 'reply' of Chat"), pytest.raises(UsageError) as raised:
            await cassette.advance()
    assert str(raised.value).splitlines()[0] == (
        "advance was called inside job 'reply' of Chat, and would wait for it."
    )


def test_a_thread_too_is_recorded_whole_before_it_is_said_that_it_is_live() -> None:
    asked, let_on = threading.Event(), threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(EVENTS[0])
        asked.set()
        connection.wait(let_on)
        for frame in EVENTS[1:]:
            connection.piece(frame)
        connection.end()

    def read() -> None:
        httpx.post(server.url, json=question(1), verify=False)

    with RawServer(script) as server:
        with pytest.raises(UsageError, match="this block records, and that is live"):
            with aquila_cassette("fresh", hold=True) as cassette:
                thread = threading.Thread(target=read)
                thread.start()
                asked.wait()
                let_on.set()
                cassette.advance_sync()
        thread.join()
    (interaction,) = cassette.recorded
    assert (interaction.response.ended, interaction.response.body) == ("complete", b"".join(EVENTS))


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "3"])
def test_a_count_that_is_none_is_refused(count: object) -> None:
    with aquila_cassette("none", mode="none", hold=True) as cassette:
        with pytest.raises(UsageError) as raised:
            cassette.advance_sync(count)  # type: ignore[arg-type]
    assert str(raised.value) == (
        "advance_sync cannot let that many events through.\n"
        "  expected: a number, 1 or more\n"
        f"  got:      {count!r}\n"
        "Fix: advance(1)"
    )


@pytest.mark.parametrize("of", [0, -1, True, "", b"x"])
def test_a_stream_that_cannot_be_meant_is_refused(of: object) -> None:
    with aquila_cassette("none", mode="none", hold=True) as cassette:
        with pytest.raises(UsageError) as raised:
            cassette.release(of)  # type: ignore[arg-type]
    assert str(raised.value) == (
        "release cannot know which stream is meant.\n"
        "  expected: of= a part of its prompt or URL, or its number, from 1\n"
        f"  got:      {of!r}\n"
        "Fix: advance(of=1)"
    )


async def test_release_of_a_stream_that_is_not_there_is_an_error() -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, ASYNC, question(1)):
            await cassette.advance(4)
            with pytest.raises(UsageError) as raised:
                cassette.release(of="question 2")
    assert [line for line in str(raised.value).splitlines() if "reader:" not in line] == [
        "release(of='question 2') matches no held stream.",
        f"  stream 1: POST {URL}: its reader waits for the next event",
        "    prompt: 'question 1'",
        "    events: 4 of 5",
        "Fix: release() lets all streams through, now and later",
    ]


def test_hold_is_true_or_false() -> None:
    with pytest.raises(UsageError, match="sets hold to a value that it cannot take"):
        with aquila_cassette("none", hold=3):  # type: ignore[arg-type]
            pass
