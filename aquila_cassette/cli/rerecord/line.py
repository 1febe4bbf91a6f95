"""The line to the providers: where requests go, with whose key, with which secrets put back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aquila_cassette.cli.rerecord.hidden import unhidden
from aquila_cassette.dialects.providers import key_of, provider_for_key
from aquila_cassette.redaction.names import NAME_ENDINGS, looks_random, plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila_cassette.dialects.providers import KnownProvider
    from aquila_cassette.model import Headers, Request

__all__ = ["Line"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SHORTEST_SECRET = 4
_SCHEMES = ("bearer", "basic", "token")


@dataclass(frozen=True)
class Line:
    """The line to the providers.

    Args:
        headers: What is sent with each request, besides what is on the cassette.
        base_url: The address to ask instead of the recorded hosts.
        environ: Where the keys are.
    """

    headers: Headers = ()
    base_url: str | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def account_headers(self, url: str) -> Headers:
        """Give the headers that tell the provider who asks, and those that the user gave."""
        account, key = self._account(url)
        if (
            account is None
            or key is None
            or account.key_header in {name for name, _ in self.headers}
        ):
            return self.headers
        return ((account.key_header, account.key_prefix + key), *self.headers)

    def unhidden(self, request: Request) -> tuple[Request, list[str]]:
        """Put the secrets of a request back, if it goes where they may go.

        Raises:
            Unhidden: Something cannot be put back.
        """
        account, key = self._account(request.url)
        trusted = account or self.base_url or urlsplit(request.url).hostname in _LOOPBACK
        return unhidden(request, key=key, environ=self.environ if trusted else {})

    def _account(self, url: str) -> tuple[KnownProvider | None, str | None]:
        account = provider_for_key(url)
        return account, None if account is None else key_of(account, self.environ)

    @property
    def secrets(self) -> list[str]:
        """The secrets that only this line knows: those in the headers that the user gave."""
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
