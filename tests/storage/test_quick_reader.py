"""The quick reader gives what the general one gives, or leaves it to that."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage import format as format_
from aquila_cassette.storage import layout
from aquila_cassette.storage.fast_reader import Decline, Fields, cut
from aquila_cassette.storage.format import dumps
from aquila_cassette.storage.yaml_reader import YamlError, clean_utf8, compose
from tests.storage.cassettes import EVENT_STREAM, said

PATH = Path("cassettes/x.yaml")
TAPE = CassetteData(
    (
        said("Hel", "lo"),
        Interaction(
            Request(
                "POST",
                "https://a.b/c?d=e#f",
                (("a", "b"), ("x", "1"), ("x", "2")),
                b'{"m":{"a":[1,{"b":"x\\ny"}]},"t":"a\\nb\\n","u":[]}',
            ),
            Response(429, EVENT_STREAM, (Piece(3, b"data: 1\r\n\r\n"),), 2, "HTTP/2"),
            "2026-11-22T10:30:00Z",
            "tests/a.py::b[c]",
        ),
        Interaction(
            Request("POST", "https://a.b", body=b'{"a": 1}'),
            Response(200, pieces=(Piece(1, b"\xff"),), ended="failed", error=Failure("E", "x")),
            "2026-11-22T10:30:00Z",
        ),
    ),
    "aquila-cassette 0.1.0",
)
SNIPPETS = [
    *"ab01-+.:,#|>&*!%@'\"[]{}?~\\\t \n",
    " |\n", "|+\n", "|2", "\n  ", "\n    ", "\n      ", "\n        ", "- ", ": ", " #", "# c",
    "{a: 1}", "[1, b]", "{}", '"x"', '"\\u00e9"', "no", "null", "é", ", ", "a: b\n", "key: |\n",
    "\x1b", "\x01", "\x0b", "\x7f", "1e999",
]  # fmt: skip


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_an_edited_file_reads_the_same_either_way(data: st.DataObject) -> None:
    text = dumps(TAPE)
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(st.sampled_from(SNIPPETS)) + text[at + gone :]
    quick = layout.read(clean_utf8(text.encode()))
    if quick is not None:
        assert format_.parse_cassette(compose(text)) == quick


VALUES = [
    "a", "-1", "1.5", "null", '"x y"', "{a: b, \"c\": [1, 2]}", "[a, b]", "x: y", "a #b", "a#b",
    "- a", "a, b", "{}", "~", "'s'", "1e5", "[a,b]", "{a: 1, a: 2}", "?a", "[a?b]", "{u: https://a}",
    "[a:b]", '"a" b', "[ a]", "[a ]", "{a : b}", "a ", "{a: }", "[a, ]", "%a", "a%", "日本", "a  b",
    "[a  b]", "{null: 1}", '"a\\/b"', '"\\ud800"', "a : b", "a :b", "!a", "&a b", "*a", "<<", "> ",
    "\x1b[1m", "a\x01", '"\x0b"', "1e999", "|1", "| #c", "", "|", "|-", "|+", "|2", "012", "+1",
]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, column: int = 0) -> str:
    """Draw YAML that is laid out nearly as we do it, with values that YAML has views on."""
    lines = []
    for key in draw(st.lists(st.sampled_from(["a", "b", '"c d"', "null"]), min_size=1, max_size=3)):
        kind = draw(st.sampled_from(["value", "value", "map", "list", "block"]))
        head = f"{' ' * column}{key}:"
        if kind == "map" and column < 6:
            lines += [head, draw(documents(column + 2))]
        elif kind == "list":
            dash = " " * (column + draw(st.sampled_from([0, 0, 2, 1]))) + "- "
            some = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2))
            lines += [head, *(dash + one for one in some)]
        elif kind == "block":
            pads = st.sampled_from([2, 2, 2, 4, 3, 1, 0]).map(lambda more: " " * (column + more))
            parts = st.tuples(pads, st.sampled_from(["x", "x: y", "- a", "", "#"])).map("".join)
            header = draw(st.sampled_from(["|", "|-", "|+", "|2", "|2-"]))
            lines += [f"{head} {header}", *draw(st.lists(parts | st.just(""), max_size=3))]
        else:
            lines.append(f"{head} {draw(st.sampled_from(VALUES))}")
    return "\n".join(lines)


@given(documents().map(lambda text: text + "\n"))
@settings(max_examples=300, deadline=None)
def test_what_is_accepted_means_the_same_to_libyaml(text: str) -> None:
    try:
        skeleton, blocks = cut(text.encode())
        quick = Fields(blocks).read(skeleton, 0)
    except Decline:
        return
    assert next(blocks, None) is not None or compose(text) == quick


@pytest.mark.parametrize(
    "old_and_new",
    [
        ("    status: 200\n", "    # a comment\n    status: 200\n"),
        ("    status: 200\n", "    status: 200  # all is well\n"),
        ("method: POST", "method: 'POST'"),
        ("  request:\n", "\n  request:\n"),
        ("    method: POST\n", "    method:\n      POST\n"),
        ("    pieces:", "    'pieces':"),
    ],
)
def test_what_a_hand_may_write_is_left_to_the_general_reader(old_and_new: tuple[str, str]) -> None:
    text = dumps(CassetteData((said("Hel", "lo"),))).replace(*old_and_new, 1)
    assert layout.read(text.encode()) is None
    assert format_.parse_cassette(compose(text)).interactions


def test_equal_tapes_come_of_a_file_and_of_its_edited_copy() -> None:
    text = dumps(TAPE)
    assert layout.read(text.encode()) == TAPE
    assert format_.parse_cassette(compose("# mine\n" + text)) == TAPE


def test_control_characters_pasted_into_a_body_are_taken_as_they_are() -> None:
    text = dumps(CassetteData((said("Hel", "lo"),))).replace("Hel", "\x1b[1m\x01\x7f")
    quick = layout.read(clean_utf8(text.encode()))
    assert quick is not None
    assert b"\x1b[1m\x01\x7f" in quick.interactions[0].response.body
    assert format_.parse_cassette(compose(text)) == quick


def test_what_is_no_yaml_is_declined_too() -> None:
    text = dumps(TAPE).replace("      data:", "   data:")
    assert layout.read(text.encode()) is None
    with pytest.raises(YamlError):
        compose(text)
