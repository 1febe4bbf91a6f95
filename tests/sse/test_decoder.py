"""The decoder: pieces in, frames out, nothing withheld and nothing lost."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.errors import FrameTooLargeError
from aquila_cassette.sse import Decoder, Event, Frame, backwards, events, frames, split
from tests.sse.slices import byte_by_byte, decoded, events_of, read_plainly

PARTS = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b":", b" ", b"\0", b"x", b"7"),
    *(b"data", b"data: ", b"event: ", b"id: ", b"retry: ", b"retry:12\n", b": comment"),
    *(b"\xef\xbb\xbf", b"\xef\xbb", b"\xef", b"\xff", b"\xc3", b"\xa4", b"\xe2\x82"),
    *("ä\u2028\u0085\U0001f600".encode(), b"data: {}\n\n", b"data: a\r\n\r\n"),
]

bodies = st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join)


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    body = draw(bodies)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=12)))
    return [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@given(pieces())
def test_joining_all_frames_gives_the_input(given_pieces: list[bytes]) -> None:
    raws = [frame.raw for frame in decoded(given_pieces)]
    assert b"".join(raws) == b"".join(given_pieces)
    assert all(raws)


@given(pieces())
def test_slicing_never_changes_the_events(given_pieces: list[bytes]) -> None:
    body = b"".join(given_pieces)
    assert events_of(decoded(given_pieces)) == events(body)
    assert events_of(decoded(byte_by_byte(body))) == events(body)


@given(bodies)
def test_events_are_those_of_the_standard_read_plainly(body: bytes) -> None:
    assert events(body) == read_plainly(body)


@given(bodies)
def test_splitting_cuts_where_decoding_does(body: bytes) -> None:
    assert split(body) == [frame.raw for frame in frames(body)]


@given(bodies, st.integers(1, 60))
def test_backwards_gives_the_events_from_the_last_however_much_it_looks_at(
    body: bytes, tail: int
) -> None:
    raws = list(backwards(body, tail=tail))[::-1]
    assert b"".join(raws) == body
    assert events_of(decoded(raws)) == events(body)
    # A CR and LF that the tail cuts apart still end one line only.
    assert raws == split(body)


def test_backwards_cuts_no_more_than_is_asked_for() -> None:
    body = b"data: 1\n\n" * 200_000
    tracemalloc.start()
    try:
        last = next(backwards(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last == b"data: 1\n\n"
    assert peak < len(body)


def test_an_event_comes_with_the_cr_of_its_blank_line() -> None:
    decoder = Decoder()
    assert decoder.decode(b"data: 1\r\n") == []
    assert decoder.decode(b"\r") == [Frame(b"data: 1\r\n\r", Event("message", "1"))]
    assert decoder.decode(b"\n") == []
    assert decoder.decode(b"data: 2\r\r") == [Frame(b"\ndata: 2\r\r", Event("message", "2"))]
    assert decoder.flush() is None


def test_a_cr_cut_from_its_lf_ends_one_line_only() -> None:
    assert events_of(decoded([b"data: 1\r", b"\ndata: 2\r", b"", b"\n\r\n"])) == [
        Event("message", "1\n2")
    ]


def test_an_lf_after_an_lf_of_the_piece_before_is_a_blank_line() -> None:
    decoder = Decoder()
    assert decoder.decode(b"data: 1\n") == []
    assert decoder.decode(b"\n") == [Frame(b"data: 1\n\n", Event("message", "1"))]


def test_a_byte_order_mark_may_be_cut() -> None:
    assert decoded([b"\xef", b"\xbb", b"", b"\xbf", b"d", b"ata: 1\n\n"]) == [
        Frame(b"\xef\xbb\xbfdata: 1\n\n", Event("message", "1"))
    ]


def test_a_line_may_begin_after_a_byte_order_mark_that_came_alone() -> None:
    decoder = Decoder()
    assert decoder.decode(b"\xef\xbb\xbf") == []
    assert decoder.decode(b"\n") == [Frame(b"\xef\xbb\xbf\n", None)]


def test_a_character_may_be_cut() -> None:
    assert events_of(decoded([b"data: \xf0\x9f", b"\x98", b"\x80\n\n"])) == [
        Event("message", "\U0001f600")
    ]


def test_the_rest_is_given_once_and_is_no_event() -> None:
    decoder = Decoder()
    decoder.decode(b"data: 1\n\ndata: ")
    decoder.decode(b"2\n")
    assert decoder.flush() == Frame(b"data: 2\n", None)
    assert decoder.flush() is None


TOO_LARGE = """\
An event of the stream is larger than 10 bytes.
  limit: 10 bytes
  got:   11 bytes without a blank line
Fix: Decoder(max_frame=22)"""


def test_a_frame_without_an_end_is_refused_past_the_limit() -> None:
    decoder = Decoder(max_frame=10)
    assert decoder.decode(b"data: 1234") == []
    with pytest.raises(FrameTooLargeError) as raised:
        decoder.decode(b"5")
    assert str(raised.value) == TOO_LARGE
    assert (raised.value.limit, raised.value.size) == (10, 11)


def test_a_finished_frame_past_the_limit_is_refused_as_well() -> None:
    with pytest.raises(FrameTooLargeError) as raised:
        Decoder(max_frame=10).decode(b"data: 123\n\ndata: 2\n\n")
    assert str(raised.value) == TOO_LARGE


def test_frames_before_a_too_large_one_are_given_and_then_nothing_more() -> None:
    decoder = Decoder(max_frame=10)
    given_first = decoder.decode(b"data: 1\n\ndata: 123\n\ndata: 3\n\n")
    assert given_first == [Frame(b"data: 1\n\n", Event("message", "1"))]
    for _ in range(2):
        with pytest.raises(FrameTooLargeError) as raised:
            decoder.decode(b"\n\n")
        assert str(raised.value) == TOO_LARGE
    with pytest.raises(FrameTooLargeError) as raised:
        decoder.flush()
    assert str(raised.value) == TOO_LARGE


def test_frames_of_the_limit_follow_each_other_without_end() -> None:
    decoder = Decoder(max_frame=10)
    assert len(decoder.decode(b"data: 12\n\n" * 50)) == 50


def test_a_whole_body_has_no_limit() -> None:
    body = b"data: " + b"x" * (65 * 1024 * 1024)
    assert [len(frame.raw) for frame in frames(body)] == [len(body)]


def test_a_piece_of_a_long_line_costs_no_more_than_itself() -> None:
    # Joining again, or growing one buffer, is what makes a long line quadratic: either asks for
    # memory of the size of all that came before.
    decoder = Decoder()
    piece = b"x" * 4096
    dearest = 0
    decoder.decode(b"data: ")
    tracemalloc.start()
    try:
        for _ in range(2048):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            decoder.decode(piece)
            _, peak = tracemalloc.get_traced_memory()
            dearest = max(dearest, peak - before)
    finally:
        tracemalloc.stop()
    (frame,) = decoder.decode(b"\n\n")
    assert len(frame.raw) == 6 + 2048 * 4096 + 2
    assert dearest < 64 * 1024
