"""Findings name what redaction hides, by kind and place."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from aquila_cassette.model import Failure, Piece, Request, Response
from aquila_cassette.redaction import Redaction, SecretFinding
from tests.redaction.test_properties import ENV, KINDS, REDACTION, TEXTS

KEY = "sk-ant-api03-abcdefghijklmnop"


@given(TEXTS, TEXTS, TEXTS, KINDS)
def test_something_is_told_of_a_message_exactly_where_redaction_changes_it(
    path: str, header: str, body: str, kind: str
) -> None:
    headers = (("content-type", kind), ("accept", header))
    sent = Request("POST", f"https://a.example/{path}", headers, body.encode())
    clean = REDACTION.request(sent, env=ENV)
    assert bool(REDACTION.findings(sent, env=ENV)) == (clean is not sent)
    assert REDACTION.findings(clean, env=ENV) == []
    came = Response(200, headers[:1], (Piece(0, body.encode()),), error=Failure(None, header))
    clean_response = REDACTION.response(came, env=ENV)
    assert bool(REDACTION.findings(came, env=ENV)) == (clean_response is not came)
    assert REDACTION.findings(clean_response, env=ENV) == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (Request("GET", f"x://a/?key={KEY}&n=1"), [("url", "query field 'key'")]),
        (Request("GET", "x://me@a/"), [("url", "a user, password or fragment")]),
        (Request("GET", f"x://a/{KEY}"), [("url", "a key (sk-...)")]),
        (
            Request("GET", "x://a/", (("authorization", "x"), ("x-trace", "7"))),
            [("headers", "the header 'authorization'", "authorization")],
        ),
        (
            Request("POST", "x://a/", body=b'{"n": 1, "password": "abc"}'),
            [("body", "the field 'password'", "", 22, 25)],
        ),
    ],
)
def test_it_is_told_what_it_is_and_where(sent: Request, expected: list[tuple[Any, ...]]) -> None:
    assert Redaction().findings(sent, env=()) == [SecretFinding(*one) for one in expected]


def test_a_value_of_the_environment_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "correct horse 9")
    sent = Request("POST", "https://a.example/correct%20horse%209", (), b'{"a": "correct horse 9"}')
    kinds = [one.kind for one in Redaction().findings(sent)]
    assert kinds == ["the value of ACME_API_KEY"] * 2
    came = Response(None, ended="failed", error=Failure("X", "no: correct horse 9"))
    assert Redaction().findings(came) == [SecretFinding("error", "the value of ACME_API_KEY")]


@pytest.mark.parametrize("secret", ["sk-ant-api03-aB3dE6gH9jK2mN5pQ8sT1vW4", None])
def test_beside_an_image_secrets_are_found_and_in_it_values_of_the_environment(
    secret: str | None,
) -> None:
    value = "a-value-that-nobody-may-see"
    image = base64.b64encode(bytes(range(256)) * 90 + (value if secret is None else "").encode())
    sent = {"image": f"data:image/png;base64,{image.decode()}", "text": secret or "none"}
    body = json.dumps(sent).encode()
    clean = Redaction().request(Request("POST", "https://a.example/", (), body), env=(value,))
    assert clean.body != body
    assert (secret or base64.b64encode(value.encode()).decode()[:-4]).encode() not in clean.body
    plain = json.dumps({**sent, "text": "none"}).encode()
    assert (
        Redaction().request(Request("POST", "https://a.example/", (), plain), env=()).body == plain
    )
