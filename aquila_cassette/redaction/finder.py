"""All rules together: where in some bytes the secrets are, and what redaction hides in a message."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from aquila_cassette.dialects import speaks_a_dialect
from aquila_cassette.model import Request
from aquila_cassette.redaction import fields
from aquila_cassette.redaction.environment import spellings, variable_of
from aquila_cassette.redaction.names import (
    KEPT_PREFIXES,
    KEPT_RECEIVED,
    KEPT_SENT,
    LINKS,
    SecretNames,
)
from aquila_cassette.redaction.patterns import find_keys, long_runs
from aquila_cassette.redaction.spans import MARK, Span, fit, merge, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aquila_cassette.model import Headers, Response
    from aquila_cassette.redaction.environment import Spelling
    from aquila_cassette.redaction.names import Place

Secrets: TypeAlias = tuple[str, ...]
"""The secrets of the environment."""

MessagePart: TypeAlias = Literal["url", "headers", "body", "error"]

_ENVIRONMENT = "the value of an environment variable"
_EQUALS = ord("=")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_SMALL = 4 * 1024
_BLOCK = 256
_SHORTEST_BEGINNING, _LONGEST_BEGINNING = 20, 1024
_NAME = re.compile(rb'"[^"\\]*"\s*:')


class SecretFinding(NamedTuple):
    """Something that redaction hides."""

    part: MessagePart  # where it is
    kind: str  # what it is: `a key (sk-...)`, `the field 'api_key'`
    name: str = ""  # the header's name; empty elsewhere
    start: int = 0  # where it starts, in bytes of the body; 0 elsewhere
    end: int = 0  # where it ends
    secret: bool = True  # whether it is a secret; a header may only be one that is not kept


class Finder:
    """Finds secrets by the defaults and by what a user added: names, patterns, what is allowed."""

    def __init__(
        self, names: Iterable[str], patterns: Iterable[re.Pattern[bytes]], allow: Iterable[str]
    ) -> None:
        self.names = SecretNames(names, allow)
        self._patterns = tuple(patterns)
        self._allow = frozenset(allow)
        self._allowed = frozenset(value.encode("utf-8", "surrogateescape") for value in allow)
        self._json = fields.json_pattern(self.names.more)
        self._link = fields.link_pattern(self.names.more)
        self.clean_url = lru_cache(maxsize=1024)(self._clean_url)
        self.clean_header = lru_cache(maxsize=1024)(self._clean_header)

    def in_body(
        self, data: bytes, env: Secrets, place: Place, content_type: str = ""
    ) -> list[Span]:
        """Return what is to be replaced in a body that was ``sent`` or ``received``."""
        kind = content_type.lower()
        if not data:
            return []
        if len(data) >= _SMALL and self._is_clean(
            data, env, lambda some: self._fields(some, place, content_type)
        ):
            return []
        named = self._fields(data, place, content_type)
        if named and place == "received" and speaks_a_dialect(content_type, data):
            named = [span for span in named if not fields.is_in_arguments(data, span)]
        return self._fitted(data, self._values(data, env), named, kind)

    def values(self, data: bytes, env: Secrets) -> list[Span]:
        """Return what is a secret wherever it is, whatever its name."""
        if len(data) >= _SMALL and self._is_clean(data, env, lambda some: []):
            return []
        return self._fitted(data, self._values(data, env), [], "")

    def _is_clean(self, data: bytes, env: Secrets, find: Callable[[bytes], list[Span]]) -> bool:
        """Return True if there is nothing in `data`, seen from what is different in its lines."""
        if self._patterns or spellings(env).any_is_json:
            return False
        some = without_repeats(data)
        return len(some) < len(data) and not find(some) and not self._values(some, env)

    def _fields(self, data: bytes, place: Place, content_type: str) -> list[Span]:
        low = data.lower()
        kind = content_type.lower()
        found = [*fields.json_fields(data, low, self._json, self.names, place)]
        if _EQUALS in data:
            found += fields.link_parameters(data, low, self._link, self.names)
        if kind.startswith("application/x-www-form-urlencoded"):
            found += fields.form_pairs(data, self.names, "form")
        elif kind.startswith("multipart/form-data"):
            found += fields.form_parts(data, content_type, self.names)
        return found

    def _fitted(self, data: bytes, values: list[Span], named: list[Span], kind: str) -> list[Span]:
        if not (values or named):
            return []
        if self._allowed:
            values, named = (
                [one for one in spans if data[one.start : one.end] not in self._allowed]
                for spans in (values, named)
            )
        return merge(data, [*fit(data, merge(data, values), kind), *named])

    def _values(self, data: bytes, env: Secrets) -> list[Span]:
        runs = long_runs(data)
        found = list(find_keys(data, runs.text))
        anywhere, in_runs, _ = spellings(env)
        for spelling in anywhere:
            found += self._spelt(data, spelling)
        if runs.text:
            for run, spelling in in_runs:
                if runs.cut or run in runs.text:
                    found += self._spelt(data, spelling)
        for pattern in self._patterns:
            for match in pattern.finditer(data):
                found.append(Span(*match.span(), "a pattern given as redact="))
        return found

    def _spelt(self, data: bytes, spelling: Spelling) -> list[Span]:
        start = data.find(spelling.data)
        if start < 0 or spelling.secret in self._allow:
            return []
        found: list[Span] = []
        while start >= 0:
            end = start + len(spelling.data)
            # Base64 characters that share bits with the secret are taken in.
            lead = spelling.lead and start > 0 and data[start - 1] in _BASE64
            tail = spelling.tail and end < len(data) and data[end] in _BASE64
            found.append(Span(start - lead, end + tail, _ENVIRONMENT))
            start = data.find(spelling.data, end)
        return found

    def clean_text(self, text: str, env: Secrets) -> str:
        """Return `text` with its secrets replaced."""
        data = text.encode("utf-8", "surrogatepass")
        clean = cleaned(data, lambda data: self.in_body(data, env, "received"))
        return text if clean is data else clean.decode("utf-8", "replace")

    def _clean_url(self, url: str, env: Secrets) -> str:
        while True:
            data = fields.clean_url(url.encode("utf-8", "surrogatepass"), self.names)
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

    def findings(
        self, message: Request | Response, keep: frozenset[str], env: Secrets
    ) -> Iterator[SecretFinding]:
        """Yield what redaction hides in a message, where headers in `keep` stay too."""
        body, content_type = message.body, message.header("content-type") or ""
        if isinstance(message, Request):
            yield from self._in_url(message.url, env)
            yield from self._in_headers(message.headers, KEPT_SENT | keep, (), env)
            spans = self.in_body(body, env, "sent", content_type)
        else:
            yield from self._in_headers(message.headers, KEPT_RECEIVED | keep, KEPT_PREFIXES, env)
            spans = self.in_body(body, env, "received", content_type)
        for span in spans:
            yield SecretFinding("body", kind_of(span, body, env), start=span.start, end=span.end)
        error = None if isinstance(message, Request) else message.error
        if error is not None and self.clean_text(error.message, env) != error.message:
            yield SecretFinding("error", self._kind_in(error.message, env))

    def _in_url(self, url: str, env: Secrets) -> Iterator[SecretFinding]:
        if self.clean_url(url, env) == url:
            return
        data = url.encode("utf-8", "surrogatepass")
        query = data.find(b"?") + 1
        named = [*fields.form_pairs(data, self.names, "query", query)] if query else []
        # A parameter of the URL is seen as one of a link in a text, too.
        others = [
            span
            for span in self.in_body(data, env, "received")
            if not any(span.start < one.end and one.start < span.end for one in named)
        ]
        kinds = dict.fromkeys(kind_of(one, data, env) for one in [*merge(data, named), *others])
        for kind in kinds or ("a user, password or fragment",):
            yield SecretFinding("url", kind)

    def _in_headers(
        self, headers: Headers, kept: frozenset[str], prefixes: tuple[str, ...], env: Secrets
    ) -> Iterator[SecretFinding]:
        for name, value in headers:
            low = name.lower()
            secret = self.clean_header(low, value, env) != value
            if not (low in kept or (prefixes and low.startswith(prefixes))):
                yield SecretFinding("headers", f"the header {low!r}", low, secret=secret)
            elif secret:
                yield SecretFinding("headers", self._kind_in(value, env), low)

    def _kind_in(self, text: str, env: Secrets) -> str:
        data = text.encode("utf-8", "surrogatepass")
        spans = self.in_body(data, env, "received")
        return kind_of(spans[0], data, env) if spans else "a secret"


def kind_of(span: Span, data: bytes, env: Secrets) -> str:
    """Return what a secret in `data` is: of a value of the environment, which variable's."""
    if span.kind != _ENVIRONMENT:
        return span.kind
    leaked = data[span.start : span.end]
    anywhere, in_runs, _ = spellings(env)
    every = (*anywhere, *(spelling for _, spelling in in_runs))
    secrets = (spelling.secret for spelling in every if spelling.data in leaked)
    names = (variable_of(secret, os.environ) for secret in secrets)
    variable = next((name for name in names if name), None)
    return f"the value of {variable}" if variable else _ENVIRONMENT


def cleaned(data: bytes, find: Callable[[bytes], list[Span]]) -> bytes:
    """Return `data` with all that `find` finds replaced, again until it finds no more.

    Once is not enough: what stood in front of a secret may have hidden the next one.
    """
    while spans := find(data):
        data = replaced(data, spans)
    return data


def without_repeats(data: bytes) -> bytes:
    """Return `data` without what its lines begin with again and again.

    Nearly all of a stream is the same beginning of each event: ids, times, the name of the model.
    Each beginning is kept once, and ends before the name of a field, which is inside no secret: so
    what is in `data` is also in what is left.
    """
    lines = data.split(b"\n")
    kept: list[bytes] = []
    for at in range(0, len(lines), _BLOCK):
        block = lines[at : at + _BLOCK]
        beginning = _common_beginning(block)
        if beginning:
            size = len(beginning)
            block = [line[size:] if line.startswith(beginning) else line for line in block]
            kept.append(beginning)
        kept += block
    return b"\n".join(kept)


def _common_beginning(lines: list[bytes]) -> bytes:
    """Return what two lines in the middle begin with, up to the name of a field."""
    middle = len(lines) // 2
    some = [line[:_LONGEST_BEGINNING] for line in lines[middle : middle + 8] if b'{"' in line]
    if len(some) < 2:
        return b""
    one, two = some[:2]
    size = min(len(one), len(two))
    differing = int.from_bytes(one[:size], "big") ^ int.from_bytes(two[:size], "big")
    end = size - (differing.bit_length() + 7) // 8
    while (end := one.rfind(b'"', 0, end)) >= _SHORTEST_BEGINNING:
        if one[:end].rstrip().endswith((b"{", b",")) and _NAME.match(one, end):
            return one[:end]
    return b""
