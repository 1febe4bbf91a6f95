"""Files in another format that are damaged: one clear error, with the line, and a fix."""

import base64
import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from aquila_cassette import importers
from aquila_cassette.errors import CassetteFormatError
from aquila_cassette.importers import detect_format
from tests.importers.samples import RESTORE, only, read, vcrpy
from tests.storage.cassettes import PATH

BAD = "interaction 1 cannot be read.\n  "
PACKED = gzip.compress(vcrpy().encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (vcrpy().replace("    method: POST\n", ""), f"2: {BAD}KeyError: 'method'"),
        (
            vcrpy(status="status: {code: 0}"),
            f"2: {BAD}ValueError: the status 0 is not from 200 to 999",
        ),
        (vcrpy(received="body: {string: [{}]}"), f"2: {BAD}TypeError: a body is a Map"),
        (
            '{"interactions": [{"request": {"uri": "a"',
            "1: this is not JSON: expecting ',' delimiter.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(data: str, message: str) -> None:
    with pytest.raises(CassetteFormatError) as caught:
        read(data)
    assert str(caught.value) == f"cassettes/chat.yaml, line {message}\n{RESTORE}"


def packed(data: bytes) -> str:
    return "body: {string: !!binary " + base64.b64encode(data).decode() + "}"


ZEROS = gzip.compress(bytes(40 << 20), 9)
ITEM = vcrpy(received="body: {string: " + "x" * 100_000 + "}")
ALIASES = ITEM.replace("- request:", "- &a\n  request:").replace(
    "version", "- *a\n" * 400 + "version"
)
GZIP, GZIP2 = "headers: {content-encoding: [gzip]}", "headers: {content-encoding: ['gzip, gzip']}"
NUMBER = "9" * 5000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (vcrpy(received=packed(ZEROS), headers=GZIP), "compressed bytes become more than 16777216"),
        (vcrpy(received=packed(gzip.compress(ZEROS)), headers=GZIP2), "compressed bytes become more"),
        (gzip.compress(vcrpy().encode() + b" " * (40 << 20)), "too large for a cassette"),
        (ALIASES, "written out, its aliases have more than 16777216 characters"),
        (vcrpy(sent="parsed_body: &a [*a]"), r"\*a is within what it names, or names nothing"),
        (vcrpy(status="status: {code: " + NUMBER + "}"), "a number has too many digits"),
        (json.dumps({"log": {"entries": [{"time": 1}]}}).replace("1", NUMBER), "too many digits"),
        (vcrpy(status="status: {code: .inf}"), "OverflowError"),
        (vcrpy(status="status: {code: 103}"), "the status 103 is not from 200 to 999"),
        *((vcrpy(headers=f'headers: {{x: ["a{bad}b"]}}'), "the header 'x' has a line break, a NUL or")
          for bad in ("\\r\\nSet-Cookie: a", "\\n", "\\0", "\\u0100")),
        (vcrpy(headers='headers: {"x y": [a]}'), "has a name that HTTP does not allow"),
    ],
    ids=["gzip", "gzip twice", "file", "aliases", "holds itself", "digits", "HAR", "infinite", "1xx", "CR", "LF",
         "NUL", "latin-1", "name"],
)  # fmt: skip
def test_what_was_made_to_do_harm_is_refused(data: bytes | str, problem: str) -> None:
    with pytest.raises(CassetteFormatError, match=problem):
        read(data)


def test_a_header_that_goes_on_in_the_next_line_is_one_line() -> None:
    assert only(vcrpy(headers='headers: {x: ["a\\r\\n b"]}')).response.header("x") == "a b"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (PACKED[:-20], "the compressed file is damaged"),
        (vcrpy().encode().replace(b'{"n":1}', b"\xff"), "line 3: the byte 0xff is not UTF-8"),
        (vcrpy(sent=f"parsed_body: {'[' * 100_000}{']' * 100_000}").encode(), "nest"),
    ],
    ids=["cut off", "no text", "nested"],
)
def test_what_cannot_be_unpacked_or_is_no_text_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(CassetteFormatError, match=problem):
        read(data)


@given(st.integers(0, len(vcrpy())), st.integers(0, 40), st.text(max_size=3))
@example(265, 0, "0")  # the status has no code
def test_whatever_is_edited_away_there_is_a_cassette_or_a_clear_error(
    start: int, length: int, put: str
) -> None:
    text = vcrpy()
    _read_or_refused((text[:start] + put + text[start + length :]).encode("utf-8", "replace"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.binary(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["body", "string", "uri", "headers", "status", "code", "method"]),
                inner,
            )
        ),
        max_leaves=6,
    ),
    st.sampled_from(["request", "response"]),
    st.sampled_from(["body", "headers", "status", "uri", "method", "parsed_body", "status_code"]),
)
def test_whatever_is_in_a_field_there_is_a_cassette_or_a_clear_error(
    value: object, message: str, key: str
) -> None:
    tree = yaml.safe_load(vcrpy())
    tree["interactions"][0][message][key] = value
    _read_or_refused(yaml.safe_dump(tree).encode())


def _read_or_refused(data: bytes) -> None:
    with suppress(CassetteFormatError):  # any other error fails the test
        found = importers.read_foreign(data, path=PATH)
        for one in found.interactions if found else ():
            assert isinstance(one.request.body + one.response.body, bytes)


def test_a_cassette_of_ours_that_says_uri_somewhere_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text(
        "interactions:\n- request:\n   method: POST\n   url: https://a.example/\n   json:\n"
        "    uri: b\n  response: {status: 200, ended: complete}\nversion: 1\n"
    )
    assert detect_format(path.read_bytes()) is None
    found = importers.load(path)
    assert (found.foreign, found.interactions[0].request.body) == ("", b'{"uri":"b"}')
    path.write_text(
        "version: 1\ninteractions:\n- request:\n    method: POST\n    uri: https://a.example/\n"
        "    json: {a: b}\n  response:\n    status: 200\n    ended: complete\n"
    )
    with pytest.raises(CassetteFormatError, match="line 5: the request has an unknown field"):
        importers.load(path)
