"""What frames mean: the standard's rules, one by one."""

from __future__ import annotations

import pytest

from aquila_cassette.sse import Event, Frame, events, frames, meaning
from tests.sse.slices import byte_by_byte, decoded, events_of

RULES = {
    "one leading space of a value is dropped": (
        b"data:  a\n\ndata:a\n\ndata:\ta\n\n",
        [Event("message", " a"), Event("message", "a"), Event("message", "\ta")],
    ),
    "data lines are joined by a newline": (
        b"data: a\ndata: b\ndata\n\n",
        [Event("message", "a\nb\n")],
    ),
    "empty data is an event and no data is none": (
        b"data:\n\nevent: a\n\ndata\n\n",
        [Event("message", ""), Event("message", "")],
    ),
    "a type holds for one frame and the last one given counts": (
        b"event: a\nevent: b\ndata: 1\n\nevent: c\n\ndata: 2\n\n",
        [Event("b", "1"), Event("message", "2")],
    ),
    "an empty type is the default one": (
        b"event: a\nevent:\ndata: 1\n\n",
        [Event("message", "1")],
    ),
    "an id stays until the next one, also one of a frame without data": (
        b"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\n",
        [
            Event("message", "a", "1"),
            Event("message", "b", "1"),
            Event("message", "c", "2"),
            Event("message", "d", ""),
        ],
    ),
    "an id with a NUL is ignored": (
        b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n",
        [Event("message", "a", "1"), Event("message", "b", "1")],
    ),
    "a retry is ASCII digits only": (
        "retry: 010\ndata: a\n\nretry: 5x\nretry:\nretry: ٣\nretry: -1\ndata: b\n\n".encode(),
        [Event("message", "a", "", 10), Event("message", "b", "", None)],
    ),
    "a retry past all counting is ignored": (
        b"retry: " + b"9" * 5000 + b"\ndata: a\n\n",
        [Event("message", "a", "", None)],
    ),
    "comments and unknown fields are passed over": (
        b": hi\nx: 1\ndata : 1\nDATA: 1\n data: 1\ndata: a\n:\n\n: alone\n\n",
        [Event("message", "a")],
    ),
    "CR, LF and CRLF each end a line": (
        b"data: 1\rdata: 2\r\ndata: 3\n\r\ndata: 4\r\rdata: 5\r\n\n",
        [Event("message", "1\n2\n3"), Event("message", "4"), Event("message", "5")],
    ),
    "no other character ends a line": (
        "data: a\u2028b\u0085c\x0bd\x0ce\x1cf\n\n".encode(),
        [Event("message", "a\u2028b\u0085c\x0bd\x0ce\x1cf")],
    ),
    "one byte order mark at the start is no content": (
        "\ufeffdata: 1\n\n\ufeffdata: 2\n\ndata: \ufeff3\n\n".encode(),
        [Event("message", "1"), Event("message", "\ufeff3")],
    ),
    "a second byte order mark is content": (
        "\ufeff\ufeffdata: 1\n\ndata: 2\n\n".encode(),
        [Event("message", "2")],
    ),
    "part of a byte order mark is content": (
        b"\xef\xbbdata: 1\n\ndata: 2\n\n",
        [Event("message", "2")],
    ),
    "invalid UTF-8 is replaced and swallows no line's end": (
        b"data: a\xff\xe2\x82\ndata: \xc3\n\n",
        [Event("message", "a\ufffd\ufffd\n\ufffd")],
    ),
    "what no blank line ended is no event": (
        b"data: 1\n\ndata: 2\n",
        [Event("message", "1")],
    ),
    "an empty stream has no events": (b"", []),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_standard_holds(rule: str) -> None:
    body, expected = RULES[rule]
    assert events(body) == expected
    assert events_of(decoded(byte_by_byte(body))) == expected


def test_a_frame_is_verbatim_with_its_blank_line() -> None:
    assert frames(b"\xef\xbb\xbf: hi\r\n\r\n\ndata: 1\rdata: 2\n\r\ndata: 3") == [
        Frame(b"\xef\xbb\xbf: hi\r\n\r\n", None),
        Frame(b"\n", None),
        Frame(b"data: 1\rdata: 2\n\r\n", Event("message", "1\n2")),
        Frame(b"data: 3", None),
    ]


def test_a_lone_byte_order_mark_is_a_frame_without_an_event() -> None:
    assert frames(b"\xef\xbb\xbf") == [Frame(b"\xef\xbb\xbf", None)]
    assert frames(b"\xef\xbb\xbf\n") == [Frame(b"\xef\xbb\xbf\n", None)]
    assert frames(b"\xef\xbb") == [Frame(b"\xef\xbb", None)]


def test_a_frame_by_itself_means_what_it_says_even_unfinished() -> None:
    assert meaning(b"event: a\ndata: 1\n\n") == Event("a", "1")
    assert meaning(b"data: [DO") == Event("message", "[DO")
    assert meaning(b"\xef\xbb\xbfdata: 1\n") == Event("message", "1")
    assert meaning(b": hi\n\n") is None
