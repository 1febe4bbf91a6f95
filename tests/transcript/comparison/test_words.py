"""Two texts word by word, and the lines that show it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.transcript.comparison import Change
from aquila_cassette.transcript.comparison.lines import lines, plain
from aquila_cassette.transcript.comparison.words import compare_words
from tests.storage.draws import texts

words = st.lists(st.sampled_from(["a", "bc", "the", " ", "\n", ".", "日", "本", "é"])).map("".join)


def shown(old: str, new: str) -> list[str]:
    return plain(lines(Change("text", (compare_words(old, new),))))


@given(texts | words, texts | words)
@settings(max_examples=300, deadline=None)
def test_both_texts_are_in_the_spans(old: str, new: str) -> None:
    spans = compare_words(old, new).spans
    assert "".join(span.text for span in spans if span.sign != "+") == old
    assert "".join(span.text for span in spans if span.sign != "-") == new
    assert all(span.text for span in spans)
    assert all(one.sign != other.sign for one, other in pairwise(spans))


@given(texts | words)
@settings(deadline=None)
def test_equal_texts_have_one_span_at_most(text: str) -> None:
    assert [span.sign for span in compare_words(text, text).spans] == ([" "] if text else [])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("It is 18 degrees.", "It is 19 degrees.", ["It is [-18-]{+19+} degrees."]),
        ("I say yes", "I say no, yes", ["I say{+ no,+} yes"]),
        ("Say the word now", "Say the now", ["Say the[- word-] now"]),
        ("今日は暑い", "今日は寒い", ["今日は[-暑-]{+寒+}い"]),
        ("one\ntwo\nthree", "one\n2\nthree", ["one", "[-two-]{+2+}", "three"]),
        ("one two", "one\ntwo", ["one[- two-]{+\\n+}", "{+two+}"]),
        # With little in common, both as a whole.
        ("Paris is warm.", "No idea!", ["-Paris is warm.", "+No idea!"]),
        (
            "Paris is warm and sunny today.",
            "No idea.",
            ["-Paris is warm and sunny today.", "+No idea."],
        ),
        ("", "Hello\nyou", ["+Hello", "+you"]),
        ("Hello", "", ["-Hello"]),
        # What meets by chance between two changes is changed with them.
        ("It rains a lot here", "It snows a bit here", ["It [-rains a lot-]{+snows a bit+} here"]),
        # White space alone is quoted, for it would not be seen.
        (" ", "\t", ["-' '", r"+'\t'"]),
    ],
)
def test_a_text_is_shown_with_marks_around_what_changed(
    old: str, new: str, expected: list[str]
) -> None:
    assert shown(old, new) == expected


def test_what_is_the_same_is_cut_short() -> None:
    same = "word " * 40
    around, after = same[:40], same[:39]
    assert shown(f"{same}one {same}two {same}", f"{same}1 {same}2 {same}")[0].split("[... ") == [
        "",
        f"160 characters ...] {around}[-one-]{{+1+}} {after} ",
        f"121 characters ...] {around}[-two-]{{+2+}} {after} ",
        "161 characters ...]",
    ]


def test_many_lines_are_cut_short() -> None:
    old = "\n".join(f"line {number}" for number in range(30))
    assert shown(old, "other") == [
        *(f"-line {number}" for number in range(6)),
        "-[... 18 lines ...]",
        *(f"-line {number}" for number in range(24, 30)),
        "+other",
    ]


def test_texts_as_long_as_a_book_take_no_time() -> None:
    book = "".join(f"word{number % 977} " for number in range(60_000))
    started = time.process_time()
    spans = compare_words(book, book.replace("word5 ", "word6 ")).spans
    assert "".join(span.text for span in spans if span.sign != "+") == book
    assert time.process_time() - started < 5
