from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aquila_cassette.cli.columns import aligned, cropped

printable = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), max_size=30)


def lines(*args: object, **kwargs: object) -> list[str]:
    return ["  ".join(row) for row in aligned(*args, **kwargs)]  # type: ignore[arg-type]


def test_wide_characters_stand_in_line() -> None:
    assert lines([["☕☕", "1", "x"], ["ab", "10", "yy"]], right=[1]) == [
        "☕☕   1  x",
        "ab    10  yy",
    ]


def test_the_longest_of_the_columns_that_may_gives_way() -> None:
    rows = [["a-long-name-of-a-cassette", "7", "gpt-4o-mini-2024-07-18", "complete"]]
    assert lines(rows, gives=[0, 2], width=50) == [
        "a-long-name-of-a…  7  gpt-4o-mini-2024-…  complete"
    ]


def test_nothing_is_cropped_in_a_pipe_nor_below_eight_cells() -> None:
    rows = [["a-long-name-of-a-cassette", "complete"]]
    assert lines(rows, gives=[0]) == ["a-long-name-of-a-cassette  complete"]
    assert lines(rows, gives=[0], width=4) == ["a-long-…  complete"]


@given(printable, st.integers(1, 40))
def test_cropped_text_fits(text: str, width: int) -> None:
    shown = cropped(text, width)
    assert cell_len(shown) <= width
    assert shown == text or shown.endswith("…")
