"""Held replays through httpx and httpx2; tests/session/test_stepping.py has what stepping means."""

from __future__ import annotations

import asyncio

import pytest

from aquila_cassette import aquila_cassette
from tests.clients import FACES, Face, every_face
from tests.http.held import EVENTS, URL, Reader, question, reading, write_cassette

every_sync_face = pytest.mark.parametrize("face", [f for f in FACES if f.sync], ids=repr)
every_async_face = pytest.mark.parametrize("face", [f for f in FACES if not f.sync], ids=repr)


@every_face
async def test_conversations_are_stepped_through_in_a_chosen_order(face: Face) -> None:
    write_cassette("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True, speed=1) as cassette:
        async with reading(cassette, face, question(1), question(2)) as [one, two]:
            await asyncio.to_thread(one.head.wait)  # the head passes before any event
            await cassette.advance(2, of="question 2")
            assert (one.response.status_code, one.pieces, two.pieces) == (200, [], EVENTS[:2])
            await cassette.advance(1, of="question 1")
            await cassette.advance(9, of="question 2")
            assert await two.done() == EVENTS
            assert one.pieces == EVENTS[:1]
            cassette.release()
            assert await one.done() == EVENTS
    assert (one.error, two.error) == (None, None)


@every_async_face
async def test_a_reader_that_is_cancelled_while_it_is_held_leaves_nothing_behind(
    face: Face,
) -> None:
    write_cassette("held", EVENTS, EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        cancelled = Reader(face, question(1))
        await cassette.advance(2)
        cancelled.task.cancel()
        assert await cancelled.done() == EVENTS[:2]
        async with reading(cassette, face, question(2)) as [next_one]:
            await cassette.advance(3)
            assert next_one.pieces == EVENTS[:3]


@every_sync_face
async def test_closing_a_response_frees_the_thread_that_reads_it(face: Face) -> None:
    write_cassette("held", EVENTS)
    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        reader = Reader(face, question(1))
        await cassette.advance(2)
        reader.response.close()
        assert await reader.done() == EVENTS[:2]
    assert isinstance(reader.error, face.lib.ReadError)


@every_async_face
async def test_a_body_can_be_read_on_where_an_iterator_stopped(face: Face) -> None:
    write_cassette("held", EVENTS)
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
