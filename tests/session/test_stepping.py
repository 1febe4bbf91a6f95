"""Stepping, in memory: what is let through is read, and nothing else."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette import (
    Cassette,
    Failure,
    MissError,
    Piece,
    RenderTimeout,
    Response,
    SettleTimeout,
    TruncatedReplayError,
    UsageError,
)
from aquila_cassette.model import Ended
from aquila_cassette.session.current_session import current_session
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.stepping import steps
from aquila_cassette.sse import events
from aquila_cassette.waiting.pending import Pending, register
from tests.session.fake_adapter import (
    EVENTS,
    SSE,
    URL,
    HeldReader,
    LibraryError,
    Suite,
    read_held,
    request,
)

RESET = Failure("ReadError", "reset", "reset")
in_task_and_thread = pytest.mark.parametrize("in_thread", [False, True], ids=["task", "thread"])


@asynccontextmanager
async def held(
    suite: Suite, *asked: str, in_thread: bool = False
) -> AsyncIterator[tuple[Cassette, list[HeldReader]]]:
    """Open a block that holds, and read answers in tasks or threads; all is let through at the end."""
    with suite.block(mode="none", hold=True) as cassette:
        readers = [HeldReader(one, in_thread=in_thread) for one in asked]
        try:
            yield cassette, readers
        finally:
            cassette.release()
            for reader in readers:
                await reader.done()


async def test_a_stream_is_held_in_the_run_that_records_it_and_kept_whole(suite: Suite) -> None:
    for mode in ("once", "all", "new_episodes", "none"):
        with suite.block(mode=mode, hold=True) as cassette:
            reader = HeldReader("question 1")
            await cassette.advance(2)
            assert reader.pieces == EVENTS[:2]
            reader.task.cancel()
            await reader.done()
            await cassette.settled(streams=1)
            assert len(cassette.recorded) + len(cassette.played) == 1
        assert suite.on_file() == [("question 1", 200)]


async def test_the_time_in_which_an_answer_is_recorded_does_not_count(suite: Suite) -> None:
    with suite.block(hold=True) as cassette:
        session = current_session()
        assert session is not None
        live = session.handle(request("question 1"))
        assert isinstance(live, Recorder)
        advancing = asyncio.create_task(cassette.advance(timeout=0.01))
        await asyncio.sleep(0.03)
        assert not advancing.done()
        live.closed()
        reader = HeldReader("question 2")
        await advancing
        assert reader.pieces == EVENTS[:1]
        cassette.release()
        await reader.done()


async def test_what_a_background_pattern_names_is_not_recorded_whole_first(suite: Suite) -> None:
    with suite.block(hold=True, background=["*/v1/chat"]):
        assert suite.library.send("a") == b"live a"


@in_task_and_thread
async def test_exactly_the_events_let_through_are_read(suite: Suite, in_thread: bool) -> None:
    suite.write(EVENTS)
    async with held(suite, "question 1", in_thread=in_thread) as (cassette, [reader]):
        await cassette.advance(2)
        assert reader.pieces == EVENTS[:2]
        await cassette.advance()
        assert reader.pieces == EVENTS[:3]
        await cassette.advance(99)  # past its last event a stream just ends
        assert await reader.done() == EVENTS
    assert reader.error is None


def test_an_answer_that_is_no_stream_is_not_held_and_neither_is_one_without_hold(
    suite: Suite,
) -> None:
    suite.write([b'{"object":"list"}'], content_type="application/json")
    with suite.block(mode="none", hold=True):
        assert suite.library.send("question 1") == b'{"object":"list"}'
    (suite.folder / "x.yaml").unlink()
    suite.write(EVENTS)
    with suite.block(mode="none"):
        assert suite.library.send("question 1") == b"".join(EVENTS)


@pytest.mark.parametrize(
    ("ended", "error", "raised"),
    [("failed", RESET, LibraryError), ("closed", None, TruncatedReplayError)],
)
async def test_an_ending_that_raises_is_let_through_like_an_event(
    suite: Suite, ended: Ended, error: Failure | None, raised: type[Exception]
) -> None:
    suite.write([*EVENTS[:2], b"data: hal"], ended=ended, error=error)
    async with held(suite, "question 1") as (cassette, [reader]):
        await cassette.advance(2)
        assert (reader.pieces, reader.error) == (EVENTS[:2], None)
        await cassette.advance()
        assert await reader.done() == [*EVENTS[:2], b"data: hal"]
    assert isinstance(reader.error, raised)


@in_task_and_thread
async def test_conversations_are_interleaved_in_a_chosen_order(
    suite: Suite, in_thread: bool
) -> None:
    suite.write(EVENTS, EVENTS)
    asked = ("question 1", "question 2")
    async with held(suite, *asked, in_thread=in_thread) as (cassette, [one, two]):
        await cassette.advance(2, of="question 2")
        assert (one.pieces, two.pieces) == ([], EVENTS[:2])
        await cassette.advance(of="question 1")
        await cassette.advance(9, of="question 2")
        assert (one.pieces, await two.done()) == (EVENTS[:1], EVENTS)
        await cassette.advance()  # the only one left


async def test_release_lets_one_stream_or_all_through_now_and_later(suite: Suite) -> None:
    suite.write(EVENTS, EVENTS, EVENTS)
    async with held(suite, "question 1", "question 2") as (cassette, [one, two]):
        await cassette.advance(of="question 1")
        await cassette.advance(of=2)
        cassette.release(of="question 1")
        assert await one.done() == EVENTS
        assert two.pieces == EVENTS[:1]
        cassette.release()
        assert await two.done() == EVENTS
        assert suite.library.send("question 3") == b"".join(EVENTS)


async def test_leaving_the_block_lets_the_reader_have_the_rest_also_with_an_error(
    suite: Suite,
) -> None:
    suite.write(EVENTS)
    with pytest.raises(ZeroDivisionError), suite.block(mode="none", hold=True) as cassette:
        reader = HeldReader("question 1")
        await cassette.advance(2)
        raise ZeroDivisionError
    assert await reader.done() == EVENTS


async def test_a_reader_that_is_cancelled_while_it_is_held_leaves_nothing_behind(
    suite: Suite,
) -> None:
    suite.write(EVENTS, EVENTS)
    async with held(suite, "question 1") as (cassette, [reader]):
        await cassette.advance(2)
        reader.task.cancel()
        assert await reader.done() == EVENTS[:2]
        assert isinstance(reader.error, asyncio.CancelledError)
        following = HeldReader("question 2")
        await cassette.advance(3)
        assert following.pieces == EVENTS[:3]
        cassette.release()
        await following.done()


async def test_closing_a_response_frees_the_thread_that_reads_it(suite: Suite) -> None:
    suite.write(EVENTS)
    async with held(suite, "question 1", in_thread=True) as (cassette, [reader]):
        await cassette.advance(2)
        assert reader.player is not None
        reader.player.close()
        assert await reader.done() == EVENTS


def test_threads_step_through_a_stream_without_an_event_loop(suite: Suite) -> None:
    suite.write(EVENTS)
    pieces: list[bytes] = []
    with suite.block(mode="none", hold=True) as cassette:
        thread = threading.Thread(target=lambda: pieces.extend(read_held("question 1")))
        thread.start()
        cassette.advance_sync(3)
        cassette.advance_sync(2)
        thread.join()
    assert pieces == EVENTS


def test_reading_in_the_thread_of_the_block_is_an_error_and_no_hang(suite: Suite) -> None:
    suite.write(EVENTS)
    with suite.block(mode="none", hold=True), pytest.raises(UsageError) as raised:
        list(read_held("question 1"))
    assert raised.value.what.startswith("A held stream is read in the thread that opened the block")


# What it cannot do, and how it says so.


async def test_several_streams_to_choose_from_are_listed(suite: Suite) -> None:
    suite.write(EVENTS, EVENTS)
    async with held(suite, "question 1", "question 2") as (cassette, _):
        await cassette.advance(of="question 1")
        await cassette.advance(2, of="question 2")
        with pytest.raises(UsageError) as raised:
            await cassette.advance(3, of="question")
        assert raised.value.what == "advance(3, of='question') has 2 held streams to choose from."
        assert [fact for fact in raised.value.facts if "reader:" not in fact] == [
            f"stream 1: POST {URL}: its reader waits for the next event",
            "  prompt: 'question 1'",
            "  events: 1 of 5",
            f"stream 2: POST {URL}: its reader waits for the next event",
            "  prompt: 'question 2'",
            "  events: 2 of 5",
        ]
        with pytest.raises(UsageError, match=r"^release\(of='other'\) matches no held stream"):
            cassette.release(of="other")


async def test_a_wait_for_a_held_stream_says_that_it_is_held_and_what_lets_it_through(
    suite: Suite,
) -> None:
    suite.write(EVENTS)
    async with held(suite, "question 1") as (cassette, _):
        await cassette.advance()
        with pytest.raises(SettleTimeout) as raised:
            await cassette.settled(timeout=0.01)
        assert "  held:   until advance() or release()" in raised.value.facts
        assert raised.value.fix == (
            "Fix: let the held stream through first: cassette.release(), or cassette.advance(n)"
        )


async def test_where_no_held_stream_is_left_the_error_lists_those_there_were(suite: Suite) -> None:
    suite.write(EVENTS, EVENTS)
    with suite.block(mode="none", hold=True) as cassette:
        with pytest.raises(RenderTimeout) as raised:
            await cassette.advance(2, timeout=0.01)
        assert str(raised.value) == (
            "advance(2) was not done in 0.01 s.\n"
            "  held: none\n"
            "Fix: ask for it and read it in a task or thread of its own, or wait longer: "
            "advance(timeout=...)"
        )
        reader = HeldReader("question 1")
        await cassette.advance(9)
        await reader.done()
        with pytest.raises(RenderTimeout) as over:
            await cassette.advance(timeout=0.01)
        assert over.value.facts[0] == f"stream 1: POST {URL}: it is over"
        with pytest.raises(UsageError, match=r"^advance\(1, of=1\) has nothing left"):
            await cassette.advance(of=1)
        reader = HeldReader("question 2")
        await cassette.advance(9)
        await reader.done()
        with pytest.raises(UsageError) as nothing:  # all is played: no stream can come
            await cassette.advance()
    assert nothing.value.what == "advance(1) has nothing left to let through."
    assert nothing.value.fix.startswith(
        "Fix: take the call out, or record what is to be let through"
    )


async def test_after_release_nothing_is_left_to_let_through_also_while_it_records(
    suite: Suite,
) -> None:
    with suite.block(hold=True) as cassette:
        cassette.release()
        with pytest.raises(UsageError, match="nothing left to let through"):
            await cassette.advance()


async def test_a_reader_that_does_not_come_back_is_named(suite: Suite) -> None:
    suite.write(EVENTS)
    never = threading.Event()

    def read_two() -> None:
        reader = read_held("question 1")
        for number, _ in enumerate(reader, 1):
            if number == 2:
                never.wait()

    with suite.block(mode="none", hold=True) as cassette:
        thread = threading.Thread(target=read_two)
        thread.start()
        cassette.advance_sync()
        try:
            with pytest.raises(RenderTimeout) as raised:
                cassette.advance_sync(2, timeout=0.1)
        finally:
            never.set()
    thread.join()
    first, *_, reader = raised.value.facts
    assert first == f"stream 1: POST {URL}: its reader did not come back for more"
    assert reader.startswith("  reader: tests/session/test_stepping.py:")


class Stuck:
    """A view that does not finish handling what came."""

    def __init__(self) -> None:
        self.left = [Pending("handler of Stuck")]
        register(self)

    def pending(self) -> list[Pending]:
        return self.left

    def take_failure(self) -> None:
        return None

    def is_closed(self) -> bool:
        return False


async def test_a_view_that_does_not_handle_what_came_is_named(suite: Suite) -> None:
    suite.write(EVENTS)
    async with held(suite, "question 1") as (cassette, _):
        await cassette.advance()
        view = Stuck()
        with pytest.raises(RenderTimeout) as raised:
            await cassette.advance(timeout=0.1)
        view.left = []  # for the tests after this one: the error's frames keep it alive
    assert raised.value.facts == ("pending: handler of Stuck",)


async def test_a_miss_is_raised_at_once(suite: Suite) -> None:
    suite.write(EVENTS)
    with suite.block(mode="none", hold=True) as cassette:
        reader = HeldReader("question 7")
        with pytest.raises(MissError, match="No interaction matches POST"):
            await cassette.advance()
        await reader.done()


async def test_a_block_that_does_not_hold_cannot_be_advanced(suite: Suite) -> None:
    with suite.block() as cassette, pytest.raises(UsageError) as raised:
        await cassette.advance()
    assert str(raised.value) == (
        'advance needs a block that holds streams back.\nFix: aquila_cassette("x", hold=True)'
    )


# What is let through at a time.

EVENT = st.sampled_from([b"data: 1\n\n", b"event: x\ndata: 2\r\n\r\n", b"id: 3\ndata\n\n"])
FILLER = st.sampled_from([b": comment\n\n", b"\n", b"event: nothing\n\n", b"retry: 3\n\n"])
REST = st.sampled_from([b"", b"data: unfin", b": comm", b"ev"])


def response(body: bytes, ended: Ended = "complete", error: Failure | None = None) -> Response:
    return Response(200, SSE, (Piece(0, body),), ended=ended, error=error)


@given(st.lists(EVENT | FILLER), REST)
def test_steps_are_the_body_and_each_is_one_event(frames: list[bytes], rest: bytes) -> None:
    body = b"".join([*frames, rest])
    cut = steps(response(body))
    assert b"".join(cut) == body
    found = [len(events(step)) for step in cut]
    assert sum(found) == len(events(body))
    if found[:-1]:
        assert set(found[:-1]) == {1}
    assert all(step for step in cut)
    for raising in (steps(response(body, "closed")), steps(response(body, "failed", RESET))):
        assert b"".join(raising) == body
        assert [len(events(step)) for step in raising] == [*[1] * len(events(body)), 0]


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        (response(b"data: 1\n\ndata: 2"), [b"data: 1\n\n", b"data: 2"]),
        (response(b"data: 1\n\n", "failed", Failure(None, "cut")), [b"data: 1\n\n"]),
        (response(b": only a comment\n\n"), [b": only a comment\n\n"]),
        (response(b": a\n\ndata: 1\n\n: b\n\n"), [b": a\n\ndata: 1\n\n: b\n\n"]),
        (response(b""), []),
    ],
)
def test_what_is_no_event_by_itself_goes_with_one(answer: Response, cut: list[bytes]) -> None:
    assert steps(answer) == cut
