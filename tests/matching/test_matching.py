import gzip
import json
import re
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aquila_cassette.errors import UsageError
from aquila_cassette.matching.keys import Matcher
from aquila_cassette.model import Headers, Request

URL = "https://api.example.com/v1/chat"
JSON: Headers = (("content-type", "application/json"),)


def asked(body: bytes = b"", *, url: str = URL, method: str = "POST", headers: Headers = JSON):
    return Request(method, url, headers, body)


def same(one: Request, other: Request, **options) -> bool:
    matcher = Matcher(**options)
    return matcher.key(one) == matcher.key(other)


# URLs.


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{URL}?a=1&b=2", f"{URL}?b=2&a=1"),
        (f"{URL}?a=1&a=2", f"{URL}?a=2&a=1"),
        (f"{URL}?a=x%20y", f"{URL}?a=x+y"),
        (f"{URL}?", URL),
        (f"{URL}#top", URL),
        ("https://API.Example.com:443/v1/chat", URL),
        ("http://a.example:80", "http://a.example/"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        (f"{URL}?key=[redacted]&a=1", f"{URL}?a=1&key=[redacted]"),
    ],
)
def test_urls_that_mean_the_same_match(one: str, other: str):
    assert same(asked(url=one), asked(url=other))


@pytest.mark.parametrize(
    "other",
    [
        "http://api.example.com/v1/chat",
        "https://api.example.com:8443/v1/chat",
        "https://api2.example.com/v1/chat",
        "https://api.example.com/v1/Chat",
        "https://api.example.com/v1/chat/",
        f"{URL}?a=1",
        "https://api.example.com/v1%2Fchat",
    ],
)
def test_urls_that_mean_something_else_do_not(other: str):
    assert not same(asked(url=URL), asked(url=other))


def test_methods_and_bodies_count_and_headers_do_not():
    assert not same(asked(method="GET"), asked(method="POST"))
    assert not same(asked(b"{}"), asked(b"[]"))
    assert same(asked(b"{}"), asked(b"{}", headers=(*JSON, ("anthropic-beta", "x"))))


# Bodies.


def test_numbers_of_json_are_compared_by_their_value():
    assert same(asked(b'{"a": [1.0, 1e2, -0.0, 0.10]}'), asked(b'{"a": [1, 100, 0, 0.1]}'))
    assert not same(asked(b"12345678901234567890"), asked(b"12345678901234567891"))


@pytest.mark.parametrize(
    ("kind", "is_json"),
    [
        ("application/json; charset=utf-8", True),
        ("application/vnd.x+json", True),
        (None, True),
        ("text/plain", False),
        ("application/jsonl", False),
    ],
)
def test_json_is_told_by_its_type_or_by_being_json(kind: str | None, is_json: bool):
    headers = (("content-type", kind),) if kind else ()
    pair = asked(b'{"a":1}', headers=headers), asked(b'{ "a": 1 }', headers=headers)
    assert same(*pair) == is_json


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b'\xef\xbb\xbf{"a":1}', b'"\xed"']
)
def test_what_is_called_json_and_is_none_is_compared_as_bytes(body: bytes):
    assert same(asked(body), asked(bytes(bytearray(body))))
    assert not same(asked(body), asked(body + b" "))
    assert Matcher().body(asked(body)).kind == "bytes"


def test_the_boundary_of_a_multipart_body_does_not_count():
    def form(boundary: str, value: str, quote: str = "") -> Request:
        kind = f"multipart/form-data; boundary={quote}{boundary}{quote}"
        body = f"--{boundary}\r\nContent-Disposition: a\r\n\r\n{value}\r\n--{boundary}--\r\n"
        return asked(body.encode(), headers=(("content-type", kind),))

    assert same(form("0a1b", "x"), form("zz-9", "x", quote='"'))
    assert not same(form("0a1b", "x"), form("zz-9", "y"))


# ignore_json.


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("id", '{"id": 1, "a": 2}', '{"a": 2}'),
        ("metadata.request_id", '{"metadata": {"request_id": 1}}', '{"metadata": {}}'),
        ("messages.*.id", '{"messages": [{"id": 1}, {"id": 2}]}', '{"messages": [{}, {"id": 3}]}'),
        ("a.*", '{"a": {"b": 1, "c": 2}}', '{"a": {}}'),
        ("a.*", '{"a": [1, 2]}', '{"a": [3, 4]}'),
        ("a.1", '{"a": [1, 2, 3]}', '{"a": [1, 9, 3]}'),
        ("*.id", '{"a": {"id": 1}, "b": [5]}', '{"a": {"id": 2}, "b": [5]}'),
    ],
)
def test_a_field_that_is_ignored_does_not_count(path: str, one: str, other: str):
    pair = asked(one.encode()), asked(other.encode())
    assert same(*pair, ignore_json=[path])
    assert not same(*pair)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("tools.0.x", '{"tools": [{"x": 1}, {"x": 2}]}', '{"tools": [{"x": 1}, {"x": 3}]}'),
        ("a.*", '{"a": [1, 2]}', '{"a": [1]}'),
        ("a.b", '{"a": {"b": 1}}', '{"a": 5}'),
        ("a.9", '{"a": [1]}', '{"a": [2]}'),
    ],
)
def test_what_an_ignored_path_does_not_name_counts(path: str, one: str, other: str):
    assert not same(asked(one.encode()), asked(other.encode()), ignore_json=[path])


# match_on.


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ("scheme", "http://api.example.com:443/v1/chat?q=1"),
        ("host", "https://other.example/v1/chat?q=1"),
        ("port", "https://api.example.com:1/v1/chat?q=1"),
        ("path", "https://api.example.com/?q=1"),
        ("query", "https://api.example.com/v1/chat?q=2"),
    ],
)
def test_each_part_of_a_url_counts_alone(part: str, url: str):
    one, other = asked(url=f"{URL}?q=1"), asked(url=url)
    assert not same(one, other, match_on=[part])
    rest = {"scheme", "host", "port", "path", "query"} - {part}
    assert same(one, other, match_on=sorted(rest))


def test_only_what_is_named_counts_and_a_function_gives_what_counts():
    def model(request: Request) -> tuple[str, ...]:  # any value that can be hashed
        return (json.loads(request.body)["model"],)

    assert same(asked(b"1"), asked(b"2", url="x:/"), match_on=["method"])
    assert not same(asked(b"1"), asked(b"2"), match_on=["body"])
    one, other = asked(b'{"model": "a", "n": 1}'), asked(b'{"model": "a", "n": 2}')
    assert same(one, other, match_on=["method", model])
    assert not same(one, asked(b'{"model": "b", "n": 1}'), match_on=["method", model])


@pytest.mark.parametrize(
    ("option", "value", "first"),
    [
        ("match_on", ["Metod", 5], "match_on= names nothing that can be compared: 'Metod', 5."),
        ("match_on", [], "match_on= names nothing that can be compared: it is empty."),
        ("match_on", "body", "match_on= takes a list."),
        ("ignore_json", ["$.messages"], "ignore_json= has a path that cannot be followed: "),
        ("ignore_json", ["messages[].id"], "ignore_json= has a path that cannot be followed: "),
        ("ignore_json", [""], "ignore_json= has a path that cannot be followed: ''."),
        ("unordered_json", ["a..b"], "unordered_json= has a path that cannot be followed: "),
        ("normalize", ["date"], "normalize= does not know 'date'."),
        ("normalize", [re.compile(b"x")], "normalize= does not know re.compile(b'x')."),
    ],
)
def test_an_option_that_is_wrong_is_refused(option: str, value: object, first: str):
    with pytest.raises(UsageError) as caught:
        Matcher(**{option: value})  # type: ignore[arg-type]
    assert str(caught.value).startswith(first)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.floats(-2, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def _strict(value: object) -> object:
    """A value with the equality of JSON: 1 is 1.0 and is not true."""
    if isinstance(value, dict):
        return {name: _strict(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_strict(held) for held in value]
    return (isinstance(value, bool), value)


@given(VALUES, VALUES, st.booleans(), st.sampled_from([None, 2]))
@example({"a": 1, "b": {"c": "ü\n", "d": 3}}, {"b": {"d": 3, "c": "ü\n"}, "a": 1.0}, False, 2)
@example({"a": 1}, {"a": "1"}, True, None)
@example({"a": 1}, {"a": True}, True, None)
@example({"a": None}, {}, True, None)
@example([1, 2], [2, 1], True, None)
@example("a", "a ", True, None)
def test_json_matches_exactly_if_its_values_are_equal(
    one: object, other: object, ascii_only: bool, indent: int | None
):
    bodies = json.dumps(one), json.dumps(other, ensure_ascii=ascii_only, indent=indent)
    encoded = [body.encode("utf-8", "surrogatepass") for body in bodies]
    assert same(asked(encoded[0]), asked(encoded[1])) == (_strict(one) == _strict(other))
    again = json.dumps(one, ensure_ascii=ascii_only, indent=indent)
    assert same(asked(encoded[0]), asked(again.encode()))


# ignore_query, ignore_form, unordered_json, normalize.

FORM = (("content-type", "application/x-www-form-urlencoded"),)


def upload(nonce: str, text: str, inner: str = "in-1") -> Request:
    """A multipart form whose second field is multipart itself."""
    parts = "".join(
        f'--out\r\nContent-Disposition: form-data; name="{name}"\r\n{kind}\r\n{value}\r\n'
        for name, kind, value in (
            ("nonce", "", nonce),
            ("files", f"Content-Type: multipart/mixed; boundary={inner}\r\n",
             f"--{inner}\r\n\r\n{text}\r\n--{inner}--"),
        )
    )  # fmt: skip
    kind = "multipart/form-data; boundary=out"
    return asked(f"{parts}--out--\r\n".encode(), headers=(("content-type", kind),))


LEFT_OUT = [
    ("ignore_query", ["ts"], asked(url=f"{URL}?ts=1&a=1"), asked(url=f"{URL}?a=1&ts=2&ts=3")),
    ("ignore_query", ["X-Amz-*"], asked(url=f"{URL}?X-Amz-Date=1"), asked()),
    ("ignore_form", ["nonce"], asked(b"nonce=1&b=1", headers=FORM), asked(b"b=1", headers=FORM)),
    ("ignore_form", ["nonce"], upload("1", "a"), upload("2", "a")),
    ("ignore_json", ["a.now"], asked(b'{"a": "{\\"now\\": 1}"}'), asked(b'{"a": "{\\"now\\": 2}"}')),
    ("ignore_json", ["*.*.id"], asked(b'{"m": "[{\\"id\\": 1}]"}'), asked(b'{"m": "[ {} ]"}')),
    ("unordered_json", ["stop"], asked(b'{"stop": ["a", "b"]}'), asked(b'{"stop": ["b", "a"]}')),
    ("unordered_json", ["t.*.r"], asked(b'{"t": [{"r": [1, 2]}]}'), asked(b'{"t": [{"r": [2, 1]}]}')),
]  # fmt: skip


@pytest.mark.parametrize(("option", "names", "one", "other"), LEFT_OUT)
def test_what_an_option_leaves_out_does_not_count(
    option: str, names: list[str], one: Request, other: Request
):
    assert not same(one, other)
    assert same(one, other, **{option: names})


@pytest.mark.parametrize(
    ("option", "names", "one", "other"),
    [
        ("ignore_query", ["ts"], asked(url=f"{URL}?ts=1&a=1"), asked(url=f"{URL}?ts=1&a=2")),
        ("ignore_form", ["n"], asked(b"n=1&b=1", headers=FORM), asked(b"n=1&b=2", headers=FORM)),
        ("ignore_form", ["nonce"], upload("1", "a"), upload("1", "b")),
        ("ignore_json", ["a.now"], asked(b'{"a": "{\\"b\\": 1}"}'), asked(b'{"a": "{\\"b\\": 2}"}')),
        ("unordered_json", ["stop"], asked(b'{"stop": ["a"]}'), asked(b'{"stop": ["a", "a"]}')),
        ("unordered_json", ["a"], asked(b'{"a": {"b": [1, 2]}}'), asked(b'{"a": {"b": [2, 1]}}')),
    ],
)  # fmt: skip
def test_everything_else_counts_still(option: str, names: list[str], one: Request, other: Request):
    assert not same(one, other, **{option: names})


def test_forms_and_nested_parts_and_compressed_bodies_are_compared_by_their_meaning():
    assert same(asked(b"a=x%20y", headers=FORM), asked(b"a=x+y", headers=FORM))
    assert not same(asked(b"a=1%26b=2", headers=FORM), asked(b"a=1&b=2", headers=FORM))
    assert not same(asked(b"a=1%0Ab=2", headers=FORM), asked(b"a=1&b=2", headers=FORM))
    assert same(upload("1", "a", "in-1"), upload("1", "a", "in-2"))
    assert not same(upload("1", "a", "in-1"), upload("1", "b", "in-2"))
    packed = [asked(gzip.compress(b'{"a": 1}', mtime=time)) for time in (1, 2)]
    assert same(*packed)
    assert same(packed[0], asked(b'{"a":1}'))
    assert not same(packed[0], asked(gzip.compress(b'{"a": 2}', mtime=1)))


def says(text: str) -> Request:
    return asked(json.dumps({"content": text}).encode())


@pytest.mark.parametrize(
    ("dates", "one", "other"),
    [
        (True, "Today is 2026-01-01. Be brief.", "Today is 2026-12-24. Be brief."),
        (True, "now: 2026-01-01T10:00:00.5Z", "now: 2026-01-02T09:59:01+02:00"),
        (True, "It is Monday, January 5, 2026, 9:05 AM", "It is Tue, Feb 17 2026, 10:15 pm"),
        (True, "Mon, 30 Nov 2026 23:58:56 GMT", "Tue, 1 Dec 2026 00:00:00 GMT"),
        (True, "the 5th of May", "the 21st of June"),
        (True, "30.11.2026 or 11/30/2026", "1.12.2026 or 12/01/2026"),
        (True, "at 1764547136.25 (20261201T000000Z)", "at 1764547137123 (20261202T000001Z)"),
        (True, "clock 10:30", "clock 23:59:01"),
        (True, "今日は2026-01-01です、10:30に", "今日は2026-12-24です、23:59に"),
        (True, "今日は2026年1月1日です", "今日は2026年12月24日です"),
        (False, "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),
        (False, "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620"),
        (False, "web_search_20250305", "web_search_20250306"),
        (False, "John 3:16", "John 3:17"),
        (False, "version 1.2.3 of 127.0.0.1", "version 1.2.4 of 127.0.0.1"),
        (False, "in 2026", "in 2027"),
    ],
)
def test_dates_and_times_of_day_can_be_normalized(dates: bool, one: str, other: str):
    assert not same(says(one), says(other))
    assert same(says(one), says(other), normalize=["dates"]) == dates


@pytest.mark.parametrize(
    ("normalize", "one", "other"),
    [
        (["uuids"], says("call_" + "0a" * 16), says("call_" + "b1" * 16)),
        (["uuids"], asked(url=f"{URL}/{uuid.UUID(int=1)}/x"), asked(url=f"{URL}/{uuid.UUID(int=2)}/x")),
        (["dates"], asked(url=f"{URL}?se=2026-01-01T00%3A00Z"), asked(url=f"{URL}?se=2026-01-02T00%3A00Z")),
        (["dates"], asked(b'{"at": 1764547136.5}'), asked(b'{"at": 1764547199}')),
        (["dates"], asked(b"d=2026-01-01T00%3A00", headers=FORM), asked(b"d=2026-01-02T10%3A00", headers=FORM)),
        (["dates"], upload("2026-01-01", "a"), upload("2026-01-02", "a")),
        (["ids"], asked(url=f"{URL}/thread_{'ab1' * 8}"), asked(url=f"{URL}/thread_{'cd2' * 8}")),
        (["ids"], asked(b'{"seed": 123456789, "t": 0.1234567891}'), asked(b'{"seed": 987654321, "t": 0.9876543211}')),
        ([re.compile(r"run-\d+")], says("run-1 of 3"), says("run-22 of 3")),
        (["dates", "uuids"], says(f"2026-01-01 {'a' * 32}"), says(f"2026-01-02 {'b' * 32}")),
    ],
)  # fmt: skip
def test_text_that_differs_each_time_can_be_normalized_anywhere(
    normalize: list[str | re.Pattern[str]], one: Request, other: Request
):
    assert not same(one, other)
    assert same(one, other, normalize=normalize)


def test_names_of_fields_are_normalized_and_each_keeps_its_value():
    one, other, third = (
        asked(json.dumps({f"{day}-01": first, f"{day}-02": 2}).encode())
        for day, first in (("2026-01", 1), ("2026-02", 1), ("2026-01", 3))
    )
    assert same(one, other, normalize=["dates"])
    assert not same(one, third, normalize=["dates"])


def test_a_version_is_no_date_and_what_is_found_is_not_left_out():
    dated = [asked(url=f"{URL}?api-version=2024-{month}-21") for month in ("10", "11")]
    protocol = [asked(b'{"protocolVersion": "2025-0%d-18"}' % month) for month in (3, 6)]
    assert not same(*dated, normalize=["dates"])
    assert not same(*protocol, normalize=["dates"])
    assert not same(says("since 2026-01-01"), says("since"), normalize=["dates"])
    assert not same(says("a" * 33), says("b" * 33), normalize=["uuids"])
    for names in ("gpt-4o-mini-2024-07-18 gpt-4o-mini-2024-08-06", "0.7 0.75", "120000 240000"):
        one, other = names.split()
        assert not same(says(one), says(other), normalize=["ids"])
        assert not same(
            says("data:" + "Ab1+/" * 50), says("data:" + "+Ab1/" * 50), normalize=["ids"]
        )
