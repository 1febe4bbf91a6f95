"""Which key goes where, and what is put back into a request."""

from __future__ import annotations

import pytest

from aquila_cassette.cli.record_connection import Connection, SecretUnavailable, redirect
from aquila_cassette.model import Headers, Request
from aquila_cassette.redaction import Redaction


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://api.openai.com@evil.example/v1",
        "http://127.0.0.1:8000/v1",
    ],
)
def test_no_key_goes_to_another_host_or_goes_unencrypted(url: str) -> None:
    environ = {"OPENAI_API_KEY": "k"}
    assert Connection(environ=environ).key_headers(url) == ()
    openai = "https://api.openai.com/v1"
    assert Connection(environ=environ).key_headers(openai) == (("authorization", "Bearer k"),)
    given = (("authorization", "Bearer mine"),)
    assert Connection(given, environ=environ).key_headers(openai) == given


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("https://a.example/v1/chat?b=c", "http://b.example:80", "http://b.example:80/v1/chat?b=c"),
        ("https://a.example/v1/chat", "http://b.example/v1", "http://b.example/v1/chat"),
        ("https://a.example/v1/chat", "http://b.example/p/v1/", "http://b.example/p/v1/chat"),
        ("https://a.example/openai/v1/chat", "http://b/x/openai/v1", "http://b/x/openai/v1/chat"),
        ("https://a.example/v1/chat", "http://b.example/v2", "http://b.example/v2/v1/chat"),
        ("https://a.example", "http://b.example/v2", "http://b.example/v2"),
    ],
)
def test_a_base_url_takes_the_place_of_the_host(url: str, base: str, expected: str) -> None:
    assert redirect(url, base) == expected


ENVIRON = {"OPENAI_API_KEY": "sk-1", "MY_TENANT_TOKEN": "t-1", "EMPTY_SECRET": ""}
URL = "https://api.openai.com/v1"
JSON = (("content-type", "application/json"),)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "https://api.openai.com/v1?api_key=sk-1&x=1"),
        Request("POST", URL, JSON, b'{"myTenantToken":"t-1","a":{"apiKey":"sk-1"}}'),
        Request("POST", URL, JSON, b'{"tool":"{\\"api_key\\": \\"sk-1\\"}"}'),
    ],
)  # fmt: skip
def test_what_redaction_took_out_is_put_back(request_: Request) -> None:
    kept = Redaction().request(request_, env=())
    assert kept != request_
    again, secrets = Connection(base_url="http://127.0.0.1", environ=ENVIRON).with_secrets(kept)
    assert again == request_
    assert set(secrets) <= {"sk-1", "t-1"}


def test_of_the_headers_given_only_keys_are_secrets() -> None:
    opaque = "a1b2c3d4e5f6a7b8c9d0e1f2"
    given = (
        ("authorization", "Bearer of-mine"),
        ("x-tenant-key", "acme"),
        ("anthropic-beta", "tools-2024-04-04"),
        ("x-mode", f"production {opaque}"),
        ("x-api-key", "abc"),
    )
    assert Connection(given, environ={}).secrets == ["of-mine", "acme", opaque]


@pytest.mark.parametrize(
    ("where", "url", "headers", "body"),
    [
        ("sig", "/v1?sig=[redacted]", (), b""),
        ("url", "/[redacted]/v1", (), b""),
        ("x-mine", "/", (("x-mine", "[redacted]"),), b""),
        ("body", "/", (), b'{"a": "my [redacted]"}'),
        ("empty_secret", "/", (), b'{"empty_secret": "[redacted]"}'),
        ("body", "/", (), b"token=[redacted]"),
        ("body", "/", (), b'{"[redacted]": 1}'),
    ],
)
def test_what_nobody_knows_is_not_put_back(
    where: str, url: str, headers: Headers, body: bytes
) -> None:
    request = Request("POST", f"https://a.example{url}", headers, body)
    with pytest.raises(SecretUnavailable, match=where):
        Connection(base_url="http://127.0.0.1", environ=ENVIRON).with_secrets(request)


def test_secrets_of_the_environment_go_to_no_host_that_is_not_known() -> None:
    def secrets(url: str, base_url: str | None = None) -> list[str]:
        request = Request("POST", url, JSON, b'{"my_tenant_token": "[redacted]"}')
        return list(Connection(environ=ENVIRON, base_url=base_url).with_secrets(request)[1])

    with pytest.raises(SecretUnavailable):
        secrets("https://evil.example/")
    assert secrets("https://api.openai.com/v1") == ["t-1"]
    assert secrets("http://127.0.0.1:8000/") == ["t-1"]
    assert secrets("https://other.example/", "https://proxy.example") == ["t-1"]
