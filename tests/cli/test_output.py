from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from aquila_cassette.cli.output import Glyphs, Screen, align_columns, crop


def terminal(width: int) -> tuple[Screen, io.StringIO]:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system=None, width=width)
    return Screen(console), written


def test_text_is_wrapped_while_it_arrives() -> None:
    screen, written = terminal(24)
    screen.part("  said  ")
    show = screen.typist(8)
    for chunk in ("Hello", "!", " It", " is", " good", " to", " be", "\nhere", "."):
        show(chunk)
    assert written.getvalue() == (
        "  said  Hello! It is\n"
        "        good to be here."
    )  # fmt: skip


def test_text_that_arrives_in_a_pipe_is_one_line() -> None:
    written = io.StringIO()
    show = Screen(Console(file=written, width=20)).typist(10)
    for chunk in ("a very long line " * 3, "\x1b[2J", "[bold]no markup[/bold] :smile:"):
        show(chunk)
    assert written.getvalue() == (
        "a very long line a very long line a very long line \\x1b[2J[bold]no markup[/bold] :smile:"
    )


@given(st.lists(st.text("ab☕é ", min_size=1, max_size=9)), st.integers(20, 40))
def test_no_line_is_wider_than_the_terminal(chunks: list[str], width: int) -> None:
    screen, written = terminal(width)
    screen.part(" " * 10)
    show = screen.typist(10)
    for chunk in chunks:
        show(chunk)
    lines = written.getvalue().split("\n")
    assert all(cell_len(line.rstrip()) <= max(width, 10 + 18) for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(chunks).replace(" ", "")


def test_every_sign_has_its_ascii_counterpart() -> None:
    names = ["yes", "no", "arrow", "record", "stop", "play", "ellipsis"]
    plain = [getattr(Glyphs(ascii_only=True), name) for name in names]
    signs = [getattr(Glyphs(ascii_only=False), name) for name in names]
    assert all(sign.isascii() for sign in plain)
    assert len({*plain}) == len({*signs}) == len(names)
    assert not any(sign.isascii() for sign in signs)


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
