from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.transcript.humanize import (
    body_lines,
    count,
    escape_control_chars,
    format_age,
    format_duration,
    format_size,
    json_inline,
    json_lines,
    parse_time,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "now"),
        (60, "1 min"),
        (3600, "1 hour"),
        (29 * 86400, "29 days"),
        (800 * 86400, "2 years"),
    ],
)
def test_an_age_is_given_in_its_largest_whole_unit(seconds: int, expected: str) -> None:
    assert format_age(NOW - timedelta(seconds=seconds), NOW) == expected


def test_a_moment_is_utc_unless_it_names_its_zone_and_none_where_it_is_no_time() -> None:
    assert parse_time("2026-11-22T12:00:00") == parse_time("2026-11-22T13:00:00+01:00") == NOW
    assert parse_time("yesterday") is parse_time("") is None
    assert format_age(None, NOW) == "-"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_900, "99.9 kB"), (99_950, "100 kB"),
     (999_499, "999 kB"), (999_500, "1.0 MB"), (7_000_000_000_000_000, "7000 TB")],
)  # fmt: skip
def test_a_size_has_two_or_three_digits_and_its_unit(octets: int, expected: str) -> None:
    assert format_size(octets) == expected


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(0, "0 ms"), (0.04, "0.0 ms"), (9.9, "9.9 ms"), (9.96, "10 ms"), (999, "999 ms"),
     (999.6, "1.00 s"), (60_000, "60.00 s")],
)  # fmt: skip
def test_a_duration_is_given_as_a_person_would(ms: float, expected: str) -> None:
    assert format_duration(ms) == expected


def test_a_count_knows_one_from_many() -> None:
    assert [count(number, "piece") for number in (0, 1, 2)] == ["0 pieces", "1 piece", "2 pieces"]


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
def test_text_of_a_cassette_cannot_command_the_terminal(text: str, expected: str) -> None:
    assert escape_control_chars(text) == expected


@given(st.text(st.characters()))
def test_clean_text_stays_clean_and_can_be_written(text: str) -> None:
    once = escape_control_chars(text)
    assert escape_control_chars(once) == once
    assert once.encode().decode() == once
    assert all(letter == "\n" or letter.isprintable() or ord(letter) > 0x9F for letter in once)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"stop": ["END", "yes"], "n": 0.2}, 'stop: [END, "yes"]\n"n": 0.2'),
        ({"text": "one\ntwo", "to": []}, "text: |-\n  one\n  two\nto: []"),
        (
            [{"role": "user", "content": "x\ny"}, 2],
            "- role: user\n  content: |-\n    x\n    y\n- 2",
        ),
        ("two\nlines", "two\nlines"),
        ({"image": "QUJD" * 100}, f"image: {'QUJD' * 15}... (400 characters)"),
    ],
)
def test_json_is_shown_as_in_a_cassette(value: Any, expected: str) -> None:
    assert "\n".join(json_lines(value)) == expected
    assert json_inline({"a": value}).startswith('{"a": ')


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(values)
def test_no_json_is_too_odd_to_be_outlined(value: Any) -> None:
    assert all("\n" not in line for line in json_lines(value))


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b'{"a": 1}', "text/plain", ["a: 1"]),
        (b"grant_type=x&scope=y", "application/x-www-form-urlencoded", ["grant_type=x&scope=y"]),
        (b"two\r\nlines\n", None, ["two", "lines"]),
        (b"\x89PNG\xff", "image/png", ["[5 B of image/png]"]),
        (b"\xff" * 2000, None, ["[2.0 kB of binary data]"]),
        (b"[" * 100_000, None, ["[" * 100_000]),
    ],
)
def test_any_body_can_be_shown(body: bytes, kind: str | None, expected: list[str]) -> None:
    assert list(body_lines(body, kind)) == expected
