"""Choose host and key for `record --direct`, and restore redacted values from the environment."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from aquila_cassette.dialects.providers import key_of, provider_for_key
from aquila_cassette.errors import UsageError
from aquila_cassette.redaction import REDACTED
from aquila_cassette.redaction.rules import NAME_ENDINGS, looks_random, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aquila_cassette.dialects.providers import KnownProvider
    from aquila_cassette.model import Headers, Request


_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SHORTEST_SECRET = 4
_SCHEMES = ("bearer", "basic", "token")
# Fields of these names hold the key of the provider that is asked.
_KEYS = frozenset({"key", "apikey", "xapikey", "xgoogapikey", "apitoken", "accesstoken", "token"})
_MARK = re.escape(REDACTED)
_QUERY_FIELD = re.compile(rf"(?<=[?&])([^=&]+)(=){_MARK}(?=&|$)")
# Also in JSON that a JSON string holds, where the quotes are escaped.
_JSON_FIELD = re.compile(rf'(?<=")([^"\\]+)((\\*)"\s*:\s*\3"){_MARK}(?=\3")')


class SecretUnavailable(Exception):  # noqa: N818 - becomes a ResendError
    """A redacted value that is not in the environment; its text says where."""


@dataclass(frozen=True)
class Connection:
    """How the providers are reached."""

    headers: Headers = ()  # sent with each request, besides its own
    base_url: str | None = None  # asked instead of the recorded hosts
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)  # where the keys are

    def key_headers(self, url: str) -> Headers:
        """Return the header that holds the provider's key, and those of the command line."""
        provider, key = self._key(url)
        if provider is None or key is None or provider.key_header in dict(self.headers):
            return self.headers
        return ((provider.key_header, provider.key_prefix + key), *self.headers)

    def with_secrets(self, request: Request) -> tuple[Request, list[str]]:
        """Return a request with its redacted values put back, and these values.

        A field that is named like an environment variable, in any style, gets its value; a field
        that is just named a key gets the provider's key. Other hosts than providers get nothing.
        SecretUnavailable is raised for a value that is not known.
        """
        provider, key = self._key(request.url)
        is_trusted = provider or self.base_url or urlsplit(request.url).hostname in _LOOPBACK
        environ = self.environ if is_trusted else {}
        variables = {plain_name(name): value for name, value in environ.items() if value}
        secrets: list[str] = []

        def secret(name: str) -> str:
            plain = plain_name(name)
            value = variables.get(plain) or (key if plain in _KEYS else None)
            if value is None:
                raise SecretUnavailable(name)
            secrets.append(value)
            return value

        url = _QUERY_FIELD.sub(lambda m: m[1] + m[2] + secret(m[1]), request.url)
        headers = tuple(
            (name, secret(name) if value == REDACTED else value) for name, value in request.headers
        )
        body = request.body
        if REDACTED.encode() in body:
            text = body.decode("utf-8", "surrogateescape")
            text = _JSON_FIELD.sub(lambda m: m[1] + m[2] + json.dumps(secret(m[1]))[1:-1], text)
            body = text.encode("utf-8", "surrogateescape")
        for place, text in (("url", url), *headers, ("body", body.decode("latin-1"))):
            if REDACTED in text:
                raise SecretUnavailable(place)
        return replace(request, url=url, headers=headers, body=body), secrets

    def require_keys(self, urls: Iterable[str]) -> None:
        """Refuse to begin if a key is missing; the message names all that are."""
        missing: dict[str, KnownProvider] = {}
        for url in urls:
            provider, key = self._key(url)
            if provider and not key and provider.key_header not in dict(self.headers):
                missing[urlsplit(url).hostname or ""] = provider
        if missing:
            first = next(iter(missing.values()))
            raise UsageError(
                f"There is no key for {' and '.join(missing)}; nothing was sent.",
                facts=[
                    f"{host}: {' or '.join(provider.key_variables)} is not set"
                    for host, provider in missing.items()
                ],
                fix="Fix: set the variable, or pass the header: "
                f"--header '{first.key_header}: {first.key_prefix}...'",
            )

    def _key(self, url: str) -> tuple[KnownProvider | None, str | None]:
        provider = provider_for_key(url)
        return provider, None if provider is None else key_of(provider, self.environ)

    @property
    def secrets(self) -> list[str]:
        """The secrets among the headers of the command line."""
        return [
            word
            for name, value in self.headers
            for word in value.split()
            if len(word) >= _SHORTEST_SECRET
            and word.lower() not in _SCHEMES
            and (
                plain_name(name).endswith((*NAME_ENDINGS, "cookie")) or looks_random(word.encode())
            )
        ]


def parse_header(text: str) -> tuple[str, str]:
    """Read a header as it is written on the command line: ``name: value``."""
    name, colon, value = text.partition(":")
    name, value = name.strip().lower(), value.strip()
    plain = name.replace("-", "").replace("_", "")
    if not colon or not (plain.isascii() and plain.isalnum()) or not value.isprintable():
        raise UsageError(
            "--header does not name a header.",
            facts=["expected: name: value"],  # what was given may be a key
            fix="Fix: write, for example, --header 'x-api-key: ...'",
        )
    return name, value


def redirect(url: str, base_url: str | None) -> str:
    """Return where a request goes; what both paths have in common is named once."""
    if base_url is None:
        return url
    base, recorded = urlsplit(base_url), urlsplit(url)
    lead = base.path.strip("/").split("/") if base.path.strip("/") else []
    path = recorded.path.split("/")[1:]
    common = next((n for n in range(len(lead), 0, -1) if lead[-n:] == path[:n]), 0)
    whole = "/".join(["", *lead, *path[common:]])
    return urlunsplit((base.scheme, base.netloc, whole, recorded.query, ""))
