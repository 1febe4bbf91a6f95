import json
import random
from typing import Any

import pytest
from hypothesis import given

from aquila_cassette.matching.difference import closest, describe
from aquila_cassette.matching.keys import Matcher
from aquila_cassette.model import Headers, Request
from tests.matching.test_matching import VALUES

URL = "https://api.example.com/v1/chat"
JSON: Headers = (("content-type", "application/json"),)
TEXT: Headers = (("content-type", "text/plain"),)


def asked(value: Any = None, *, url: str = URL, method: str = "POST") -> Request:
    return Request(method, url, JSON, json.dumps(value).encode())


def sent(body: bytes) -> Request:
    return Request("POST", URL, TEXT, body)


def diff(recorded: Any, request: Any, **options: Any) -> list[str]:
    """Give the lines below the head of a diff of two JSON bodies."""
    lines = describe(asked(recorded), asked(request), Matcher(**options))
    assert lines[:2] == ["--- recorded", "+++ this request"]
    return lines[2:]


def chat(*contents: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} for content in contents], **fields}


# describe.


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (
            chat("Say hello", n=1),
            chat("Say hi", n=1),
            "@@ messages.0.content @@|-Say hello|+Say hi",
        ),
        (
            {"a": "x", "b": {"c": [1]}},
            {"b": {"c": [1], "d": {"e": None}}},
            '@@ a @@|-"x"|@@ b.d @@|+{"e": null}',
        ),
        (1, 2, "@@ body @@|-1|+2"),
        ("a", "b", "@@ body @@|-a|+b"),
        ([1, 2], [1, 3], "@@ 1 @@|-2|+3"),
        ([1, 2], [0, 1, 2], "@@ 0 @@ 2 items became 3|+0"),
        ([0, 1, 2], [1, 2], "@@ 0 @@ 3 items became 2|-0"),
        (["a", "b"], ["a", "c", "d"], '@@ 1 @@|-b|+c|@@ 2 @@ 2 items became 3|+"d"'),
        (
            {"stop": ["a", "b"]},
            {"stop": ["b", "a"]},
            '@@ stop @@ the same in another order|-["a", "b"]|+["b", "a"]',
        ),
        ("a", "a\nb", "@@ body, line 2 @@|+b"),
        ("a\nb\n", "a\nb \n", "@@ body, line 2 @@|-'b'|+'b '"),
        ("a\nb", "a\r\nb", "@@ body, line 1 @@|-'a'|+'a\\r'"),
        ({"": 1, "\n": 1}, {"": 2, "\n": 2}, "@@ '' @@|-1|+2|@@ '\\n' @@|-1|+2"),
        (
            {},
            {"a": "x" * 1000},
            '@@ a @@|+"' + "x" * 89 + " [... 862 characters ...] " + "x" * 49 + '"',
        ),
    ],
)
def test_each_difference_is_shown_with_its_path(old: Any, new: Any, lines: str):
    assert diff(old, new) == lines.split("|")


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (1, "1", ["-1", '+"1"']),
        (1, True, ["-1", "+true"]),
        (None, "", ["-null", '+""']),
        ("a", "a ", ["-'a'", "+'a '"]),
        ("a\tb", "a b", ["-'a\\tb'", "+'a b'"]),
        ("\u00e9", "e\u0301", ["-'\\xe9'", "+'e\\u0301'"]),
        ("a", ["a\u202e"], ['-"a"', '+["a\\u202e"]']),
    ],
)
def test_values_are_shown_so_that_they_cannot_be_mistaken(old: Any, new: Any, lines: list[str]):
    assert diff({"v": old}, {"v": new}) == ["@@ v @@", *lines]


def test_a_text_of_many_lines_is_compared_line_by_line():
    lines = [f"line {number}" for number in range(1, 30)]
    changed = [*lines[:4], "LINE 5", *lines[5:20], "extra", *lines[20:]]
    assert diff(chat("\n".join(lines)), chat("\n".join(changed))) == [
        *("@@ messages.0.content, line 5 @@", "-line 5", "+LINE 5"),
        *("@@ messages.0.content, line 21 @@", "+extra"),
    ]


def test_long_values_are_shown_from_shortly_before_they_differ():
    same = "word " * 100
    lines = diff(f"{same}yes {same}.", f"{same}no {same}.")
    assert [line[:59] for line in lines] == [
        "@@ body @@",
        f"-[... 470 characters ...] {'word ' * 6}yes",
        f"+[... 470 characters ...] {'word ' * 6}no ",
    ]


def test_of_many_differences_only_the_first_are_shown():
    old, new = ({f"f{n:02}": n + by for n in range(20)} for by in (0, 1))
    lines = diff(old, new)
    assert [line for line in lines if line.startswith("@@")] == [f"@@ f{n:02} @@" for n in range(8)]
    assert lines[-1] == "... and 12 more"


def test_only_what_the_matcher_looks_at_is_shown():
    def first(request: Request) -> int:
        return json.loads(request.body)["n"] // 10

    matcher = Matcher(["host", "query", first])
    one = asked({"n": 10}, method="PUT", url="https://a.example/x?b=2&a=1")
    other = asked({"n": 25}, url="https://b.example:1/y?a=1&b=3")
    assert describe(one, other, matcher)[2:] == [
        *("@@ host @@", "-a.example", "+b.example"),
        *("@@ query @@", "-a=1&b=2", "+a=1&b=3"),
        *("@@ first @@", "-1", "+2"),
    ]


def test_ignored_fields_are_not_shown():
    old, new = {"id": 1, "a": [{"id": 2, "b": 1}]}, {"id": 3, "a": [{"id": 4, "b": 2}]}
    assert diff(old, new, ignore_json=["id", "a.*.id"]) == ["@@ a.0.b @@", "-1", "+2"]


def test_a_body_that_is_no_json_is_compared_as_text():
    changed = ["@@ body, line 2 @@", "-b", "+B"]
    assert describe(sent(b"a\nb\nc"), sent(b"a\nB\nc"))[2:] == changed
    assert describe(asked({"a": 1}), sent(b"hello"))[2:] == ["@@ body @@", '-{"a": 1}', "+hello"]


@pytest.mark.parametrize("body", [b"\xff\x00", b"a\x00b"])
def test_of_bytes_that_are_no_text_only_size_and_hash_are_shown(body: bytes):
    lines = describe(sent(body), sent(b"abc"))[2:]
    assert lines[0] == "@@ body @@"
    assert lines[1].startswith(f"-<{len(body)} bytes, sha256 ")
    assert lines[2] == "+abc"


@given(VALUES, VALUES)
def test_there_is_a_difference_to_show_exactly_if_they_do_not_match(one: Any, other: Any):
    matcher = Matcher()
    lines = describe(asked(one), asked(other), matcher)
    assert bool(lines) == (matcher.key(asked(one)) != matcher.key(asked(other)))
    assert all(line.isprintable() and line[:1] in "-+@ ." for line in lines)
    assert not lines or {line[0] for line in lines[2:]} & {"-", "+"}


def test_a_diff_of_huge_bodies_stays_short():
    chance = random.Random(3)
    old = [chance.random() for _ in range(5_000)]
    new = [chance.random() for _ in range(5_000)]
    text = "\n".join(map(str, old)), "\n".join(map(str, new))
    lines = diff({"a": old, "b": text[0], "c": text[0].replace("\n", " ")},
                 {"a": new, "b": text[1], "c": text[1].replace("\n", " ")})  # fmt: skip
    assert len(lines) < 60
    assert max(map(len, lines)) < 300


# closest.


def test_the_most_similar_body_is_the_closest():
    recorded = [
        asked(chat("Translate this poem into French")),
        asked(chat("Say hello to everybody in the room")),
        asked(chat("What is the capital of France?")),
    ]
    assert closest(asked(chat("Say hello to everybody in the house")), recorded) == 1
    assert closest(asked(chat("What was the capital of France?", n=1)), recorded) == 2


def test_method_and_url_weigh_more_than_the_body():
    recorded = [asked("hello", url=URL + "/x"), asked("hello", method="PUT"), asked("bye")]
    assert closest(asked("hello"), recorded) == 2
    recorded = [asked("hello", url=URL + "/x"), asked("bye", url="https://b.example/v1/chat")]
    assert closest(asked("hello"), recorded) == 1
    assert closest(asked("b"), [asked("a"), asked("c"), asked("c")]) == 0
    assert closest(asked("a"), []) is None


def test_among_a_thousand_of_the_same_url_a_near_twin_is_found():
    chance = random.Random(1)
    words = [f"word{number}" for number in range(500)]
    recorded = [asked(chat(" ".join(chance.choices(words, k=200)))) for _ in range(1000)]
    twin = json.loads(recorded[637].body)
    twin["messages"][0]["content"] += " indeed"
    assert closest(asked(twin), recorded) == 637
