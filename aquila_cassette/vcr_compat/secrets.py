"""What is hidden of a recording in vcrpy's format: all headers stay, their secrets do not."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from aquila_cassette.redaction import Redaction, environment_secrets
from aquila_cassette.redaction.names import FRAMING, SecretNames

if TYPE_CHECKING:
    from aquila_cassette.model import Headers, Request, Response

__all__ = ["Secrets"]


class Secrets:
    """Hides secrets as `Redaction` does, but keeps the names of all headers.

    Suites look at headers that our own cassettes leave out: a matcher compares them, a test asks a
    replayed answer for them.

    Args:
        redact: The rules.
        said: What the suite itself puts in the place of a secret; that is none.
    """

    def __init__(self, redact: Redaction, said: Iterable[str] = ()) -> None:
        self._said = frozenset(said)
        # What is allowed counts as a value and as a name: "password" may not stand for itself.
        names = SecretNames()
        values = [
            text for text in self._said if text and names.sensitivity(text, "sent") == "never"
        ]
        rules = redact | Redaction(allow=values)

        @lru_cache(maxsize=64)
        def keeping(names: frozenset[str]) -> Redaction:
            return rules | Redaction(keep_headers=sorted(names))

        self._keeping = keeping

    def request(self, request: Request) -> Request:
        """Give `request` with its secrets hidden."""
        env = environment_secrets(os.environ)
        clean = self._rules(request.headers).request(request, env=env)
        return replace(
            clean,
            url=self._url(request.url, clean.url),
            headers=self._all(request.headers, clean.headers),
        )

    def response(self, response: Response) -> Response:
        """Give `response` with its secrets hidden."""
        env = environment_secrets(os.environ)
        clean = self._rules(response.headers).response(response, env=env)
        return replace(clean, headers=self._all(response.headers, clean.headers))

    def _rules(self, headers: Headers) -> Redaction:
        return self._keeping(frozenset(name.lower() for name, _ in headers) - FRAMING)

    def _url(self, before: str, after: str) -> str:
        """Give `after`, with the parameters whose value the suite said as they were."""
        was, now = before.partition("?")[2].split("&"), after.split("?", 1)
        if before == after or len(now) == 1 or len(was) != len(now[1].split("&")):
            return after
        pairs = zip(was, now[1].split("&"), strict=True)
        query = [
            old if unquote_plus(old.partition("=")[2]) in self._said else new for old, new in pairs
        ]
        return f"{now[0]}?{'&'.join(query)}"

    def _all(self, before: Headers, after: Headers) -> Headers:
        """Give `after`, with what no redaction keeps, or the suite said, as it was."""
        rest = iter(after)
        return tuple(
            pair if pair[0].lower() in FRAMING else self._unless_said(pair, next(rest))
            for pair in before
        )

    def _unless_said(self, before: tuple[str, str], after: tuple[str, str]) -> tuple[str, str]:
        return before if before[1] in self._said else after
