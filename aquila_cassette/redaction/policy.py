"""What a user can say about secrets, and what is done with requests, responses and the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from aquila_cassette.errors import UsageError
from aquila_cassette.model import Request
from aquila_cassette.redaction.arguments import compiled, listed, strings, unique
from aquila_cassette.redaction.binary import is_binary, with_framing
from aquila_cassette.redaction.environment import (
    environment_secrets,
    needles,
    variable_of,
)
from aquila_cassette.redaction.finder import ENVIRONMENT, Finder, Secrets, cleaned
from aquila_cassette.redaction.found import SecretFinding, findings
from aquila_cassette.redaction.names import (
    FRAMING,
    KEPT_PREFIXES,
    KEPT_RECEIVED,
    KEPT_SENT,
)
from aquila_cassette.redaction.spans import MARK, recut, replaced

if TYPE_CHECKING:
    from aquila_cassette.model import Failure, Headers, Piece, Response

__all__ = ["REDACTED", "Leak", "Pattern", "Redaction"]

REDACTED = MARK.decode()
"""What stands in the place of a secret."""

Pattern: TypeAlias = "str | bytes | re.Pattern[str] | re.Pattern[bytes]"
"""A regular expression of secret values; it is searched in bytes (UTF-8)."""


class Leak(NamedTuple):
    """A secret in a text: in which line (from 1), and of what kind; never the secret itself."""

    line: int
    kind: str


@dataclass(frozen=True)
class Redaction:
    """What is kept out of a cassette; the defaults are always in force, these add to them.

    Args:
        names: Further names of headers, query parameters, JSON and form fields that hold secrets;
            case, ``-`` and ``_`` do not count.
        patterns: Further regular expressions of secret values, searched in bytes.
        keep_headers: Further headers to keep.
        allow: Values and names of fields that are not secret.

    Raises:
        UsageError: An argument of the wrong kind, or a pattern that is none.

    Example:
        >>> from aquila_cassette.model import Request
        >>> redaction = Redaction(names=["tenant"])
        >>> sent = Request("GET", "https://api.example.com/me?tenant=acme&key=12&page=2")
        >>> redaction.request(sent, env=()).url
        'https://api.example.com/me?tenant=[redacted]&key=[redacted]&page=2'
    """

    names: Iterable[str] = ()
    patterns: Iterable[Pattern] = ()
    keep_headers: Iterable[str] = ()
    allow: Iterable[str] = ()
    _finder: Finder = field(init=False, repr=False, compare=False)
    _kept_sent: frozenset[str] = field(init=False, repr=False, compare=False)
    _kept_received: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("names", "keep_headers", "allow"):
            object.__setattr__(self, name, strings(name, getattr(self, name)))
        patterns = listed("patterns", self.patterns)
        finder = Finder(self.names, [compiled(pattern) for pattern in patterns], self.allow)
        object.__setattr__(self, "patterns", unique(patterns))
        kept = frozenset(name.lower() for name in self.keep_headers)
        for name in kept & FRAMING:
            raise UsageError(
                f"Redaction(keep_headers=...) names {name!r}, which no cassette can keep.",
                facts=["it tells how the bytes came over one connection; on a replay it is wrong"],
                fix=f"Take {name!r} out of keep_headers.",
            )
        object.__setattr__(self, "_finder", finder)
        object.__setattr__(self, "_kept_sent", KEPT_SENT | kept)
        object.__setattr__(self, "_kept_received", KEPT_RECEIVED | kept)

    @classmethod
    def of(cls, value: object) -> Redaction:
        """Read what a user gives as ``redact=``.

        Args:
            value: None, a `Redaction`, or names (str) and patterns (`re.Pattern`) mixed.

        Raises:
            UsageError: It is something else.

        Example:
            >>> Redaction.of(["tenant", re.compile("acct_[0-9]+")]).names
            ('tenant',)
        """
        if value is None:
            return cls()
        if isinstance(value, Redaction):
            return value
        if isinstance(value, str | bytes | re.Pattern) or not isinstance(value, Iterable):
            raise _not_redact(value, f"redact=[{value!r}]" if isinstance(value, str) else None)
        names: list[str] = []
        patterns: list[Pattern] = []
        for one in value:
            if isinstance(one, str):
                names.append(one)
            elif isinstance(one, re.Pattern):
                patterns.append(one)
            else:
                raise _not_redact(one, None)
        return cls(names=names, patterns=patterns)

    def __or__(self, other: Redaction) -> Redaction:
        """Give both together."""
        return Redaction(
            names=unique((*self.names, *other.names)),
            patterns=unique((*self.patterns, *other.patterns)),
            keep_headers=unique((*self.keep_headers, *other.keep_headers)),
            allow=unique((*self.allow, *other.allow)),
        )

    def request(self, request: Request, *, env: Secrets | None = None) -> Request:
        """Give `request` as it may be matched and kept; itself if there is nothing to hide.

        Args:
            request: As it goes out.
            env: What `environment_secrets` gives; by default of this process.
        """
        env = _secrets(env)
        finder = self._finder
        kind = request.header("content-type") or ""
        url = finder.clean_url(request.url, env)
        headers = self._headers(request.headers, self._kept_sent, (), env)
        body = cleaned(request.body, lambda data: finder.in_body(data, env, "sent", kind))
        if body is request.body and url == request.url and headers == request.headers:
            return request
        return Request(request.method, url, headers, body)

    def response(self, response: Response, *, env: Secrets | None = None) -> Response:
        """Give `response` as it may be kept; itself if there is nothing to hide.

        Secrets are found in the joined pieces, so one that was cut in two is found as well. A cut
        inside a secret moves to the end of the marker.

        Args:
            response: As it came.
            env: What `environment_secrets` gives; by default of this process.
        """
        env = _secrets(env)
        headers = self._headers(response.headers, self._kept_received, KEPT_PREFIXES, env)
        pieces = self._pieces(response, env)
        error = self._error(response.error, env)
        if pieces is response.pieces and headers == response.headers and error == response.error:
            return response
        return replace(response, headers=headers, pieces=pieces, error=error)

    def findings(
        self, message: Request | Response, *, env: Secrets | None = None
    ) -> list[SecretFinding]:
        """Tell what `request` or `response` would hide in a message; nothing if it would stay.

        Args:
            message: As it is on a cassette.
            env: What `environment_secrets` gives; by default of this process.

        Example:
            >>> sent = Request("GET", "https://a.example/me?key=abc", (("cookie", "a=b"),))
            >>> [(one.part, one.kind) for one in Redaction().findings(sent, env=())]
            [('url', "query field 'key'"), ('headers', "the header 'cookie'")]
        """
        env = _secrets(env)
        keep = frozenset(name.lower() for name in self.keep_headers)
        return list(findings(message, self._finder, keep, env, lambda data: _named(data, env)))

    def text(self, text: str, *, env: Secrets | None = None) -> str:
        """Give a text that is no message, such as a comment, without what `leaks` finds in it.

        Args:
            text: Any text.
            env: What `environment_secrets` gives; by default of this process.

        Example:
            >>> Redaction().text("# it was AKIAIOSFODNN7EXAMPLE", env=())
            '# it was [redacted]'
        """
        env = _secrets(env)
        data = text.encode("utf-8", "surrogatepass")
        clean = cleaned(data, lambda data: self._finder.values(data, env))
        return text if clean is data else clean.decode("utf-8", "replace")

    def leaks(self, text: str, *, env: Secrets | None = None) -> list[Leak]:
        """Find what is still secret in the text of a cassette, whatever put it there.

        Values are looked for, not names: what looks like a key, the user's patterns, the secrets
        of the environment.

        Args:
            text: The whole text of the file.
            env: What `environment_secrets` gives; by default of this process.
        """
        env = _secrets(env)
        data = text.encode("utf-8", "surrogatepass")
        found = (
            Leak(
                data.count(b"\n", 0, span.start) + 1,
                _named(data[span.start : span.end], env) if span.kind == ENVIRONMENT else span.kind,
            )
            for span in self._finder.values(data, env)
        )
        return list(dict.fromkeys(found))

    def _pieces(self, response: Response, env: Secrets) -> tuple[Piece, ...]:
        pieces, body = response.pieces, response.body
        kind = response.header("content-type") or ""
        while spans := self._finder.in_body(body, env, "received", kind):
            if is_binary(kind):
                spans = with_framing(body, spans)
            body = replaced(body, spans)
            pieces = recut(pieces, spans, body)
        return pieces

    def _headers(
        self, headers: Headers, kept: frozenset[str], prefixes: tuple[str, ...], env: Secrets
    ) -> Headers:
        clean = self._finder.clean_header
        return tuple(
            [
                (low, clean(low, value, env))
                for name, value in headers
                if (low := name.lower()) in kept or (prefixes and low.startswith(prefixes))
            ]
        )

    def _error(self, error: Failure | None, env: Secrets) -> Failure | None:
        if error is None:
            return None
        return replace(error, message=self._finder.clean_text(error.message, env))


def _secrets(env: Secrets | None) -> Secrets:
    return environment_secrets(os.environ) if env is None else env


def _named(leaked: bytes, env: Secrets) -> str:
    anywhere, in_runs = needles(env)
    spellings = (*anywhere, *(needle for _, needle in in_runs))
    secrets = (needle.secret for needle in spellings if needle.data in leaked)
    names = (variable_of(secret, os.environ) for secret in secrets)
    variable = next((name for name in names if name), None)
    return f"the value of {variable}" if variable else ENVIRONMENT


def _not_redact(got: object, instead: str | None) -> UsageError:
    return UsageError(
        "redact= takes names of fields (str) and patterns of values (re.Pattern).",
        facts=["expected: a list of str and re.Pattern, or a Redaction", f"got:      {got!r}"],
        fix=f"Write {instead}." if instead else 'Write, for example, redact=["tenant"].',
    )
