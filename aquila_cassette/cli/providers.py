"""Who answered: a short name from the host and from what was spoken."""

from __future__ import annotations

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

__all__ = ["provider"]

_AT_HOME = {
    "api.openai.com": ("openai", "openai-"),
    "api.anthropic.com": ("anthropic", "anthropic"),
    "generativelanguage.googleapis.com": ("gemini", "gemini"),
    "api.cohere.com": ("cohere", "cohere"),
    "api.cohere.ai": ("cohere", "cohere"),
    "localhost:11434": ("ollama", "ollama"),
    "127.0.0.1:11434": ("ollama", "ollama"),
}
_GUESTS = {
    "*.openai.azure.com": "azure",
    "*aiplatform.googleapis.com": "vertex",
    "api.cerebras.ai": "cerebras",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.perplexity.ai": "perplexity",
    "api.together.*": "together",
    "api.x.ai": "xai",
    "openrouter.ai": "openrouter",
    "router.huggingface.co": "huggingface",
}


def provider(url: str, dialect: str | None) -> str:
    """Name who answers at `url`, and what it speaks where the one does not say the other.

    Args:
        url: The request's URL.
        dialect: The name of the dialect that was spoken; None where none is known.

    Example:
        >>> provider("https://api.openai.com/v1/responses", "openai-responses")
        'openai-responses'
        >>> provider("https://api.groq.com/openai/v1/chat/completions", "openai-chat")
        'openai-chat at groq'
        >>> provider("https://example.org/feed", None)
        'example.org'
    """
    host = urlsplit(url).netloc.rpartition("@")[2].lower()
    name, prefix = _AT_HOME.get(host, ("", ""))
    if name:
        if dialect is None:
            return name
        return dialect if dialect.startswith(prefix) else f"{dialect} at {name}"
    guest = (name for pattern, name in _GUESTS.items() if fnmatchcase(host, pattern))
    shown = next(guest, host)
    return f"{dialect} at {shown}" if dialect else shown
