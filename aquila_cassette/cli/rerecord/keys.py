"""Whose key a request needs, where it is, and where the request goes."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aquila_cassette.model import Headers

__all__ = ["ACCOUNTS", "Account", "account_of", "key_of", "parse_header", "require_keys", "target"]


@dataclass(frozen=True, slots=True)
class Account:
    """How a provider is told who asks.

    Args:
        variables: The environment variables that may hold the key, the usual one first.
        header: The header that takes it.
        prefix: What stands before it there.
    """

    variables: tuple[str, ...]
    header: str = "authorization"
    prefix: str = "Bearer "


ACCOUNTS = {
    "api.openai.com": Account(("OPENAI_API_KEY",)),
    "api.anthropic.com": Account(("ANTHROPIC_API_KEY",), "x-api-key", ""),
    "generativelanguage.googleapis.com": Account(
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "x-goog-api-key", ""
    ),
    "api.mistral.ai": Account(("MISTRAL_API_KEY",)),
    "codestral.mistral.ai": Account(("CODESTRAL_API_KEY", "MISTRAL_API_KEY")),
    "api.groq.com": Account(("GROQ_API_KEY",)),
    "api.cohere.com": Account(("CO_API_KEY", "COHERE_API_KEY")),
    "api.cohere.ai": Account(("CO_API_KEY", "COHERE_API_KEY")),
    "api.cerebras.ai": Account(("CEREBRAS_API_KEY",)),
    "api.deepseek.com": Account(("DEEPSEEK_API_KEY",)),
    "api.fireworks.ai": Account(("FIREWORKS_API_KEY",)),
    "api.perplexity.ai": Account(("PERPLEXITY_API_KEY", "PPLX_API_KEY")),
    "api.together.*": Account(("TOGETHER_API_KEY",)),
    "api.x.ai": Account(("XAI_API_KEY",)),
    "openrouter.ai": Account(("OPENROUTER_API_KEY",)),
    "router.huggingface.co": Account(("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN")),
    "api.replicate.com": Account(("REPLICATE_API_TOKEN",)),
    "api.voyageai.com": Account(("VOYAGE_API_KEY",)),
    "*.openai.azure.com": Account(("AZURE_OPENAI_API_KEY",), "api-key", ""),
}
"""The providers that are known, by the host that is asked; a star stands for one label."""


def account_of(url: str) -> Account | None:
    """Give how the host of `url` is told who asks; None where no key is known for it.

    A key goes only where it belongs, and encrypted: a cassette may name any address.

    Args:
        url: As it is on the cassette.

    Example:
        >>> account_of("https://api.mistral.ai/v1/chat/completions").variables
        ('MISTRAL_API_KEY',)
        >>> account_of("http://api.mistral.ai/v1/chat/completions")
        >>> account_of("https://api.mistral.ai.example.org/v1/chat/completions")
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme.lower() != "https":
        return None
    if exact := ACCOUNTS.get(host):
        return exact
    return next((one for name, one in ACCOUNTS.items() if _is_of(host, name)), None)


def _is_of(host: str, pattern: str) -> bool:
    # A star stands for one label: api.together.* is not api.together.example.org.
    return host.count(".") == pattern.count(".") and fnmatchcase(host, pattern)


def key_of(account: Account, environ: Mapping[str, str]) -> str | None:
    """Give the key of an account; None where no variable holds it.

    Args:
        account: Whose.
        environ: The environment.
    """
    return next((environ[name] for name in account.variables if environ.get(name)), None)


def require_keys(
    urls: Mapping[str, Iterable[str]], environ: Mapping[str, str], headers: Headers
) -> None:
    """Refuse to begin where a key is missing.

    Args:
        urls: What each cassette asks: its path as people see it, and its URLs.
        environ: The environment.
        headers: What is sent besides; a key may be among them.

    Raises:
        UsageError: One is missing; the message names all that are.
    """
    given = {name for name, _ in headers}
    missing: dict[Account, tuple[str, list[str]]] = {}
    for path, asked in urls.items():
        for url in asked:
            account = account_of(url)
            if account is None or account.header in given or key_of(account, environ):
                continue
            _, paths = missing.setdefault(account, (urlsplit(url).hostname or "", []))
            if path not in paths:
                paths.append(path)
    if not missing:
        return
    hosts = [host for host, _ in missing.values()]
    facts = []
    for account, (host, paths) in missing.items():
        others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        facts.append(f"{host}: {' or '.join(account.variables)} is not set ({paths[0]}{others})")
    first = next(iter(missing))
    header = f"{first.header}: {first.prefix}..."
    raise UsageError(
        f"There is no key for {' and '.join(hosts)}; nothing was sent.",
        facts=facts,
        fix=f"Set the variable, or give the header: --header '{header}'",
    )


def parse_header(text: str) -> tuple[str, str]:
    """Read a header as it is written on the command line.

    Args:
        text: ``name: value``.

    Raises:
        UsageError: It is none.

    Example:
        >>> parse_header("Authorization: Bearer abc")
        ('authorization', 'Bearer abc')
    """
    name, colon, value = text.partition(":")
    name, value = name.strip().lower(), value.strip()
    plain = name.replace("-", "").replace("_", "")
    if not colon or not (plain.isascii() and plain.isalnum()) or not value.isprintable():
        raise UsageError(
            "--header does not name a header.",
            facts=["expected: name: value"],  # what was given may be a key
            fix="Write, for example: --header 'x-api-key: ...'",
        )
    return name, value


def target(url: str, base_url: str | None) -> str:
    """Give where a request goes.

    Args:
        url: As it is on the cassette.
        base_url: The address to ask instead of the recorded host; what the end of its path and
            the beginning of the recorded path have in common is named once.

    Example:
        >>> target("https://api.openai.com/v1/responses?a=1", "http://127.0.0.1:8000/proxy/v1/")
        'http://127.0.0.1:8000/proxy/v1/responses?a=1'
        >>> target("https://api.openai.com/v1/responses", None)
        'https://api.openai.com/v1/responses'
    """
    if base_url is None:
        return url
    base, recorded = urlsplit(base_url), urlsplit(url)
    lead = base.path.strip("/").split("/") if base.path.strip("/") else []
    path = recorded.path.split("/")[1:]
    common = next((n for n in range(len(lead), 0, -1) if lead[-n:] == path[:n]), 0)
    whole = "/".join(["", *lead, *path[common:]])
    return urlunsplit((base.scheme, base.netloc, whole, recorded.query, ""))
