"""Replays that are held back: what is let through is read, and nothing else."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import httpx
import pytest

from aquila_cassette import Failure, TruncatedReplayError, UsageError, aquila_cassette
from aquila_cassette.session.wait_until_idle import idle
from aquila_cassette.waiting.event_loops import current_task_or_thread
from tests.clients import FACES, Face, every_face
from tests.http.held import EVENTS, URL, Reader, question, reading, tape

every_sync_face = pytest.mark.parametrize("face", [f for f in FACES if f.sync], ids=repr)
every_async_face = pytest.mark.parametrize("face", [f for f in FACES if not f.sync], ids=repr)


@every_face
async def test_exactly_the_events_let_through_are_read(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(2)
            assert reader.pieces == EVENTS[:2]
            await cassette.advance()
            assert reader.pieces == EVENTS[:3]
            await cassette.advance(2)
            assert await reader.done() == EVENTS
    assert reader.error is None


@every_face
async def test_the_head_passes_before_any_event(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await asyncio.to_thread(reader.head.wait)
            assert reader.response.status_code == 200
            assert reader.pieces == []


@every_face
async def test_a_stream_that_is_asked_for_later_is_waited_for(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        advance = asyncio.create_task(cassette.advance(2))
        await asyncio.sleep(0)
        async with reading(cassette, face, question(1)) as [reader]:
            await advance
            assert reader.pieces == EVENTS[:2]


@every_face
async def test_past_its_last_event_a_stream_just_ends(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(99)
            assert await reader.done() == EVENTS
    assert reader.error is None


@every_face
async def test_a_comment_goes_with_the_event_after_it(face: Face) -> None:
    frames = [b": a comment\n\n", EVENTS[0], b"\n", b": another\n\n", EVENTS[1], b": the last\n\n"]
    tape("held", frames)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance()
            assert reader.pieces == [b"".join(frames[:2])]
            await cassette.advance()
            assert await reader.done() == [b"".join(frames[:2]), b"".join(frames[2:])]


@every_face
async def test_a_line_of_ndjson_is_an_event(face: Face) -> None:
    lines = [b'{"n":1}\n', b'{"n":2}\n', b'{"done":true}']
    tape("held", lines, content_type="application/x-ndjson")
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance()
            assert reader.pieces == lines[:1]
            await cassette.advance()
            assert reader.pieces == lines[:2]
            await cassette.advance()
            assert await reader.done() == lines


@every_face
async def test_an_answer_that_is_no_stream_is_not_held(face: Face) -> None:
    tape("held", [b'{"object":"list"}'], content_type="application/json")
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            assert await reader.done() == [b'{"object":"list"}']


@every_face
async def test_a_failure_is_let_through_like_an_event(face: Face) -> None:
    error = Failure("ReadError", "connection reset")
    tape("held", [*EVENTS[:2], b"data: hal"], ended="failed", error=error)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(2)
            assert (reader.pieces, reader.error) == (EVENTS[:2], None)
            await cassette.advance()
            assert await reader.done() == [*EVENTS[:2], b"data: hal"]
    assert isinstance(reader.error, face.lib.ReadError)
    assert str(reader.error) == "connection reset"


@every_face
async def test_a_tape_whose_reader_stopped_there_waits_there(face: Face) -> None:
    tape("held", EVENTS[:3], ended="closed")
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(3)
            assert (reader.pieces, reader.error) == (EVENTS[:3], None)
            await cassette.advance()
            assert await reader.done() == EVENTS[:3]
    assert isinstance(reader.error, TruncatedReplayError)


@every_face
async def test_two_conversations_are_interleaved_in_a_chosen_order(face: Face) -> None:
    tape("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1), question(2)) as [one, two]:
            await cassette.advance(2, of="question 2")
            assert (one.pieces, two.pieces) == ([], EVENTS[:2])
            await cassette.advance(1, of="question 1")
            assert (one.pieces, two.pieces) == (EVENTS[:1], EVENTS[:2])
            await cassette.advance(9, of="question 2")
            assert await two.done() == EVENTS
            assert one.pieces == EVENTS[:1]
            await cassette.advance(1)  # the only one left
            assert one.pieces == EVENTS[:2]


@every_face
async def test_a_stream_is_named_by_its_number_too(face: Face) -> None:
    tape("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(2)) as [first]:
            await cassette.advance(1, of=1)
            async with reading(cassette, face, question(1)) as [second]:
                await cassette.advance(3, of=2)
                assert (first.pieces, second.pieces) == (EVENTS[:1], EVENTS[:3])


@every_face
async def test_a_stream_is_named_by_a_piece_of_its_url_too(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(1, of="chat/comp")
            assert reader.pieces == EVENTS[:1]


@every_face
async def test_release_lets_all_through_now_and_later(face: Face) -> None:
    tape("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [now]:
            await cassette.advance()
            cassette.release()
            assert await now.done() == EVENTS
        async with reading(cassette, face, question(2)) as [later]:
            assert b"".join(await later.done()) == b"".join(EVENTS)


@every_face
async def test_release_of_one_stream_leaves_the_others_held(face: Face) -> None:
    tape("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1), question(2)) as [one, two]:
            await cassette.advance(1, of="question 1")
            await cassette.advance(1, of="question 2")
            cassette.release(of="question 1")
            assert await one.done() == EVENTS
            assert two.pieces == EVENTS[:1]


@every_face
async def test_speed_does_not_count_for_what_is_held(face: Face) -> None:
    tape("held", EVENTS)  # its head came after 200 s
    async with aquila_cassette("held", mode="none", hold=True, speed=1) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(5)
            assert await reader.done() == EVENTS


@every_face
async def test_leaving_the_block_lets_the_reader_have_the_rest(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        reader = Reader(face, question(1))
        await cassette.advance(2)
    assert await reader.done() == EVENTS
    assert reader.error is None


@every_face
async def test_leaving_the_block_with_an_error_frees_the_reader_too(face: Face) -> None:
    tape("held", EVENTS)
    with pytest.raises(RuntimeError, match="the test failed"):
        async with aquila_cassette("held", mode="none", hold=True) as cassette:
            reader = Reader(face, question(1))
            await cassette.advance(2)
            raise RuntimeError("the test failed")
    assert await reader.done() == EVENTS


@every_async_face
async def test_a_reader_that_is_cancelled_while_it_is_held_leaves_nothing_behind(
    face: Face,
) -> None:
    tape("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        cancelled = Reader(face, question(1))
        await cassette.advance(2)
        cancelled.task.cancel()
        assert await cancelled.done() == EVENTS[:2]
        assert isinstance(cancelled.error, asyncio.CancelledError)
        async with reading(cassette, face, question(2)) as [next_one]:
            await cassette.advance(3)
            assert next_one.pieces == EVENTS[:3]


@every_face
async def test_a_reader_that_stops_by_itself_ends_the_advance(face: Face) -> None:
    tape("held", EVENTS)

    async def read_two() -> list[bytes]:
        async with face.client() as client, client.stream("POST", URL, json=question(1)) as reply:
            pieces = reply.aiter_raw()
            return [await anext(pieces), await anext(pieces)]

    def read_two_sync() -> list[bytes]:
        with face.client() as client, client.stream("POST", URL, json=question(1)) as reply:
            pieces = reply.iter_raw()
            return [next(pieces), next(pieces)]

    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        task = asyncio.ensure_future(asyncio.to_thread(read_two_sync) if face.sync else read_two())
        await cassette.advance(4)
        assert await task == EVENTS[:2]


@every_face
async def test_a_reader_that_leaves_after_the_last_event_without_a_close_is_enough(
    face: Face,
) -> None:
    tape("held", EVENTS)
    kept_open: list[Any] = []

    async def read_all() -> list[bytes]:
        client = face.client()
        request = client.build_request("POST", URL, json=question(1))
        response = await client.send(request, stream=True)
        kept_open.extend([client, response, response.aiter_raw()])
        return [await anext(kept_open[2]) for _ in EVENTS]

    def read_all_sync() -> list[bytes]:
        client = face.client()
        response = client.send(client.build_request("POST", URL, json=question(1)), stream=True)
        kept_open.extend([client, response, response.iter_raw()])
        return [next(kept_open[2]) for _ in EVENTS]

    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        read = asyncio.to_thread(read_all_sync) if face.sync else read_all()
        task = asyncio.ensure_future(read)
        await cassette.advance(5)
        assert await task == EVENTS
        client, response, _ = kept_open
        if face.sync:
            response.close()
            client.close()
        else:
            await response.aclose()
            await client.aclose()


@every_sync_face
async def test_closing_a_response_frees_the_thread_that_reads_it(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        reader = Reader(face, question(1))
        await cassette.advance(2)
        reader.response.close()
        assert await reader.done() == EVENTS[:2]
    assert isinstance(reader.error, face.lib.ReadError)
    assert str(reader.error) == "The response was closed while it was held back."


@every_sync_face
def test_threads_step_through_a_stream_without_an_event_loop(face: Face) -> None:
    tape("held", EVENTS)
    pieces: list[bytes] = []

    def read() -> None:
        with face.client() as client, client.stream("POST", URL, json=question(1)) as response:
            for piece in response.iter_raw():
                pieces.append(piece)

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        thread = threading.Thread(target=read)
        thread.start()
        cassette.advance_sync(3)
        assert pieces == EVENTS[:3]
    thread.join()
    assert pieces == EVENTS


@every_sync_face
def test_reading_in_the_thread_of_the_block_is_an_error_and_no_hang(face: Face) -> None:
    tape("held", EVENTS)
    with aquila_cassette("held", mode="none", hold=True):
        with face.client() as client, pytest.raises(UsageError) as raised:
            client.post(URL, json=question(1))
    assert str(raised.value) == (
        "A held stream is read in the thread that opened the block, which then waits for itself.\n"
        f"  POST {URL}: its reader waits for the next event\n"
        "  prompt: 'question 1'\n"
        "  events: 0 of 5\n"
        "Fix: read it in a thread of its own (or async, in a task), and call advance_sync here"
    )


@every_async_face
async def test_a_body_can_be_read_on_where_an_iterator_stopped(face: Face) -> None:
    tape("held", EVENTS)
    seen: list[bytes] = []

    async def read() -> None:
        async with face.client() as client, client.stream("POST", URL, json=question(1)) as reply:
            async for piece in reply.stream:
                seen.append(piece)
                break
            async for piece in reply.stream:
                seen.append(piece)

    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        task = asyncio.create_task(read())
        await cassette.advance(2)
        assert seen == EVENTS[:2]
        await cassette.advance(3)
        await task
    assert seen == EVENTS


@every_face
async def test_who_waits_for_all_else_does_not_wait_for_what_is_held(face: Face) -> None:
    tape("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with reading(cassette, face, question(1)) as [reader]:
            await cassette.advance(2)
            here = current_task_or_thread()
            assert await idle([cassette._session], here=here, ignore_held=True).wait(5) == []
            pending = await idle([cassette._session], here=here).look()
            assert pending[0].what == f"POST {URL}"
            assert reader.pieces == EVENTS[:2]


@every_sync_face
async def test_who_comes_to_wait_for_a_held_thread_later_is_not_waited_for_either(
    face: Face,
) -> None:
    tape("held", EVENTS)

    def read() -> None:
        with face.client() as client:
            client.post(URL, json=question(1))

    async def wait_for(thread: asyncio.Future[None]) -> None:
        await thread

    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        context = contextvars.copy_context()
        thread = asyncio.get_running_loop().run_in_executor(None, context.run, read)
        await cassette.advance(2)
        waiting = asyncio.create_task(wait_for(thread))
        await asyncio.sleep(0)
        assert (
            await idle([cassette._session], here=current_task_or_thread(), ignore_held=True).wait(1)
            == []
        )
        cassette.release()
        await waiting


def test_a_block_without_hold_is_not_held() -> None:
    tape("held", EVENTS)
    with aquila_cassette("held", mode="none"), httpx.Client(verify=False) as client:
        assert client.post(URL, json=question(1)).content == b"".join(EVENTS)
