from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.transcript.humanize import body_lines, json_inline, json_lines

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"stream": True, "temperature": 0.2}, "stream: true\ntemperature: 0.2"),
        ({"stop": ["END", "yes"]}, 'stop: [END, "yes"]'),
        ({"text": "one\ntwo", "n": 1}, "text: |\n  one\n  two\nn: 1"),
        ({"a": {"b": {"c": "a line that is far too long for one"}}},
         "a:\n  b:\n    c: a line that is far too long for one"),
        ({"list": [{"role": "user", "content": "x\ny"}, 2]},
         "list:\n- role: user\n  content: |\n    x\n    y\n- 2"),
        ({"empty": {}, "none": [], "nothing": None, "text": ""},
         'empty: {}\nnone: []\nnothing: null\ntext: ""'),
        ([[1, 2], ["a " * 20]], "- [1, 2]\n- - " + json.dumps("a " * 20)),
        ("just text", "just text"),
        ("two\nlines", "two\nlines"),
        ({"image": "QUJD" * 100}, f"image: {'QUJD' * 15}... (400 characters)"),
    ],
)  # fmt: skip
def test_json_is_outlined_as_yaml_looks(value: Any, expected: str) -> None:
    assert "\n".join(json_lines(value, width=30)) == expected


@pytest.mark.parametrize(
    "text", ["yes", "NULL", "1", "-", "a: b", "a, b", "#x", " a", "", "[", "é!"]
)
def test_what_yaml_would_not_take_for_text_is_quoted(text: str) -> None:
    assert json_inline(text) == json.dumps(text, ensure_ascii=False)


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
    assert body_lines(body, kind) == expected
