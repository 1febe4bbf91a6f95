"""The YAML of a cassette means what libyaml reads, however much of it was cut out before."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.storage.format import encode
from aquila_cassette.storage.yaml_reader import (
    YamlBlock,
    YamlError,
    clean_utf8,
    compose,
    cut_blocks,
)
from aquila_cassette.storage.yaml_writer import (
    field,
    is_literal,
    literal,
    quoted_lines,
    scalar,
    unsafe,
)
from tests.storage.strategies import cassettes, texts, values


def plain_values(value: object) -> object:
    """Return what `compose` gave, blocks as text."""
    match value:
        case dict():
            return {key: plain_values(one) for key, one in value.items()}
        case list():
            return [plain_values(one) for one in value]
        case YamlBlock():
            return value.text()
    return value


def composed(text: str) -> object:
    """Read `text` as a whole, and compare with what is read after blocks were cut out."""
    try:
        whole = compose(text)
    except YamlError:
        whole = YamlError
    with suppress(YamlError):  # then it is read as a whole
        skeleton, blocks = cut_blocks(text.encode(), keep_lines=True)
        assert skeleton.count(b"\n") == text.count("\n")
        assert plain_values(compose(skeleton, blocks)) == whole
    return whole


SNIPPETS = [
    *"ab01-+.:,#|>&*!%@'\"[]{}?~\\\t \n",
    " |\n", "|+\n", "|2", "\n  ", "\n    ", "\n      ", "\n        ", "- ", ": ", " #", "# c",
    "{a: 1}", "[1, b]", "{}", '"x"', '"\\u00e9"', "no", "null", "é", ", ", "a: b\n", "key: |\n",
    "1e999", "\n \n", "\n\t\n", "> ", "|1", "| #c", "? |", "a: b: |", "# |", "&a b", "*a", "!a", "---",
]  # fmt: skip


@given(cassettes.map(encode).map(bytes.decode), st.data())
def test_an_edited_cassette_means_the_same_with_its_blocks_cut_out(
    text: str, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(st.sampled_from(SNIPPETS)) + text[at + gone :]
    composed(text)


@pytest.mark.parametrize(
    "text",
    [
        'a: "b\n  c: |\n    d"\ne: 1\n',
        "{a: |\n  b\n}\n",
        "a: |\n  b\n \n  c\n",
        "a: |+\n  b\n \nc: 1\n",
        "a: |2\n   b\n\n  c\n",
        "a: |\n\n  b\n",
        "-   a: |\n    b\n",
        "a: |\n    b\n",
        "- |2\n    b\n",
    ],
)
def test_a_look_alike_of_a_block_is_not_taken_for_one(text: str) -> None:
    composed(text)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_plain_scalars_are_those_of_json(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", loader == "CSafeLoader")
    text = "[1, -2.5e3, true, null, no, ~, 012, 1_0, 2026-11-22, 12:30, '1', \"\\u00e9\\x01\"]\n"
    assert compose(text) == [
        *(1, -2500.0, True, None, "no", "~", "012", "1_0", "2026-11-22", "12:30"),
        *("1", "é\x01"),
    ]


def accepts(text: str) -> bool:
    try:
        return clean_utf8(text.encode()) == text.encode()
    except YamlError:
        return False


def test_what_we_write_as_it_is_is_accepted_and_what_we_escape_is_not() -> None:
    characters = [chr(c) for c in range(0x80, 0x10000) if not 0xD800 <= c < 0xE000]
    assert [c for c in characters if accepts(f"é{c}—\n") == bool(unsafe(c.encode()))] == []
    assert accepts("\U0001f600\U000e0001\U0010ffff")

    controls = [chr(code) for code in [*range(0x20), 0x7F]]
    assert [c for c in controls if not accepts(f"a{c}b\n")] == ["\0", "\r"]  # signs of damage


# Values to YAML: one layout, which every reader takes alike.


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
        both.append(b"".join(literal(text.encode(), 2, "")).decode())
    for one in both:
        assert compose(f"value: {one}\nnext: 1\n") == {"value": text, "next": 1}
        assert yaml.safe_load(f"value: {one}\nnext: 1\n")["value"] == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("https://a.b/c?d=e&f=g#h", "https://a.b/c?d=e&f=g#h"),
        ("", '""'),
        ("no", '"no"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        (" a", '" a"'),
        ("a\tb", '"a\\tb"'),
        ("\x00\u2028\ufeff", '"\\u0000\\u2028\\ufeff"'),
        ("\ud800", '"\ufffd"'),
        (1e-05, "1.0e-05"),
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
