from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.transcript.interaction import arrival_bar, count_arrivals


@given(st.lists(st.integers(0, 100_000)), st.integers(1, 60))
def test_every_piece_falls_into_one_span(times: list[int], width: int) -> None:
    counts = count_arrivals(times, width)
    assert len(counts) == width
    assert sum(counts) == len(times)


@given(st.lists(st.integers(0, 1000), min_size=1), st.booleans())
def test_the_bar_is_as_long_as_its_spans_and_only_nothing_looks_like_nothing(
    counts: list[int], ascii_only: bool
) -> None:
    drawn = arrival_bar(counts, ascii_only=ascii_only)
    nothing, full = (".", "@") if ascii_only else ("·", "█")
    assert [letter == nothing for letter in drawn] == [number == 0 for number in counts]
    assert any(counts) == (full in drawn)
    assert drawn.isascii() == ascii_only


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], "····"),
        ([0], "█···"),
        ([100], "···█"),
        ([0, 50, 100], "█·██"),
        ([90, 91, 92, 93, 94, 95, 96, 100], "···█"),
        ([10, 60, 61, 62, 63, 64, 65, 66, 67, 100], "▁·█▁"),
    ],
)
def test_pieces_are_drawn_where_they_came(times: list[int], expected: str) -> None:
    assert arrival_bar(count_arrivals(times, 4)) == expected
