from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aquila_cassette.cli.output import align_columns, crop

printable = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), max_size=30)


def lines(*args: object, **kwargs: object) -> list[str]:
    return ["  ".join(row) for row in align_columns(*args, **kwargs)]  # type: ignore[arg-type]


def test_wide_characters_stand_in_line() -> None:
    assert lines([["☕☕", "1", "x"], ["ab", "10", "yy"]], right=[1]) == [
        "☕☕   1  x",
        "ab    10  yy",
    ]


def test_columns_give_way_in_their_order_each_down_to_its_least_width() -> None:
    rows = [["a-name", "openai-chat at localhost", "gpt-4o-mini-2024-07-18", "complete"]]
    shrink = [(1, 16), (2, 11), (0, 2)]
    assert lines(rows, shrink=shrink, width=66) == lines(rows, shrink=shrink)
    assert lines(rows, shrink=shrink, width=60) == [
        "a-name  openai-chat at lo…  gpt-4o-mini-2024-07-18  complete"
    ]
    assert lines(rows, shrink=shrink, width=50) == [
        "a-name  openai-chat at…   gpt-4o-mini-2…  complete"
    ]
    assert lines(rows, shrink=shrink, width=10) == ["a…  openai-chat at…   gpt-4o-min…  complete"]


def test_nothing_is_cropped_in_a_pipe() -> None:
    rows = [["a-long-name-of-a-cassette", "complete"]]
    assert lines(rows, shrink=[(0, 8)]) == ["a-long-name-of-a-cassette  complete"]


@given(printable, st.integers(1, 40))
def test_cropped_text_fits(text: str, width: int) -> None:
    shown = crop(text, width)
    assert cell_len(shown) <= width
    assert shown == text or shown.endswith("…")
