"""What is let through at a time: one event, whatever the pieces were."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette import Failure, Piece, Response
from aquila_cassette.model import Ended
from aquila_cassette.session.stepping import steps
from aquila_cassette.sse import events

EVENT = st.sampled_from([b"data: 1\n\n", b"event: x\ndata: 2\r\n\r\n", b"id: 3\ndata\n\n"])
FILLER = st.sampled_from([b": comment\n\n", b"\n", b"event: nothing\n\n", b"retry: 3\n\n"])
REST = st.sampled_from([b"", b"data: unfin", b": comm", b"ev"])
SSE = (("content-type", "text/event-stream"),)
RESET = Failure("ReadError", "reset")


def response(body: bytes, ended: Ended = "complete", error: Failure | None = None) -> Response:
    return Response(200, SSE, (Piece(0, body),), ended=ended, error=error)


@settings(max_examples=100)
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


@settings(max_examples=50)
@given(st.lists(EVENT | FILLER), REST)
def test_an_end_that_raises_is_the_last_step(frames: list[bytes], rest: bytes) -> None:
    body = b"".join([*frames, rest])
    for cut in (steps(response(body, "closed")), steps(response(body, "failed", RESET))):
        assert b"".join(cut) == body
        assert [len(events(step)) for step in cut] == [*[1] * len(events(body)), 0]


def test_an_unfinished_event_at_a_good_end_is_an_event() -> None:
    assert steps(response(b"data: 1\n\ndata: 2")) == [b"data: 1\n\n", b"data: 2"]


def test_an_end_that_failed_silently_comes_by_itself() -> None:
    assert steps(response(b"data: 1\n\n", "failed", Failure(None, "cut"))) == [b"data: 1\n\n"]


def test_a_body_without_an_event_is_one_step() -> None:
    assert steps(response(b": only a comment\n\n")) == [b": only a comment\n\n"]


def test_no_body_has_no_steps() -> None:
    assert steps(response(b"")) == []
