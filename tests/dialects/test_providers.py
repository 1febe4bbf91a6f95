"""Which provider a URL belongs to, what it is called, and which key goes there."""

import pytest

from aquila_cassette.dialects.providers import key_of, provider_for_key, provider_name


@pytest.mark.parametrize(
    ("url", "dialect", "expected"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai-chat", "openai-chat"),
        ("https://api.openai.com/v1/models", None, "openai"),
        ("https://api.openai.com/v1/odd", "anthropic", "anthropic at openai"),
        ("https://api.anthropic.com/v1/messages", "anthropic", "anthropic"),
        ("https://us-central1-aiplatform.googleapis.com/v1/x", "gemini", "gemini at vertex"),
        ("http://LOCALHOST:11434/v1/chat/completions", "openai-chat", "openai-chat at ollama"),
        ("http://127.0.0.1:8101/v1/messages", "anthropic", "anthropic at 127.0.0.1:8101"),
        ("https://user:secret@models.example/v1", None, "models.example"),
        ("/no/host", None, ""),
    ],
)
def test_the_name_says_who_answered_and_what_it_spoke_once(
    url: str, dialect: str | None, expected: str
) -> None:
    assert provider_name(url, dialect) == expected


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("https://API.Anthropic.com/v1/messages", "ANTHROPIC_API_KEY"),
        ("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        ("https://mine.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY"),
    ],
)
def test_a_key_is_known_for_the_hosts_of_providers(url: str, variable: str) -> None:
    provider = provider_for_key(url)
    assert provider is not None
    assert key_of(provider, {variable: "k"}) == "k"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com@evil.example/v1",
        "https://api.together.evil.example/v1",
        "https://a.b.openai.azure.com.evil.example",
        "https://evil-openai.azure.com",
    ],
)
def test_no_key_goes_to_another_host_or_goes_unencrypted(url: str) -> None:
    assert provider_for_key(url) is None


def test_the_second_variable_counts_where_the_first_is_not_set_or_empty() -> None:
    provider = provider_for_key("https://generativelanguage.googleapis.com/v1beta")
    assert provider is not None
    assert key_of(provider, {"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "g"}) == "g"
    assert key_of(provider, {"GEMINI_API_KEY": "m", "GOOGLE_API_KEY": "g"}) == "m"
    assert key_of(provider, {}) is None
