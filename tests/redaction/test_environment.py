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
        ("PWD", "/home/me/work-1"),
        ("OLDPWD", "/home/me/work-1"),
        ("SSH_ASKPASS", "/usr/bin/ask-1"),
        ("DATABASE_URL", "postgres://postgres:postgres@localhost:5432/postgres"),
        ("OPENAI_BASE_URL", "https://api.example.com/v1?version=2026-11-01"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key-1.json"),
    ],
)
def test_other_variables_and_common_words_are_none(name: str, value: str):
    assert environment_secrets({name: value}) == ()


def test_passwords_and_other_keys_are_secrets_unless_they_look_like_words():
    environ = {"DB_PASSWORD": "hunter2hunter2", "AZURE_OPENAI_KEY": "0a1b2c3d" * 4}
    assert environment_secrets(environ) == ("0a1b2c3d" * 4, "hunter2hunter2")  # the longest first


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMTP_PASS", "hunter2hunter2", ["hunter2hunter2"]),
        ("FTP_PASSWD", "hunter2hunter2", ["hunter2hunter2"]),
        ("PGPASSWORD", "hunter2hunter2", ["hunter2hunter2"]),
        ("MYSQL_PWD", "hunter2hunter2", ["hunter2hunter2"]),
        ("AZURE_DEVOPS_EXT_PAT", "a1b2c3d4" * 4, ["a1b2c3d4" * 4]),
        ("DATABASE_URL", "postgres://me:hunter%2Fhunter@db:5432/x", ["hunter%2Fhunter", "hunter/hunter"]),
        ("REDIS_URI", "redis://:p@ss-word-1@cache:6379/0", ["p@ss-word-1"]),
        ("SENTRY_DSN", "https://0a1b2c3d4e5f6a7b@o1.ingest.example/1", ["0a1b2c3d4e5f6a7b"]),
        ("PG_DSN", "host=db user=me password='hunter 2hunter' dbname=x", ["hunter 2hunter"]),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountName=me;AccountKey=aB3dE6gH9+/=;B=c", ["aB3dE6gH9+/="]),
        ("ODBC_DSN", "Server=db;Uid=me;Pwd=hunter2hunter2;", ["hunter2hunter2"]),
    ],
)  # fmt: skip
def test_passwords_are_secrets_under_any_name_and_within_an_address(
    name, value, expected, monkeypatch
):
    assert list(environment_secrets({name: value})) == expected
    monkeypatch.setenv(name, value)
    found = Redaction().findings(Response(200, (), (Piece(0, expected[0].encode()),)))
    assert [one.kind for one in found] == [f"the value of {name}"]


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
