"""Which keys are missing, and where requests go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from aquila_cassette.dialects.providers import key_of, provider_for_key
from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aquila_cassette.dialects.providers import KnownProvider
    from aquila_cassette.model import Headers

__all__ = ["parse_header", "require_keys", "target"]


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
    missing: dict[KnownProvider, tuple[str, list[str]]] = {}
    for path, asked in urls.items():
        for url in asked:
            provider = provider_for_key(url)
            if provider is None or provider.key_header in given or key_of(provider, environ):
                continue
            _, paths = missing.setdefault(provider, (urlsplit(url).hostname or "", []))
            if path not in paths:
                paths.append(path)
    if not missing:
        return
    hosts = [host for host, _ in missing.values()]
    facts = []
    for provider, (host, paths) in missing.items():
        others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        facts.append(
            f"{host}: {' or '.join(provider.key_variables)} is not set ({paths[0]}{others})"
        )
    first = next(iter(missing))
    header = f"{first.key_header}: {first.key_prefix}..."
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
