"""The decoder: pieces in, frames out, nothing withheld and nothing lost; and what frames mean."""

import re
import tracemalloc
from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from aquila_cassette.sse import Decoder, Event, Frame, events, frames, meaning


def decoded(pieces: Iterable[bytes]) -> list[Frame]:
    """Give the frames of a stream that comes in `pieces`, its rest included."""
    decoder = Decoder()
    found = [frame for piece in pieces for frame in decoder.decode(piece)]
    rest = decoder.flush()
    return found if rest is None else [*found, rest]


def events_of(frames: Iterable[Frame]) -> list[Event]:
    return [frame.event for frame in frames if frame.event is not None]


def byte_by_byte(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def read_plainly(body: bytes) -> list[Event]:
    """Read a whole body as the standard words it, line by line, with no thought of speed."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)[:-1]
    found = []
    last_id, type_, data, retry = "", "", "", None
    for line in lines:
        if line == "":
            if data:
                found.append(Event(type_ or "message", data.removesuffix("\n"), last_id, retry))
            type_, data, retry = "", "", None
            continue
        if line.startswith(":"):
            continue
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "event":
            type_ = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found


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
@example(b"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\n")
@example("\ufeffdata: 1\n\n\ufeffdata: 2\n\ndata: \ufeff3\n\n".encode())
@example(b"data: a\xff\xe2\x82\ndata: \xc3\n\n")
def test_events_are_those_of_the_standard_read_plainly(body: bytes) -> None:
    assert events(body) == events_of(decoded(byte_by_byte(body))) == read_plainly(body)


def test_a_retry_past_all_counting_is_ignored() -> None:
    assert events(b"retry: " + b"9" * 5000 + b"\ndata: a\n\n") == [Event("message", "a")]


def test_an_event_comes_with_the_cr_of_its_blank_line() -> None:
    decoder = Decoder()
    assert decoder.decode(b"data: 1\r\n") == []
    assert decoder.decode(b"\r") == [Frame(b"data: 1\r\n\r", Event("message", "1"))]
    assert decoder.decode(b"\n") == []
    assert decoder.decode(b"data: 2\r\r") == [Frame(b"\ndata: 2\r\r", Event("message", "2"))]
    assert decoder.flush() is None


def test_the_rest_is_given_once_and_is_no_event() -> None:
    decoder = Decoder()
    decoder.decode(b"data: 1\n\ndata: ")
    decoder.decode(b"2\n")
    assert decoder.flush() == Frame(b"data: 2\n", None)
    assert decoder.flush() is None


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


def test_a_frame_is_verbatim_with_its_blank_line() -> None:
    assert frames(b"\xef\xbb\xbf: hi\r\n\r\n\ndata: 1\rdata: 2\n\r\ndata: 3") == [
        Frame(b"\xef\xbb\xbf: hi\r\n\r\n", None),
        Frame(b"\n", None),
        Frame(b"data: 1\rdata: 2\n\r\n", Event("message", "1\n2")),
        Frame(b"data: 3", None),
    ]


def test_a_frame_by_itself_means_what_it_says_even_unfinished() -> None:
    assert meaning(b"event: a\ndata: 1\n\n") == Event("a", "1")
    assert meaning(b"data: [DO") == Event("message", "[DO")
    assert meaning(b"\xef\xbb\xbfdata: 1\n") == Event("message", "1")
    assert meaning(b": hi\n\n") is None
