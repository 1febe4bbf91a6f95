from __future__ import annotations

import base64
import json
import os
from urllib.parse import quote, quote_plus

import pytest

from aquila_cassette.model import Piece, Response
from aquila_cassette.redaction import Redaction, environment_secrets

REDACTION = Redaction()
PLAIN = "correcthorse9battery"
ODD = 'pass "word"/+\\ü\n%&=1'


def redacted(data: bytes, secret: str) -> bytes:
    response = Response(200, (), (Piece(0, data),))
    return REDACTION.response(response, env=(secret,)).body


@pytest.mark.parametrize(
    "name",
    ["OPENAI_API_KEY", "HF_TOKEN", "CLIENT_SECRET", "DJANGO_SECRET_KEY", "AWS_SECRET_ACCESS_KEY",
     "SSH_PRIVATE_KEY", "API_KEY", "my_api_key"],
)  # fmt: skip
def test_the_values_of_variables_that_name_a_secret_are_secrets(name: str):
    assert environment_secrets({name: "abcdefgh"}) == ("abcdefgh",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/bin:/bin"),
        ("TOKENIZERS_PARALLELISM", "disabled"),
        ("MAX_TOKENS", "10000000"),
        ("KEYBOARD", "qwertyuiop"),
        ("OPENAI_API_KEY", "short"),
        ("OPENAI_API_KEY", ""),
        ("OPENAI_API_KEY", "[redacted]"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("PRIMARY_KEY", "customer_number"),
    ],
)
def test_other_variables_and_common_words_are_none(name: str, value: str):
    assert environment_secrets({name: value}) == ()


def test_passwords_and_other_keys_are_secrets_unless_they_look_like_words():
    environ = {"DB_PASSWORD": "hunter2hunter2", "AZURE_OPENAI_KEY": "0a1b2c3d" * 4}
    assert environment_secrets(environ) == ("0a1b2c3d" * 4, "hunter2hunter2")  # the longest first


def test_a_variable_that_is_set_later_is_seen(monkeypatch: pytest.MonkeyPatch):
    before = environment_secrets(os.environ)
    monkeypatch.setenv("SOME_TEST_TOKEN", PLAIN)
    assert set(environment_secrets(os.environ)) == {*before, PLAIN}
    monkeypatch.setenv("SOME_TEST_TOKEN", PLAIN + "2")
    assert set(environment_secrets(os.environ)) == {*before, PLAIN + "2"}
    monkeypatch.delenv("SOME_TEST_TOKEN")
    assert environment_secrets(os.environ) == before


@pytest.mark.parametrize("secret", [PLAIN, ODD, "abcdefgh", "x" * 16 + "Y" * 50])
def test_a_secret_is_found_in_every_spelling(secret: str):
    raw = secret.encode()
    spellings = [
        raw,
        *(json.dumps(secret, ensure_ascii=ascii_)[1:-1].encode() for ascii_ in (True, False)),
        json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        *(encode(secret, safe="").encode() for encode in (quote, quote_plus)),
        quote_plus(secret).lower().encode() if secret == ODD else raw,
    ]
    for spelling in spellings:
        assert redacted(b"a: " + spelling + b" " + spelling, secret) == b"a: [redacted] [redacted]"


@pytest.mark.parametrize("secret", [PLAIN, ODD, "abcdefgh", "abcdefghi", "abcdefghij", "ü" * 9])
@pytest.mark.parametrize("before", ["", "u:", "me:", "you:"])
@pytest.mark.parametrize("after", ["", "!", "!!", "!!!"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_in_base64_wherever_it_stands(secret, before, after, encode):
    coded = encode(f"{before}{secret}{after}".encode())
    first = len(before.encode()) * 8 // 6
    end = (len(f"{before}{secret}".encode()) * 8 - 1) // 6 + 1
    # Every character that holds a bit of the secret goes, and no other.
    assert redacted(b"Basic " + coded + b".", secret) == (
        b"Basic " + coded[:first] + b"[redacted]" + coded[end:] + b"."
    )


def test_a_secret_is_found_in_the_middle_of_a_large_image():
    blob = base64.b64encode(os.urandom(3000) + PLAIN.encode() + os.urandom(3000))
    assert redacted(b'{"b64_json":"' + blob + b'"}', PLAIN).count(b"[redacted]") == 1


def test_a_secret_named_like_the_marker_does_not_grow_it():
    once = redacted(b"[redacted] is redacted", "redacted")
    assert once == b"[redacted] is [redacted]"
    assert redacted(once, "redacted") == once
