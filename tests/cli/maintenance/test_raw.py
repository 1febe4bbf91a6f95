"""Secrets in files that cannot be read: found by the same rules, and taken out where they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.cli.maintenance.raw import raw_owners, raw_scrubbed, raw_secrets
from aquila_cassette.model import Piece, Response
from aquila_cassette.redaction import Redaction
from tests.cli.maintenance.tapes import BY, EVENTS, PIECES, chat, text

KEY = "sk-ant-api03-abcdefghijklmnop"
RULES = Redaction()
SENT = text(
    chat(
        url="https://a.example/?key=abc&n=1",
        sent=b'{"api_key":"abc","n":1,"stop":[{"password":1234}],"text":"say \\"Hi\\""}',
    )
).replace("{content-type: application/json}", '{accept: a, x-api-key: "abc", cookie: a=b}')
SCRUBBED = (
    SENT.replace("key=abc", "key=[redacted]")
    .replace('x-api-key: "abc", cookie: a=b', 'x-api-key: "[redacted]", cookie: "[redacted]"')
    .replace("api_key: abc", 'api_key: "[redacted]"')
    .replace("password: 1234", 'password: "[redacted]"')
)
FOUND = [
    (8, "query field 'key'"),
    (9, "the header 'cookie'"),
    (9, "the header 'x-api-key'"),
    (11, "the field 'api_key'"),
    (14, "the field 'password'"),
]


def found(content: str | bytes, redact: Redaction = RULES) -> list[tuple[int, str]]:
    data = content.encode() if isinstance(content, str) else content
    return [(one.line, one.kind) for one in raw_secrets(data, redact)]


def scrubbed(content: str, redact: Redaction = RULES) -> str | None:
    new = raw_scrubbed(content.encode(), redact)
    return None if new is None else new.decode()


def test_names_tell_a_secret_in_headers_urls_and_bodies() -> None:
    assert found(SENT) == FOUND
    assert scrubbed(SENT) == SCRUBBED
    assert found(SCRUBBED) == []
    assert scrubbed(SCRUBBED) is None


@pytest.mark.parametrize("cut", range(8, SENT.count("\n")))
def test_wherever_a_file_ends_what_stands_before_is_found(cut: int) -> None:
    torn = "\n".join(SENT.split("\n")[:cut])
    assert found(torn) == [one for one in FOUND if one[0] <= cut]
    new = scrubbed(torn) or torn
    assert new == "\n".join(SCRUBBED.split("\n")[:cut])


@given(st.integers(0, len(SENT)), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_was_scrubbed_has_nothing_left_to_hide(cut: int, binary: bool) -> None:
    data = SENT[:cut].encode() + (b"\n\xff\x00\x80" if binary else b"")
    new = raw_scrubbed(data, RULES)
    if new is None:
        assert raw_secrets(data, RULES) == []
        return
    assert raw_secrets(new, RULES) == []
    assert raw_scrubbed(new, RULES) is None
    assert new.count(b"\n") == data.count(b"\n")
    assert not binary or new.endswith(b"\n\xff\x00\x80")


def test_events_are_searched_as_events() -> None:
    said = Piece(310, b'data: {"api_key":"abc","say":"%s"}\n\n' % KEY.encode())
    one = replace(chat(), response=Response(200, EVENTS, (PIECES[0], said, PIECES[1])))
    content = text(one).partition("    ended:")[0]
    assert found(content) == [(21, "a key (sk-...)"), (21, "the field 'api_key'")]
    clean = content.replace(KEY, "[redacted]").replace('"abc"', '"[redacted]"')
    assert scrubbed(content) == clean


def test_lists_of_headers_and_forms_are_searched() -> None:
    content = (
        "- request:\n"
        "    headers:\n"
        "      content-type: application/x-www-form-urlencoded\n"
        "      x-api-key:\n"
        "      - abc\n"
        "      - def # mine\n"
        "      accept: [a, b]\n"
        "    text: grant=x&password=abc&n=1\n"
    )
    assert found(content) == [
        (5, "the header 'x-api-key'"),
        (6, "the header 'x-api-key'"),
        (8, "form field 'password'"),
    ]
    assert scrubbed(content) == (
        content.replace("abc\n", '"[redacted]"\n')
        .replace("def # mine", '"[redacted]" # mine')
        .replace("password=abc", "password=[redacted]")
    )


def test_words_of_a_model_are_no_names() -> None:
    content = (
        "- response:\n"
        "    headers: {content-type: text/plain}\n"
        "    text: |-\n"
        "      cookie: chocolate\n"
        "      api_key: the key of an API\n"
        "    headers_aft"
    )
    assert found(content) == []
    assert scrubbed(content) is None


def test_headers_that_are_not_kept_are_told_apart() -> None:
    (one,) = raw_secrets(b"- response:\n    headers: {date: today", RULES)
    assert (one.line, one.kind, one.secret) == (2, "the header 'date'", False)


def test_the_rules_of_a_user_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "correct-horse")
    content = "- request:\n    json:\n      tenant: acme\n      say: correct-horse\n      n: [1"
    assert found(content) == [(4, "the value of ACME_TOKEN")]
    rules = Redaction(names=["tenant"], allow=["correct-horse"])
    assert found(content, rules) == [(3, "the field 'tenant'")]
    assert scrubbed(content, rules) == content.replace("acme", '"[redacted]"')


def test_a_file_in_utf_16_is_searched_too() -> None:
    data = f"version: 1\n# {KEY}\n".encode("utf-16")
    assert found(data) == [(2, "a key (sk-...)")]
    new = raw_scrubbed(data, RULES)
    assert new == "version: 1\n# [redacted]\n".encode("utf-16")


def test_line_ends_and_whatever_is_no_text_stay() -> None:
    data = f"a: \xff\r\nb: {KEY}\r\n\x00".encode("latin-1")
    assert raw_scrubbed(data, RULES) == data.replace(KEY.encode(), b'"[redacted]"')


def test_whose_a_damaged_file_is_can_be_told() -> None:
    content = text(chat(), chat(recorded_by="tests/test_chat.py::test_b[1]")).encode()
    assert raw_owners(content[:-20]) == [BY, "tests/test_chat.py::test_b[1]"]
