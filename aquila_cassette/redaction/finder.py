"""Find all secrets in bytes: field names, key patterns, values of the environment."""

from __future__ import annotations

import json
import os
import re
import string
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from itertools import islice
from typing import Literal, NamedTuple
from urllib.parse import quote, quote_plus

from aquila_cassette.dialects.reading import speaks_a_dialect
from aquila_cassette.model import Request, Response
from aquila_cassette.redaction import fields
from aquila_cassette.redaction.fields import Secrets, secrets_of
from aquila_cassette.redaction.key_patterns import (
    BEARER,
    KEY_PATTERNS,
    PRIVATE_KEY,
    SHORTEST_RUN,
    KeyPattern,
)
from aquila_cassette.redaction.rules import Place, SecretNames
from aquila_cassette.redaction.spans import MARK, Span, fit, merge, replaced

_ENVIRONMENT = "the value of an environment variable"
_COOKIE = re.compile(r'([^;=]*)=([^;]*[^;" ][^;]*)')
_URL = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_SMALL = 4 * 1024
_WINDOW = 8 * 1024  # of an image; what is shorter than two may be shown whole
_LONGEST_TYPE = 128  # of a data URL: data:image/png;base64,
_LARGE = 8 * 1024 * 1024  # what is larger is not copied to be faster


class SecretFinding(NamedTuple):
    part: Literal["url", "headers", "body", "error"]  # where it is
    kind: str  # what it is: `a key (sk-...)`, `the field 'api_key'`
    name: str = ""  # the header's name; empty elsewhere
    start: int = 0  # where it starts, in bytes of the body; 0 elsewhere
    end: int = 0  # where it ends


class Finder:
    """Finds secrets by the defaults and by what a user added: names, patterns, what is allowed."""

    def __init__(
        self, names: Iterable[str], patterns: Iterable[re.Pattern[bytes]], allow: Iterable[str]
    ) -> None:
        self.names = SecretNames(names, allow)
        self._patterns = tuple(patterns)
        self._allowed = frozenset(value.encode("utf-8", "surrogateescape") for value in allow)
        self._json = fields.json_pattern(self.names.more)
        self._links = fields.link_patterns(self.names.more)
        self.clean_url = lru_cache(maxsize=1024)(self._clean_url)
        self.clean_header = lru_cache(maxsize=1024)(self._clean_header)

    def in_body(
        self, data: bytes, env: Secrets, place: Place | None, content_type: str = ""
    ) -> list[Span]:
        """Return what is to be replaced in a body that was ``sent`` or ``received``.

        Without a place it is a text: values are secret, and names say nothing.
        """
        if self._is_clean(data, env, place, content_type):
            return []
        values, named = self._values(data, env), self._named(data, place, content_type)
        if named and place == "received" and speaks_a_dialect(content_type, data):
            named = [span for span in named if not fields.is_by_the_model(data, span)]
        if self._allowed:
            values, named = (
                [one for one in spans if data[one.start : one.end] not in self._allowed]
                for spans in (values, named)
            )
        if not (values or named):
            return []
        return merge(data, [*fit(data, merge(data, values), content_type.lower()), *named])

    def _is_clean(self, data: bytes, env: Secrets, place: Place | None, content_type: str) -> bool:
        """Return True for many lines that hold no secret, which is seen where they differ."""
        known = spellings(env)
        if self._patterns or known.any_is_json or not _SMALL <= len(data) <= _LARGE:
            return False
        shown = without_images(data)
        some = without_repeats(shown)
        return (
            len(some) < len(data)
            and not (self._named(some, place, content_type) or self._values(some, env))
            and (shown is data or not known.is_in(data))
        )

    def _named(self, data: bytes, place: Place | None, content_type: str) -> list[Span]:
        if place is None:
            return []
        low = data.lower()
        kind = content_type.lower()
        found = [*fields.json_fields(data, low, self._json, self.names, place)]
        if data.find(b"=") >= 0:
            found += fields.link_parameters(data, low, self._links, self.names)
        found += fields.link_passwords(low)
        if data[:1] == b"<":
            found += fields.xml_elements(data, self.names, place)
        if kind.startswith("application/x-www-form-urlencoded"):
            found += fields.form_pairs(data, self.names, "form")
        elif kind.startswith("multipart/form-data"):
            found += fields.form_parts(data, content_type, self.names)
        return found

    def _values(self, data: bytes, env: Secrets) -> list[Span]:
        known = spellings(env)
        keys: dict[KeyPattern, None] = {}
        spelt = dict.fromkeys(known.anywhere)
        has_runs = False
        for runs, is_cut in long_runs(data):
            has_runs = True
            keys.update((key, None) for key in KEY_PATTERNS if key.prefix in runs)
            spelt.update((one, None) for one in known.in_runs if is_cut or one.run in runs)
        found = [
            Span(*match.span(), key.kind) for key in keys for match in _compiled(key).finditer(data)
        ]
        # `find`, not `in`, which first tries the bytes as a number: three times the cost.
        if has_runs and data.find(b"-----BEGIN") >= 0:
            found += (Span(*match.span(), "a private key") for match in PRIVATE_KEY.finditer(data))
        if data.find(b"earer") >= 0 or data.find(b"BEARER") >= 0:
            found += (Span(*one.span("token"), "a bearer token") for one in BEARER.finditer(data))
        for spelling in spelt:
            found += self._spelt(data, spelling)
        for given in self._patterns:
            found += (
                Span(*one.span(), "a pattern given as redact=") for one in given.finditer(data)
            )
        return found

    def _spelt(self, data: bytes, spelling: Spelling) -> list[Span]:
        if spelling.secret in self._allowed:
            return []
        found: list[Span] = []
        start = data.find(spelling.data)
        while start >= 0:
            end = start + len(spelling.data)
            # Base64 characters that share bits with the secret are taken in.
            lead = spelling.lead and start > 0 and data[start - 1] in _BASE64
            tail = spelling.tail and end < len(data) and data[end] in _BASE64
            found.append(Span(start - lead, end + tail, _ENVIRONMENT))
            start = data.find(spelling.data, end)
        return found

    def clean_text(self, text: str, env: Secrets, place: Place | None = "received") -> str:
        data = text.encode("utf-8", "surrogatepass")
        clean = cleaned(data, lambda data: self.in_body(data, env, place))
        return text if clean is data else clean.decode("utf-8", "replace")

    def _clean_url(self, url: str, env: Secrets) -> str:
        while True:
            data = fields.clean_url(url.encode("utf-8", "surrogatepass"), self.names)
            clean = self.clean_text(data.decode("utf-8", "surrogatepass"), env)
            if clean == url:
                return clean
            url = clean

    def _clean_header(self, name: str, value: str, env: Secrets) -> str:
        low = name.lower()
        if low.endswith("cookie") and not self.names.is_allowed(low):
            return self._clean_cookies(value, env, is_set=low == "set-cookie")
        if value and fields.is_secret(
            low, value.encode("utf-8", "surrogatepass"), self.names, "header"
        ):
            return MARK.decode()
        clean = self._clean_url if _URL.match(value) else self.clean_text
        return clean(value, env)

    def _clean_cookies(self, value: str, env: Secrets, *, is_set: bool) -> str:
        """Give cookies a value that stands in for theirs; names and attributes stay."""

        def clean(pair: re.Match[str]) -> str:
            is_open = self.names.is_allowed(pair[1].strip()) or pair[2].encode() in self._allowed
            return pair[0] if is_open else f"{pair[1]}={MARK.decode()}"

        if not is_set or _COOKIE.match(value):  # what follows the first pair are attributes
            value = _COOKIE.sub(clean, value, count=int(is_set))
        return self.clean_text(value, env)

    def findings(self, message: Request | Response, env: Secrets) -> Iterator[SecretFinding]:
        """Yield the secrets that redaction hides in a message."""
        place: Place = "received"
        if isinstance(message, Request):
            place = "sent"
            if self.clean_url(message.url, env) != message.url:
                yield from self._in_url(message.url.encode("utf-8", "surrogatepass"), env)
        elif message.error:
            text = message.error.message.encode("utf-8", "surrogatepass")
            for span in self.in_body(text, env, place):
                yield SecretFinding("error", kind_of(span, text, env))
        for name, value in message.headers:
            if self.clean_header(name, value, env) != value:
                yield SecretFinding("headers", f"the header {name.lower()!r}", name.lower())
        body, content_type = message.body, message.header("content-type") or ""
        for span in self.in_body(body, env, place, content_type):
            yield SecretFinding("body", kind_of(span, body, env), start=span.start, end=span.end)

    def _in_url(self, url: bytes, env: Secrets) -> Iterator[SecretFinding]:
        query = url.find(b"?") + 1
        pairs = fields.form_pairs(url, self.names, "query", query) if query else ()
        spans = list(pairs) or self.in_body(url, env, "received")
        kinds = dict.fromkeys(kind_of(span, url, env) for span in spans)
        for kind in kinds or ("a user, password or fragment",):
            yield SecretFinding("url", kind)


def kind_of(span: Span, data: bytes, env: Secrets) -> str:
    """Return what a secret in `data` is: of a value of the environment, which variable's."""
    if span.kind != _ENVIRONMENT:
        return span.kind
    leaked = data[span.start : span.end]
    known = spellings(env)
    secrets = {one.secret for one in (*known.anywhere, *known.in_runs) if one.data in leaked}
    for name, value in os.environ.items():
        held = (one.encode("utf-8", "surrogateescape") for one in secrets_of(name, value))
        if any(one in secrets for one in held):
            return f"the value of {name}"
    return _ENVIRONMENT


def cleaned(data: bytes, find: Callable[[bytes], list[Span]]) -> bytes:
    """Return `data` with all that `find` finds replaced, again until it finds no more.

    Once is not enough: the bytes before a secret may have hidden the next one.
    """
    while spans := find(data):
        data = replaced(data, spans)
    return data


# Values that look like keys are in long runs of key characters. Most text has few of those, and a
# stream has the same ones in each event: that makes redaction fast.

_KEY_CHARACTERS = (string.ascii_letters + string.digits + "_-+/").encode()
_MARKED = bytes(ord("x") if byte in _KEY_CHARACTERS else ord(" ") for byte in range(256))
_RUN = b"x" * SHORTEST_RUN
_BEFORE = 8
_LONGEST_RUN = 1024
_MOST_RUNS = 20_000


def long_runs(data: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the distinct long runs, and whether some was too long to be whole: images and the like.

    Each comes after the few bytes before it, for keys whose prefix is no part of the run. A
    character is a byte: text is searched five times as fast. Of much data they come in parts.
    """
    found: dict[bytes, None] = {}
    is_cut = False
    for start, end in _find_runs(data):
        shown_end = end
        if end - start > _LONGEST_RUN:
            shown_end, is_cut = start + _LONGEST_RUN, True
        found[data[max(0, start - _BEFORE) : shown_end]] = None
        if len(found) == _MOST_RUNS:
            yield b" ".join(found).decode("latin-1"), is_cut
            found, is_cut = {}, False
    if found:
        yield b" ".join(found).decode("latin-1"), is_cut


def _find_runs(data: bytes) -> Iterator[tuple[int, int]]:
    marked = data.translate(_MARKED)
    start = marked.find(_RUN)
    while start >= 0:
        end = marked.find(b" ", start)
        if end < 0:
            end = len(data)
        yield start, end
        start = marked.find(_RUN, end)


@lru_cache(maxsize=len(KEY_PATTERNS))
def _compiled(pattern: KeyPattern) -> re.Pattern[bytes]:
    """Match a key at the beginning of a word: ``task-...`` is none.

    A word also begins after an escape that ends in letters. The lookbehinds come after the prefix,
    since a pattern that begins with a literal is searched many times faster.
    """
    prefix = re.escape(pattern.prefix.encode())
    word = rb"A-Za-z0-9_+-" if pattern.is_word else rb"A-Za-z0-9_-"
    starts = (
        rb"(?<![%s]" % word if pattern.prefix[0].isalnum() else rb"(?<=",
        rb"(?<=\\[nrtbf]",
        rb"(?<=%[0-9A-Fa-f]{2}",
        rb"(?<=\\u[0-9A-Fa-f]{4}",
    )
    begins = b"|".join(start + prefix + b")" for start in starts)
    return re.compile(prefix + b"(?:" + begins + b")" + pattern.rest.encode())


_BLOCK = 128  # lines
_LONG_LINE = 4096  # bytes; such lines are too few to begin alike
_SHORTEST_BEGINNING, _LONGEST_BEGINNING = 20, 1024
_NAME = re.compile(rb'"[^"\\]*"\s*:')


def without_images(data: bytes) -> bytes:
    """Return `data` with no more than the beginning of long base64 in quotes: images and the like.

    No names are in there, and what looks like a key is so by chance; a value of the environment may
    be, encoded.
    """
    parts: list[bytes] = []
    kept = at = 0
    while (at := at + _WINDOW) < len(data):  # what has no quote in it is inside something long
        if data.find(b'"', at - _WINDOW, at) >= 0:
            continue
        start, end = data.rfind(b'"', kept, at), data.find(b'"', at)
        if end < 0:
            break
        start = data.rfind(b",", start, start + _LONGEST_TYPE) + 1 or start + 1
        if start and _is_base64(data[start:at]) and _is_base64(data[at:end]):
            parts.append(data[kept : start + _LONGEST_RUN])
            kept = end
        at = end
    return b"".join([*parts, data[kept:]]) if parts else data


def _is_base64(data: bytes) -> bool:
    return not data.rstrip(b"=").translate(None, bytes(_BASE64))


def without_repeats(data: bytes) -> bytes:
    """Return `data` without what its lines begin with again and again.

    Nearly all of a stream is the same beginning of each event: ids, times, the name of the model.
    Each beginning is kept once, and ends before the name of a field, which is inside no secret: so
    what is in `data` is also in what is left.
    """
    if data.count(b"\n") * _LONG_LINE < len(data):
        return data
    lines, kept = BytesIO(data), BytesIO()
    while block := list(islice(lines, _BLOCK)):
        if beginning := _common_beginning(block):
            block = [line.removeprefix(beginning) for line in block]
            kept.write(beginning + b"\n")
        kept.writelines(block)
    return kept.getvalue()


def _common_beginning(lines: list[bytes]) -> bytes:
    """Return what two lines in the middle begin with, up to the name of a field."""
    middle = len(lines) // 2
    some = [line[:_LONGEST_BEGINNING] for line in lines[middle : middle + 8] if b'{"' in line]
    if len(some) < 2:
        return b""
    one, two = some[:2]
    end = bisect_left(range(len(one)), True, key=lambda at: one[: at + 1] != two[: at + 1])
    while (end := one.rfind(b'"', 0, end)) >= _SHORTEST_BEGINNING:
        if one[:end].rstrip().endswith((b"{", b",")) and _NAME.match(one, end):
            return one[:end]
    return b""


# The values of the environment, in every spelling.

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_RUNS = re.compile(rb"[A-Za-z0-9_+/-]{%d,}" % SHORTEST_RUN)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_HTML_UPPER = {ord(char): f"\\u{ord(char):04X}" for char in "<>&'"}
_HTML_LOWER = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'"}


class Spelling(NamedTuple):
    secret: bytes
    data: bytes
    run: str  # the long run of key characters in it, without which it is not there; or empty
    lead: bool = False  # whether a base64 character before it holds bits of the secret too
    tail: bool = False  # whether one after it does


class Spellings(NamedTuple):
    """All spellings of some secrets: those without a long run, and those with one."""

    anywhere: list[Spelling]
    in_runs: list[Spelling]
    any_is_json: bool  # whether the names of JSON fields may be in one

    def is_in(self, data: bytes) -> bool:
        return any(data.find(one.data) >= 0 for one in (*self.anywhere, *self.in_runs))


@lru_cache(maxsize=64)
def spellings(secrets: Secrets) -> Spellings:
    """Return all spellings of `secrets`: raw, escaped as in JSON, percent-encoded, base64.

    Base64 is found wherever the secret is in what was encoded: ``user:secret``.
    """
    found = [one for secret in secrets for one in _spellings(secret)]
    return Spellings(
        [one for one in found if not one.run],
        [one for one in found if one.run],
        any(b'"' in one.data and b":" in one.data for one in found),
    )


def _spellings(secret: str) -> Iterator[Spelling]:
    raw = secret.encode("utf-8", "surrogateescape")

    def spelling(data: bytes, *ends: bool) -> Spelling:
        run = max(_RUNS.findall(data), key=len, default=b"")
        return Spelling(raw, data, run.decode("latin-1"), *ends)

    for text in dict.fromkeys(_texts(secret)):
        yield spelling(text.encode("utf-8", "surrogateescape"))
    for offset in range(3):
        # A base64 character holds 6 bits: those with bits of a neighbouring byte are left off.
        whole, shared = divmod((offset + len(raw)) * 8, 6)
        core = b64encode(bytes(offset) + raw)[offset + 1 if offset else 0 : whole]
        for data in dict.fromkeys((core, core.translate(_URL_SAFE))):
            yield spelling(data, offset > 0, shared > 0)


def _texts(secret: str) -> Iterator[str]:
    yield secret
    if secret.isascii() and secret.isalnum():
        return
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
        # As PHP escapes slashes, and Go, Java and browsers what HTML would take for its own.
        for text in (escaped, escaped.replace("/", "\\/")):
            yield from (text, text.translate(_HTML_UPPER), text.translate(_HTML_LOWER))
    yield secret.replace("'", "''")  # as a quoted scalar of YAML
    for safe in ("", "/"):
        for encode in (quote, quote_plus):
            encoded = encode(secret, safe=safe, errors="surrogateescape")
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
