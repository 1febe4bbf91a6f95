"""When a difference in time, in events or in pieces counts."""

from __future__ import annotations

import pytest

from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.transcript.comparison import Change, compare
from aquila_cassette.transcript.comparison.lines import lines, plain
from tests.dialects.streams import SSE, chunk, data


def stream(chunks: int, *times: int) -> CassetteData:
    """Give a stream of that many chunks of one text, in a piece for each time."""
    text = "x" * 60
    size = len(text) // chunks
    parts = [text[at * size : (at + 1) * size] for at in range(chunks - 1)]
    parts.append(text[(chunks - 1) * size :])
    body = data(*(chunk({"content": part}) for part in parts), "[DONE]")
    step = len(body) // len(times)
    pieces = [Piece(at, body[place * step :][:step]) for place, at in enumerate(times)]
    pieces[-1] = Piece(times[-1], body[(len(times) - 1) * step :])
    response = Response(200, (("content-type", SSE),), tuple(pieces))
    return CassetteData((Interaction(Request("GET", "https://a.example"), response),))


def told(old: CassetteData, new: CassetteData, *, everything: bool = False) -> list[str]:
    (one,) = compare(old, new, everything=everything).interactions
    assert {change.aspect for change in one.changes} <= {"arrival"}
    return [line for change in one.changes for line in plain(lines(change))]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Twice as long and no more; half a second and no less.
        ((600,), (1200,), []),
        ((600,), (1201,), ["first 600 ms → 1201 ms, last 600 ms → 1201 ms"]),
        ((1201,), (600,), ["first 1201 ms → 600 ms, last 1201 ms → 600 ms"]),
        ((1,), (500,), []),
        ((1,), (501,), ["first 1 ms → 501 ms, last 1 ms → 501 ms"]),
        ((0, 900), (0, 2000), ["last 900 ms → 2000 ms"]),
    ],
)
def test_a_time_counts_when_it_is_twice_as_long_and_half_a_second_apart(
    old: tuple[int, ...], new: tuple[int, ...], expected: list[str]
) -> None:
    assert told(stream(4, *old), stream(4, *new)) == expected


def test_a_number_of_events_counts_when_it_is_twice_as_large_and_ten_apart() -> None:
    assert told(stream(10, 0), stream(20, 0)) == []
    assert told(stream(1, 0), stream(10, 0)) == []
    assert told(stream(10, 0), stream(22, 0)) == ["events 11 → 23"]
    assert told(stream(22, 0), stream(10, 0)) == ["events 23 → 11"]


def test_pieces_count_only_of_a_stream_that_took_half_a_second() -> None:
    quick, slow = range(30), range(0, 870, 30)
    assert told(stream(4, *quick), stream(4, 30)) == []
    assert told(stream(4, *slow), stream(4, 840)) == [
        "pieces 29 → 1, first 0 ms → 840 ms",
    ]


def test_each_cut_is_told_where_everything_counts() -> None:
    assert told(stream(4, 0, 10), stream(4, 0, 10, 20), everything=True) == [
        "pieces 2 → 3, last 10 ms → 20 ms"
    ]
    old, new = stream(4, 0, 10, 20), stream(4, 0, 11, 20)
    assert told(old, new) == []
    assert told(old, new, everything=True) == ["0+202 [-10-]{+11+}+202 20+202"]


def test_nothing_that_came_is_no_time() -> None:
    (one,) = stream(1, 5).interactions
    nothing = CassetteData((Interaction(one.request, Response(200)),))
    (compared,) = compare(stream(1, 5), nothing).interactions
    assert "arrival" not in [change.aspect for change in compared.changes]
    assert isinstance(compared.changes[0], Change)
