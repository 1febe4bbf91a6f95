"""Choose host and key for `record --direct`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from aquila_cassette.dialects.providers import key_of, provider_for_key
from aquila_cassette.errors import UsageError
from aquila_cassette.redaction import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aquila_cassette.dialects.providers import KnownProvider
    from aquila_cassette.model import Headers

_QUERY_KEY = re.compile(rf"(?<=[?&])((?:api[_-]?)?key=){re.escape(REDACTED)}(?=&|$)")


@dataclass(frozen=True)
class Connection:
    """How the providers are reached."""

    base_url: str | None = None  # asked instead of the recorded hosts
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)  # where the keys are

    def key_header(self, url: str) -> Headers:
        """Return the header that holds the key of a provider, for its own host only."""
        provider, key = self._key(url)
        return ((provider.key_header, provider.key_prefix + key),) if provider and key else ()

    def url(self, url: str) -> str:
        """Return where a request goes, with the key that redaction took out of the query."""
        key = self._key(url)[1]
        with_key = _QUERY_KEY.sub(lambda match: match[1] + quote(key), url) if key else url
        return redirect(with_key, self.base_url)

    def require_keys(self, urls: Iterable[str]) -> None:
        """Refuse to begin if a key is missing; the message names all that are."""
        missing = {
            urlsplit(url).hostname: provider.key_variables
            for url in urls
            for provider, key in [self._key(url)]
            if provider and not key
        }
        if missing:
            raise UsageError(
                f"There is no key for {' and '.join(map(str, missing))}; nothing was sent.",
                facts=[
                    f"{host}: {' or '.join(variables)} is not set"
                    for host, variables in missing.items()
                ],
                fix="Fix: set the variable",
            )

    def _key(self, url: str) -> tuple[KnownProvider | None, str | None]:
        provider = provider_for_key(url)
        return provider, None if provider is None else key_of(provider, self.environ)


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
