from __future__ import annotations

import pytest

from aquila_cassette.transcript.interaction import provider_name


@pytest.mark.parametrize(
    ("url", "dialect", "expected"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai-chat", "openai-chat"),
        ("https://api.openai.com/v1/models", None, "openai"),
        ("https://api.openai.com/v1/odd", "anthropic", "anthropic at openai"),
        ("https://api.anthropic.com/v1/messages", "anthropic", "anthropic"),
        (
            "https://generativelanguage.googleapis.com/v1beta/interactions",
            "gemini-interactions",
            "gemini-interactions",
        ),
        (
            "https://me.openai.azure.com/openai/x?api-version=1",
            "openai-chat",
            "openai-chat at azure",
        ),
        ("https://us-central1-aiplatform.googleapis.com/v1/x", "gemini", "gemini at vertex"),
        ("https://aiplatform.googleapis.com/v1/x", "anthropic", "anthropic at vertex"),
        ("http://localhost:11434/api/chat", "ollama", "ollama"),
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
