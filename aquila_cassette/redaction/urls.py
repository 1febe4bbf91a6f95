"""Secrets in a URL: credentials before the host, parameters of the query, the fragment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.redaction.forms import pairs
from aquila_cassette.redaction.spans import effective, replaced

if TYPE_CHECKING:
    from aquila_cassette.redaction.names import SecretNames

__all__ = ["clean_url"]

_CREDENTIALS = re.compile(rb"\A([a-z][a-z0-9+.-]*:)?//[^/?#]*@", re.IGNORECASE)


def clean_url(url: bytes, names: SecretNames) -> bytes:
    """Give `url` with the secrets of its query replaced, without credentials and without fragment.

    Those two are taken out rather than marked: they are no part of what a server is asked for, and
    brackets before a host are taken for an IPv6 address. All other bytes stay.

    Args:
        url: Absolute or relative.
        names: The names that hold secrets.

    Example:
        >>> from aquila_cassette.redaction.names import SecretNames
        >>> clean_url(b"https://me:pass@host/v1/models?key=abc&page=2#top", SecretNames())
        b'https://host/v1/models?key=[redacted]&page=2'
    """
    url = url.partition(b"#")[0]
    url = _CREDENTIALS.sub(rb"\1//", url)
    query = url.find(b"?") + 1
    return replaced(url, effective(url, pairs(url, names, "query", query))) if query else url
