"""Which key goes where."""

from __future__ import annotations

import pytest

from aquila_cassette.cli.record_direct import _key_header, _with_key, redirect

GOOGLE = "https://generativelanguage.googleapis.com/v1beta"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://api.openai.com@evil.example/v1",
        "https://evil.example/v1?key=[redacted]",
        "http://127.0.0.1:8000/v1",
    ],
)
def test_no_key_goes_to_another_host_or_goes_unencrypted(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("GEMINI_API_KEY", "g/")
    assert (_key_header(url), _with_key(url)) == ((), url)
    openai = "https://api.openai.com/v1"
    assert _key_header(openai) == (("authorization", "Bearer k"),)
    assert _with_key(f"{GOOGLE}?a=b&key=[redacted]") == f"{GOOGLE}?a=b&key=g/"


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("https://a.example/v1/chat?b=c", "http://b.example:80", "http://b.example:80/v1/chat?b=c"),
        ("https://a.example/openai/v1/chat", "http://b/x/openai/v1/", "http://b/x/openai/v1/chat"),
        ("https://a.example/v1/chat", "http://b.example/v2", "http://b.example/v2/v1/chat"),
        ("https://a.example", "http://b.example/v2", "http://b.example/v2"),
    ],
)
def test_a_base_url_takes_the_place_of_the_host(url: str, base: str, expected: str) -> None:
    assert redirect(url, base) == expected
