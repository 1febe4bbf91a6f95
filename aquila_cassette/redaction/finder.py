"""All rules together: where in some bytes the secrets are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from aquila_cassette.redaction.environment import needles
from aquila_cassette.redaction.fields import field_pattern, fields
from aquila_cassette.redaction.forms import link_pattern, links, pairs, parts
from aquila_cassette.redaction.key_candidates import long_runs
from aquila_cassette.redaction.names import LINKS, SecretNames
from aquila_cassette.redaction.patterns import shaped
from aquila_cassette.redaction.spans import MARK, Span, effective, replaced
from aquila_cassette.redaction.urls import clean_url

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from aquila_cassette.redaction.environment import Needle
    from aquila_cassette.redaction.names import Place

__all__ = ["ENVIRONMENT", "Finder", "Secrets", "cleaned"]

ENVIRONMENT = "the value of an environment variable"

Secrets = tuple[str, ...]

_EQUALS = ord("=")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Finder:
    """Finds secrets by the defaults and by what a user added to them.

    Args:
        names: Further names of fields.
        patterns: Further patterns of secret values.
        allow: Values and names that are no secrets.
    """

    def __init__(
        self, names: Iterable[str], patterns: Iterable[re.Pattern[bytes]], allow: Iterable[str]
    ) -> None:
        self.names = SecretNames(names, allow)
        self._patterns = tuple(patterns)
        self._allow = frozenset(allow)
        self._allowed = frozenset(value.encode("utf-8", "surrogateescape") for value in allow)
        self._field = field_pattern(self.names.more)
        self._link = link_pattern(self.names.more)
        self.clean_url = lru_cache(maxsize=1024)(self._clean_url)
        self.clean_header = lru_cache(maxsize=1024)(self._clean_header)

    def in_body(
        self, data: bytes, env: Secrets, place: Place, content_type: str = ""
    ) -> list[Span]:
        """Find what is to be replaced in a body.

        Args:
            data: The body.
            env: The secrets of the environment.
            place: ``sent`` or ``received``.
            content_type: The body's; forms are told by it.
        """
        if not data:
            return []
        low = data.lower()
        found = self._values(data, low, env)
        found += fields(data, low, self._field, self.names, place)
        if _EQUALS in data:
            found += links(data, low, self._link, self.names)
        kind = content_type.lower()
        if kind.startswith("application/x-www-form-urlencoded"):
            found += pairs(data, self.names, "form")
        elif kind.startswith("multipart/form-data"):
            found += parts(data, content_type, self.names)
        return self._settled(data, found)

    def values(self, data: bytes, env: Secrets) -> list[Span]:
        """Find what is a secret wherever it stands, whatever its name."""
        return self._settled(data, self._values(data, data.lower(), env))

    def _settled(self, data: bytes, found: list[Span]) -> list[Span]:
        if not found:
            return found
        if self._allowed:
            found = [span for span in found if data[span.start : span.end] not in self._allowed]
        return effective(data, found)

    def _values(self, data: bytes, low: bytes, env: Secrets) -> list[Span]:
        runs = long_runs(data)
        found = list(shaped(data, low, runs.text))
        anywhere, in_runs = needles(env)
        for needle in anywhere:
            found += self._spelt(data, needle)
        if runs.text:
            for run, needle in in_runs:
                if runs.cut or run in runs.text:
                    found += self._spelt(data, needle)
        for pattern in self._patterns:
            for match in pattern.finditer(data):
                found.append(Span(*match.span(), "a pattern given as redact="))
        return found

    def _spelt(self, data: bytes, needle: Needle) -> list[Span]:
        start = data.find(needle.data)
        if start < 0 or needle.secret in self._allow:
            return []
        found: list[Span] = []
        while start >= 0:
            end = start + len(needle.data)
            found.append(_with_base64_ends(data, start, end, needle))
            start = data.find(needle.data, end)
        return found

    def clean_text(self, text: str, env: Secrets) -> str:
        """Give `text` with its secrets replaced."""
        data = text.encode("utf-8", "surrogatepass")
        clean = cleaned(data, lambda data: self.in_body(data, env, "received"))
        return text if clean is data else clean.decode("utf-8", "replace")

    def _clean_url(self, url: str, env: Secrets) -> str:
        while True:
            data = clean_url(url.encode("utf-8", "surrogatepass"), self.names)
            clean = self.clean_text(data.decode("utf-8", "surrogatepass"), env)
            if clean == url:
                return clean
            url = clean

    def _clean_header(self, name: str, value: str, env: Secrets) -> str:
        if not value:
            return value
        if self.names.sensitivity(name, "header") == "always" or name.endswith("cookie"):
            return MARK.decode()
        return self._clean_url(value, env) if name in LINKS else self.clean_text(value, env)


def cleaned(data: bytes, find: Callable[[bytes], list[Span]]) -> bytes:
    """Give `data` with all that `find` finds replaced, again until it finds no more.

    Once is not enough: what stood in front of a secret may have hidden the next one.
    """
    while spans := find(data):
        data = replaced(data, spans)
    return data


def _with_base64_ends(data: bytes, start: int, end: int, needle: Needle) -> Span:
    """Widen the span of a needle by the base64 characters that share bits with the secret."""
    if needle.lead and start and data[start - 1] in _BASE64:
        start -= 1
    if needle.tail and end < len(data) and data[end] in _BASE64:
        end += 1
    return Span(start, end, ENVIRONMENT)
