"""What users say about secrets, and what is done with requests, responses and the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from aquila_cassette.dialects import eventstream
from aquila_cassette.errors import UsageError
from aquila_cassette.model import Request
from aquila_cassette.redaction.environment import environment_secrets
from aquila_cassette.redaction.finder import Finder, Secrets, cleaned, kind_of
from aquila_cassette.redaction.names import FRAMING, KEPT_PREFIXES, KEPT_RECEIVED, KEPT_SENT
from aquila_cassette.redaction.spans import MARK, recut, replaced, with_framing

if TYPE_CHECKING:
    from aquila_cassette.model import Headers, Piece, Response
    from aquila_cassette.redaction.finder import SecretFinding

_T = TypeVar("_T")

REDACTED = MARK.decode()
"""What replaces a secret."""

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
    _kept: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("names", "keep_headers", "allow"):
            object.__setattr__(self, name, _strings(name, getattr(self, name)))
        patterns = _listed("patterns", self.patterns)
        finder = Finder(self.names, [_compiled(pattern) for pattern in patterns], self.allow)
        object.__setattr__(self, "_finder", finder)
        object.__setattr__(self, "patterns", _unique(patterns))
        kept = frozenset(name.lower() for name in self.keep_headers)
        for name in kept & FRAMING:
            raise UsageError(
                f"Redaction(keep_headers=...) names {name!r}, which no cassette can keep.",
                facts=["it tells how the bytes came over one connection; on a replay it is wrong"],
                fix=f"Take {name!r} out of keep_headers.",
            )
        object.__setattr__(self, "_kept", kept)

    @classmethod
    def of(cls, value: object) -> Redaction:
        """Read what a user gives as ``redact=``: None, a `Redaction`, or names and patterns mixed.

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
        values = list(value)
        for one in values:
            if not isinstance(one, str | re.Pattern):
                raise _not_redact(one, None)
        return cls(
            names=[one for one in values if isinstance(one, str)],
            patterns=[one for one in values if isinstance(one, re.Pattern)],
        )

    def __or__(self, other: Redaction) -> Redaction:
        return Redaction(
            names=(*self.names, *other.names),
            patterns=(*self.patterns, *other.patterns),
            keep_headers=(*self.keep_headers, *other.keep_headers),
            allow=(*self.allow, *other.allow),
        )

    def request(self, request: Request, *, env: Secrets | None = None) -> Request:
        """Return `request` as it may be matched and kept; itself if there is nothing to hide.

        `env` is what `environment_secrets` returns; by default of this process.
        """
        env = _secrets(env)
        finder = self._finder
        kind = request.header("content-type") or ""
        url = finder.clean_url(request.url, env)
        headers = self._headers(request.headers, KEPT_SENT, (), env)
        body = cleaned(request.body, lambda data: finder.in_body(data, env, "sent", kind))
        if body is request.body and url == request.url and headers == request.headers:
            return request
        return Request(request.method, url, headers, body)

    def response(self, response: Response, *, env: Secrets | None = None) -> Response:
        """Return `response` as it may be kept; itself if there is nothing to hide.

        Secrets are found in the joined pieces, so one that was cut in two is found as well. A cut
        inside a secret moves to the end of the marker.
        """
        env = _secrets(env)
        headers = self._headers(response.headers, KEPT_RECEIVED, KEPT_PREFIXES, env)
        pieces = self._pieces(response, env)
        error = response.error
        if error is not None:
            error = replace(error, message=self._finder.clean_text(error.message, env))
        if pieces is response.pieces and headers == response.headers and error == response.error:
            return response
        return replace(response, headers=headers, pieces=pieces, error=error)

    def findings(
        self, message: Request | Response, *, env: Secrets | None = None
    ) -> list[SecretFinding]:
        """Return what `request` or `response` would hide in a message on a cassette."""
        return list(self._finder.findings(message, self._kept, _secrets(env)))

    def text(self, text: str, *, env: Secrets | None = None) -> str:
        """Return a text that is no message, such as a comment, without what `leaks` finds in it."""
        env = _secrets(env)
        data = text.encode("utf-8", "surrogatepass")
        clean = cleaned(data, lambda data: self._finder.values(data, env))
        return text if clean is data else clean.decode("utf-8", "replace")

    def leaks(self, text: str, *, env: Secrets | None = None) -> list[Leak]:
        """Return what is still secret in the text of a cassette, whatever put it there.

        Values are looked for, not names: what looks like a key, the user's patterns, the secrets
        of the environment.
        """
        env = _secrets(env)
        data = text.encode("utf-8", "surrogatepass")
        found = (
            Leak(data.count(b"\n", 0, span.start) + 1, kind_of(span, data, env))
            for span in self._finder.values(data, env)
        )
        return list(dict.fromkeys(found))

    def _pieces(self, response: Response, env: Secrets) -> tuple[Piece, ...]:
        pieces, body = response.pieces, response.body
        kind = response.header("content-type") or ""
        while spans := self._finder.in_body(body, env, "received", kind):
            if kind.lower().startswith(eventstream.CONTENT_TYPE):
                spans = with_framing(body, spans)
            body = replaced(body, spans)
            pieces = recut(pieces, spans, body)
        return pieces

    def _headers(
        self, headers: Headers, kept: frozenset[str], prefixes: tuple[str, ...], env: Secrets
    ) -> Headers:
        clean, also = self._finder.clean_header, self._kept
        return tuple(
            [
                (low, clean(low, value, env))
                for name, value in headers
                if (low := name.lower()) in kept
                or low in also
                or (prefixes and low.startswith(prefixes))
            ]
        )


def _secrets(env: Secrets | None) -> Secrets:
    return environment_secrets(os.environ) if env is None else env


def _not_redact(got: object, instead: str | None) -> UsageError:
    return UsageError(
        "redact= takes names of fields (str) and patterns of values (re.Pattern).",
        facts=["expected: a list of str and re.Pattern, or a Redaction", f"got:      {got!r}"],
        fix=f"Write {instead}." if instead else 'Write, for example, redact=["tenant"].',
    )


def _listed(name: str, value: object) -> list[object]:
    """Return a list of things; a single one is refused, for a string is a list of letters."""
    if isinstance(value, str | bytes | re.Pattern) or not isinstance(value, Iterable):
        raise UsageError(
            f"Redaction({name}=...) takes a list.",
            facts=[f"expected: [{value!r}]", f"got:      {value!r}"],
            fix=f"Write {name}=[{value!r}].",
        )
    return list(value)


def _strings(name: str, value: object) -> tuple[Any, ...]:
    values = _listed(name, value)
    for one in values:
        if not isinstance(one, str) or not one:
            raise UsageError(
                f"Redaction({name}=...) takes strings that are not empty.",
                facts=["expected: a string", f"got:      {one!r}"],
                fix=f"Take {one!r} out of {name}.",
            )
    return _unique(values)


def _unique(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def _compiled(pattern: object) -> re.Pattern[bytes]:
    """Compile a pattern for bytes; secrets are searched before anybody knows a text's encoding."""
    flags = 0
    source = pattern
    if isinstance(pattern, re.Pattern):
        source, flags = pattern.pattern, pattern.flags & ~(re.UNICODE | re.DEBUG)
    if isinstance(source, str):
        if not source.isascii():
            raise UsageError(
                f"The pattern {source!r} is not ASCII.",
                facts=["patterns are searched in bytes, where one such character is several"],
                fix=f"Write its bytes: re.compile({source.encode()!r}).",
            )
        source = source.encode()
    if not isinstance(source, bytes):
        raise UsageError(
            "Redaction(patterns=...) takes regular expressions.",
            facts=["expected: str, bytes or re.Pattern", f"got:      {pattern!r}"],
            fix=f"Take {pattern!r} out of patterns.",
        )
    try:
        return re.compile(source, flags)
    except re.error as error:
        raise UsageError(
            f"The pattern {pattern!r} is no regular expression.",
            facts=[f"reason: {error}"],
            fix="Correct it, or give a literal value as re.compile(re.escape(value)).",
        ) from error
