"""`Redaction`: what users configure, and how it is applied to requests, responses and the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from aquila_cassette.content_encoding import decode_pieces, decode_unless_huge
from aquila_cassette.dialects import aws_eventstream as eventstream
from aquila_cassette.errors import UsageError
from aquila_cassette.model import Headers, Interaction, Piece, Request, Response
from aquila_cassette.redaction.fields import Secrets, environment_secrets, is_more_than_a_word
from aquila_cassette.redaction.finder import Finder, SecretFinding, cleaned, kind_of
from aquila_cassette.redaction.rules import FRAMING, KEPT_SENT, NOISE, NOISE_PREFIXES
from aquila_cassette.redaction.spans import MARK, recut, replaced, with_framing

REDACTED = MARK.decode()

# Of a response with these two, the length is its body's, and the encoding could not be removed.
_DROPPED = NOISE | (FRAMING - {"content-length", "content-encoding"})

_ADDED = ("names", "patterns", "keep_headers", "allow")

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
        keep_headers: Further headers to keep; those about one connection never are.
        allow: Values and names of fields that are not secret.

    Raises:
        UsageError: An argument of the wrong kind.

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
        set_ = partial(object.__setattr__, self)
        for name in ("names", "keep_headers", "allow"):
            what = "a list of strings that are not empty"
            set_(name, _listed(f"Redaction({name}=...)", getattr(self, name), (str,), what))
        what = "a list of regular expressions (str, bytes or re.Pattern)"
        kinds = (str, bytes, re.Pattern)
        set_("patterns", _listed("Redaction(patterns=...)", self.patterns, kinds, what))
        patterns = [_compiled(pattern) for pattern in self.patterns]
        set_("_finder", Finder(self.names, patterns, self.allow))
        set_("_kept", frozenset(name.lower() for name in self.keep_headers) - FRAMING)

    @classmethod
    def of(cls, value: object) -> Redaction:
        """Read what a user gives as ``redact=``: None, a `Redaction`, or names and patterns mixed."""
        if value is None:
            return cls()
        if isinstance(value, Redaction):
            return value
        what = "names of fields (str) and patterns of values (re.Pattern) in a list, or a Redaction"
        values = _listed("redact=", value, (str, re.Pattern), what)
        return cls(
            names=[one for one in values if isinstance(one, str)],
            patterns=[one for one in values if isinstance(one, re.Pattern)],
        )

    def __str__(self) -> str:
        """Return what it adds to the defaults, to be read."""
        shown = (
            f"{name}: {', '.join(str(getattr(one, 'pattern', one)) for one in values)}"
            for name in _ADDED
            if (values := getattr(self, name))
        )
        return "; ".join(shown) or "the defaults"

    def __or__(self, other: Redaction) -> Redaction:
        return Redaction(*((*getattr(self, name), *getattr(other, name)) for name in _ADDED))

    def request(self, request: Request, *, env: Secrets | None = None) -> Request:
        """Return `request` as it may be matched and kept; itself if there is nothing to hide.

        A compressed body is decoded. `env` is what `environment_secrets` returns; by default of
        this process.
        """
        env = _secrets(env)
        finder, kept = self._finder, KEPT_SENT | self._kept
        encoding = request.header("content-encoding")
        if encoding and (decoded := decode_pieces(encoding, [request.body])):
            request = replace(request, body=decoded[0])
        kind = request.header("content-type") or ""
        url = finder.clean_url(request.url, env)
        headers = tuple(
            [
                (name, finder.clean_header(name, value, env))
                for name, value in request.headers
                if name.lower() in kept
            ]
        )
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
        headers = tuple(
            (name, self._finder.clean_header(name, value, env))
            for name, value in response.headers
            if (low := name.lower()) in self._kept
            or not (low in _DROPPED or low.startswith(NOISE_PREFIXES))
        )
        pieces = self._pieces(response, env)
        encoding = response.header("content-encoding")
        if encoding and (decoded := decode_unless_huge(encoding, response.parts)):
            timed = zip(response.pieces, decoded, strict=True)
            plain = replace(response, pieces=tuple(Piece(one.at, data) for one, data in timed))
            if (clean := self._pieces(plain, env)) is not None:
                pieces = clean
                headers = tuple(pair for pair in headers if pair[0].lower() not in FRAMING)
        error = response.error
        if error is not None:
            error = replace(error, message=self._finder.clean_text(error.message, env))
        if pieces is None and headers == response.headers and error == response.error:
            return response
        if pieces is not None:
            response = replace(response, pieces=pieces)
        return response.but(headers=headers, error=error)

    def interaction(self, one: Interaction) -> Interaction:
        """Return `one` as it may be kept; itself if there is nothing to hide."""
        request, response = self.request(one.request), self.response(one.response)
        by = one.recorded_by and self.text(one.recorded_by)
        if request is one.request and response is one.response and by == one.recorded_by:
            return one
        return replace(one, request=request, response=response, recorded_by=by)

    def cookies(self, headers: Headers) -> Iterator[str]:
        """Yield the hidden values of cookies that a body may echo: others are for the jar only."""
        for name, value in headers:
            if name.lower() != "set-cookie" or "httponly" in value.lower():
                continue
            if self._finder.clean_header(name, value, ()) != value:
                given = value.partition(";")[0].partition("=")[2].strip(' "')
                yield from filter(is_more_than_a_word, {given, unquote(given)})

    def findings(
        self, message: Request | Response, *, env: Secrets | None = None
    ) -> list[SecretFinding]:
        """Return the secrets that `request` or `response` would hide in a message."""
        return list(self._finder.findings(message, _secrets(env)))

    def text(self, text: str, *, env: Secrets | None = None) -> str:
        """Return a text that is no message, such as a comment, without what `leaks` finds in it."""
        return self._finder.clean_text(text, _secrets(env), None)

    def leaks(self, data: bytes, *, env: Secrets | None = None) -> list[Leak]:
        """Return what is still secret in the bytes of a cassette, whatever put it there.

        Values are looked for, not names: what looks like a key, the user's patterns, the secrets
        of the environment.
        """
        env = _secrets(env)
        found = (
            Leak(data.count(b"\n", 0, span.start) + 1, kind_of(span, data, env))
            for span in self._finder.in_body(data, env, None)
        )
        return list(dict.fromkeys(found))

    def _pieces(self, response: Response, env: Secrets) -> tuple[Piece, ...] | None:
        """Return the pieces without secrets; None where there are none."""
        pieces, body = None, response.body
        kind = response.header("content-type") or ""
        while spans := self._finder.in_body(body, env, "received", kind):
            if kind.lower().startswith(eventstream.CONTENT_TYPE):
                spans = with_framing(body, spans)
            body = replaced(body, spans)
            pieces = recut(response.pieces if pieces is None else pieces, spans, body)
        return pieces


def _secrets(env: Secrets | None) -> Secrets:
    return environment_secrets(os.environ) if env is None else env


def _listed(option: str, value: object, kinds: tuple[type, ...], what: str) -> tuple[Any, ...]:
    """Return a list of things, each once; a single string is refused: it is a list of letters."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        values = tuple(value)
        if all(isinstance(one, kinds) and one for one in values):
            return tuple(dict.fromkeys(values))
    raise UsageError(
        f"{option} takes {what}.", facts=[f"got: {value!r}"], fix="Fix: give it such a list"
    )


def _compiled(pattern: Any) -> re.Pattern[bytes]:
    source, flags = pattern, 0
    if isinstance(pattern, re.Pattern):
        source, flags = pattern.pattern, pattern.flags & ~(re.UNICODE | re.DEBUG)
    return re.compile(source.encode("ascii") if isinstance(source, str) else source, flags)
