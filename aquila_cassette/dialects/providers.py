"""Names, hosts and environment variables of the known providers; placeholder keys."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args
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
    KnownProvider("azure-documents", ("*.cognitiveservices.azure.com",),
                  ("DOCUMENTINTELLIGENCE_API_KEY", "DOCUMENT_INTELLIGENCE_KEY",
                   "AZURE_DOCUMENT_INTELLIGENCE_KEY"), "ocp-apim-subscription-key", ""),
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
    # A star is one label: api.together.* is not api.together.example.org.
    labels = host.count(".")
    known = ((one, pattern) for one in PROVIDERS for pattern in one.hosts)
    fitting = (
        one for one, pattern in known if pattern.count(".") == labels and fnmatchcase(host, pattern)
    )
    return next(fitting, None)


# Placeholder keys. They are set where an environment variable is unset, or empty (as secrets are in
# the CI of a fork), for a test that uses a cassette and for a block that can only replay. Never while
# tests are collected, where `skipif` asks for keys, unless the suite asks for that.

PLACEHOLDER = "aquila-placeholder"
"""The placeholder key: good enough to build a client with, and never sent to be recorded."""

Kind = Literal["models", "accounts"]

# Accounts open more than models: files, public downloads. A placeholder where there is none would
# break a fixture that needs them, so they are set inside blocks only, where nothing goes out.
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_AWS_SOURCE = re.compile("AWS_.*(KEY|PROFILE|TOKEN|CREDENTIALS|CONFIG_FILE)")
_AWS_FOLDER = Path("~/.aws")
_KEY_VARIABLES: dict[Kind, list[tuple[str, ...]]] = {
    kind: [one.key_variables for one in PROVIDERS if one.has_general_key == (kind == "accounts")]
    for kind in get_args(Kind)
}


class PlaceholderKeys:
    """The keys that this process sets, and for how many users."""

    def __init__(self) -> None:
        self._users: dict[Kind, int] = {"models": 0, "accounts": 0}
        self._before: dict[Kind, dict[str, str | None]] = {"models": {}, "accounts": {}}

    def switch(self, *kinds: Kind, on: bool) -> None:
        """Count one user of `kinds` more or less; the first one sets the keys."""
        for kind in kinds:
            self._users[kind] += 1 if on else -1
            if on and self._users[kind] == 1:
                missing = _missing(kind)
                self._before[kind] |= missing
                os.environ.update(dict.fromkeys(missing, PLACEHOLDER))
        if not on:
            self.restore()

    def restore(self) -> None:
        """Unset what nobody uses any more, also what a test's ``monkeypatch`` put back since."""
        for kind, names in self._before.items():
            for name, before in () if self._users[kind] else names.items():
                if (now := os.environ.pop(name, None)) == PLACEHOLDER:
                    now = before
                if now is not None:
                    os.environ[name] = now


KEYS = PlaceholderKeys()


def _missing(kind: Kind) -> dict[str, str | None]:
    """Return the variables to set, with what they hold: no key of their provider is set."""
    missing: dict[str, str | None] = {}
    for names in _KEY_VARIABLES[kind]:
        found = [os.environ.get(name) for name in names]
        if not any(map(_is_key, found)):
            missing.update(zip(names, found, strict=True))
    # google-genai warns where both of its variables are set.
    missing.pop("GEMINI_API_KEY", None)
    if kind == "accounts" and not _has_aws_account():
        missing |= {name: os.environ.get(name) for name in _AWS}
    return missing


def _has_aws_account() -> bool:
    sources = filter(_AWS_SOURCE.match, os.environ)
    return any(_is_key(os.environ[name]) for name in sources) or _AWS_FOLDER.expanduser().exists()


def _is_key(value: str | None) -> bool:
    return value not in (None, "", PLACEHOLDER)
