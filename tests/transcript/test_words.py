from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    format_age,
    format_duration,
    format_size,
    parse_time,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=29), "29 days"),
        (timedelta(days=30), "1 month"),
        (timedelta(days=364), "12 months"),
        (timedelta(days=800), "2 years"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(ago: timedelta, expected: str) -> None:
    assert format_age(NOW - ago, NOW) == expected


def test_an_unknown_age_is_a_dash() -> None:
    assert format_age(parse_time("yesterday"), NOW) == "-"
    assert format_age(parse_time(""), NOW) == "-"


def test_a_moment_without_a_zone_is_utc_and_one_with_a_zone_is_converted() -> None:
    assert parse_time("2026-11-22T12:00:00") == NOW
    assert parse_time("2026-11-22T13:00:00+01:00") == NOW


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_900, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (7_000_000_000_000_000, "7000 TB"),
    ],
)
def test_a_size_has_two_or_three_digits_and_its_unit(octets: int, expected: str) -> None:
    assert format_size(octets) == expected


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "0 ms"),
        (0.04, "0.0 ms"),
        (9.9, "9.9 ms"),
        (9.96, "10 ms"),
        (999, "999 ms"),
        (999.6, "1.00 s"),
        (59_990, "59.99 s"),
        (60_000, "1 min 0 s"),
        (3_599_000, "59 min 59 s"),
    ],
)
def test_a_duration_is_told_as_a_person_would(ms: float, expected: str) -> None:
    assert format_duration(ms) == expected


def test_a_count_knows_one_from_many() -> None:
    assert [count(number, "piece") for number in (0, 1, 2)] == ["0 pieces", "1 piece", "2 pieces"]
    assert count(2, "replay", plural="replays") == "2 replays"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain — ✓ 👋\nnext", "plain — ✓ 👋\nnext"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\ud800b", r"a\ud800b"),
        ("dos\r\nline", "dos\nline"),
    ],
)
def test_text_off_a_tape_cannot_command_the_terminal(text: str, expected: str) -> None:
    assert escape_control_chars(text) == expected


@given(st.text(st.characters()))
def test_clean_text_stays_clean_and_can_be_written(text: str) -> None:
    once = escape_control_chars(text)
    assert escape_control_chars(once) == once
    assert once.encode().decode() == once
    assert all(letter == "\n" or letter.isprintable() or ord(letter) > 0x9F for letter in once)
