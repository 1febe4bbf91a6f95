"""Values to YAML: one layout, which every reader takes alike."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given

from aquila_cassette.storage.yaml_reader import compose
from aquila_cassette.storage.yaml_writer import field, is_literal, literal, quoted_lines, scalar
from tests.storage.strategies import texts, values


def written(value: Any) -> str:
    return "\n".join(field("value", value, 0)) + "\n"


@given(values)
def test_every_value_reads_back_the_same_in_any_version_of_yaml(value: Any) -> None:
    text = written(value)
    assert repr(compose(text)["value"]) == repr(value)
    assert repr(yaml.safe_load(text)["value"]) == repr(value)


@given(texts)
def test_a_text_reads_back_from_a_block_and_from_quoted_lines(text: str) -> None:
    both = [quoted_lines(text, 2)]
    if is_literal(text):
        both.append("\n".join(literal(text, 2, "")))
    for one in both:
        assert compose(f"value: {one}\nnext: 1\n") == {"value": text, "next": 1}
        assert yaml.safe_load(f"value: {one}\nnext: 1\n")["value"] == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("text/event-stream; charset=utf-8", "text/event-stream; charset=utf-8"),
        ("https://a.b/c?d=e&f=g#h", "https://a.b/c?d=e&f=g#h"),
        ("Grüße, 日本!", "Grüße, 日本!"),
        ("", '""'),
        ("no", '"no"'),
        ("Yes", '"Yes"'),
        ("null", '"null"'),
        ("12:30", '"12:30"'),
        ("2026-11-22", '"2026-11-22"'),
        ("1_000", '"1_000"'),
        ("0x1f", '"0x1f"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("a:", '"a:"'),
        (" a", '" a"'),
        ("a ", '"a "'),
        ("- a", '"- a"'),
        ("*a", '"*a"'),
        ('say "a"', 'say "a"'),
        ('"a"', '"\\"a\\""'),
        ("a\tb", '"a\\tb"'),
        ("\x00\u2028\ufeff", '"\\u0000\\u2028\\ufeff"'),
        ("\ud800", '"\ufffd"'),
        (1e-05, "1.0e-05"),
        (-0.0, "-0.0"),
        (10**30, str(10**30)),
        (True, "true"),
        (None, "null"),
    ],
)
def test_a_scalar_has_quotes_only_where_it_would_be_misread(value: Any, text: str) -> None:
    assert scalar(value) == text


def test_what_is_small_stands_on_one_line_and_what_is_large_does_not() -> None:
    small = {"role": "user", "content": "Hello"}
    large = {"role": "user", "content": "x" * 100}
    lines = {"role": "user", "content": "a\nb"}
    value = {"messages": [small, large, lines, [small], [], {}], "stop": ["a", "b?"], "y": 1}
    assert (
        written(value)
        == f"""\
value:
  messages:
  - {{role: user, content: Hello}}
  - role: user
    content: {"x" * 100}
  - role: user
    content: |-
      a
      b
  - - {{role: user, content: Hello}}
  - []
  - {{}}
  stop: [a, "b?"]
  "y": 1
"""
    )
