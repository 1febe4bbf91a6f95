"""Names, hosts and environment variables of the known providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """One provider, and how requests to it name their sender."""

    name: str
    # Its hosts, with the port where that is part of the address; a star is one label.
    hosts: tuple[str, ...]
    # The environment variables that may hold its key, the usual one first.
    key_variables: tuple[str, ...] = ()
    key_header: str = "authorization"  # the header that takes the key
    key_prefix: str = "Bearer "  # what comes before the key in that header
    own_dialects: str = ""  # how the names of its own dialects begin; empty where it has none
    has_general_key: bool = False  # whether the key is that of an account used for much else


# fmt: off
PROVIDERS = (
    KnownProvider("openai", ("api.openai.com",), ("OPENAI_API_KEY",), own_dialects="openai-"),
    KnownProvider("anthropic", ("api.anthropic.com",), ("ANTHROPIC_API_KEY",),
                  "x-api-key", "", own_dialects="anthropic"),
    KnownProvider("gemini", ("generativelanguage.googleapis.com",),
                  ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
                  "x-goog-api-key", "", own_dialects="gemini"),
    KnownProvider("vertex", ("*aiplatform.googleapis.com",)),
    KnownProvider("azure", ("*.openai.azure.com",), ("AZURE_OPENAI_API_KEY",), "api-key", ""),
    KnownProvider("cohere", ("api.cohere.com", "api.cohere.ai"),
                  ("CO_API_KEY", "COHERE_API_KEY"), own_dialects="cohere"),
    KnownProvider("ollama", ("localhost:11434", "127.0.0.1:11434"), own_dialects="ollama"),
    KnownProvider("mistral", ("api.mistral.ai",), ("MISTRAL_API_KEY",)),
    KnownProvider("codestral", ("codestral.mistral.ai",),
                  ("CODESTRAL_API_KEY", "MISTRAL_API_KEY")),
    KnownProvider("groq", ("api.groq.com",), ("GROQ_API_KEY",)),
    KnownProvider("cerebras", ("api.cerebras.ai",), ("CEREBRAS_API_KEY",)),
    KnownProvider("deepseek", ("api.deepseek.com",), ("DEEPSEEK_API_KEY",)),
    KnownProvider("fireworks", ("api.fireworks.ai",), ("FIREWORKS_API_KEY",)),
    KnownProvider("perplexity", ("api.perplexity.ai",), ("PERPLEXITY_API_KEY", "PPLX_API_KEY")),
    KnownProvider("together", ("api.together.*",), ("TOGETHER_API_KEY",)),
    KnownProvider("xai", ("api.x.ai",), ("XAI_API_KEY",)),
    KnownProvider("openrouter", ("openrouter.ai",), ("OPENROUTER_API_KEY",)),
    KnownProvider("huggingface", ("router.huggingface.co",),
                  ("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN"), has_general_key=True),
    KnownProvider("replicate", ("api.replicate.com",), ("REPLICATE_API_TOKEN",)),
    KnownProvider("voyage", ("api.voyageai.com",), ("VOYAGE_API_KEY",)),
)
# fmt: on
"""All providers known."""


def provider_for_key(url: str) -> KnownProvider | None:
    """Return the provider that may be sent its key at `url`; None where no key is known.

    A key goes only where it belongs, and encrypted: a cassette may name any address.
    """
    parts = urlsplit(url)
    provider = _provider_at((parts.hostname or "").lower())
    is_encrypted = parts.scheme.lower() == "https"
    return provider if provider and provider.key_variables and is_encrypted else None


def key_of(provider: KnownProvider, environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in provider.key_variables if environ.get(name)), None)


def provider_name(url: str, dialect: str | None) -> str:
    """Return the name of who answers at `url`, and of the dialect where the name does not say it."""
    host = urlsplit(url).netloc.rpartition("@")[2].lower()
    provider = _provider_at(host)
    name = provider.name if provider else host
    if dialect is None:
        return name
    if provider and provider.own_dialects and dialect.startswith(provider.own_dialects):
        return dialect
    return f"{dialect} at {name}"


def _provider_at(host: str) -> KnownProvider | None:
    return next(
        (one for one in PROVIDERS if any(_is_host(host, pattern) for pattern in one.hosts)), None
    )


def _is_host(host: str, pattern: str) -> bool:
    # A star is one label: api.together.* is not api.together.example.org.
    return host.count(".") == pattern.count(".") and fnmatchcase(host, pattern)
