"""The secrets of this process: the values of variables with secret names, in every spelling."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

from aquila_cassette.redaction.patterns import SHORTEST_RUN
from aquila_cassette.redaction.spans import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MIN_LENGTH = 8
_NAMED = re.compile(
    r"(?:^|_)(?:API_?KEY|TOKEN|SECRET|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY)$", re.IGNORECASE
)
_PASSWORD = re.compile(r"(?:^|_)(?:PASSWORD|PASSPHRASE)$", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{,15}|[A-Z]{,15}")
_KEY = re.compile(r"_KEY$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9._~+/=-]{16,}")
_RUNS = re.compile(rb"[A-Za-z0-9_+/-]{%d,}" % SHORTEST_RUN)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_HTML_UPPER = {ord(char): f"\\u{ord(char):04X}" for char in "<>&'"}
_HTML_LOWER = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'"}


class Spelling(NamedTuple):
    """One spelling of a secret."""

    data: bytes
    lead: bool  # whether a base64 character before it holds bits of the secret too
    tail: bool  # whether one after it does
    secret: str


class Spellings(NamedTuple):
    """All spellings of some secrets."""

    anywhere: tuple[Spelling, ...]  # those to be searched everywhere
    # Those with a long run of key characters, each after that run: they can only be where the run
    # is.
    in_runs: tuple[tuple[str, Spelling], ...]
    any_is_json: bool  # whether the names of JSON fields may be in one


_last: tuple[dict[object, object], tuple[str, ...]] = ({}, ())


def environment_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables that hold secrets, longest first.

    Those are the variables named ``*_API_KEY``, ``*_TOKEN``, ``*_SECRET``, ``*_SECRET_KEY``,
    ``*_ACCESS_KEY``, ``*_PRIVATE_KEY``; ``*_PASSWORD`` and ``*_PASSPHRASE`` unless the value is a
    mere word (``postgres``); any other ``*_KEY`` that looks random. Values shorter than 8
    characters are left out: they would be found everywhere.

    Example:
        >>> environment_secrets({"DB_PASSWORD": "correct horse", "EDITOR": "vi", "A_TOKEN": "1"})
        ('correct horse',)
    """
    global _last
    # Reading os.environ decodes every variable, some 50 microseconds; this runs on every request.
    # Its private dict is compared in one; where there is none, nothing is remembered.
    variables = getattr(environ, "_data", None)
    if not isinstance(variables, dict):
        return _secrets(environ)
    if variables != _last[0]:
        _last = variables.copy(), _secrets(environ)
    return _last[1]


def _secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = {value for name, value in environ.items() if _is_secret(name, value)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def _is_secret(name: str, value: str) -> bool:
    if len(value) < _MIN_LENGTH or value == MARK.decode():
        return False
    if _NAMED.search(name):
        return True
    if _PASSWORD.search(name):
        return not _WORD.fullmatch(value)
    return bool(_KEY.search(name) and _RANDOM.fullmatch(value))


def variable_of(secret: str, environ: Mapping[str, str]) -> str | None:
    """Return the variable that holds `secret`; None if none does any more."""
    return next((name for name, value in environ.items() if value == secret), None)


@lru_cache(maxsize=64)
def spellings(secrets: tuple[str, ...]) -> Spellings:
    """Return all spellings of `secrets`: raw, escaped as in JSON, percent-encoded, base64.

    Base64 is found wherever the secret is in what was encoded (``user:secret``), up to the
    characters at its ends that also hold bits of its neighbours.
    """
    anywhere: list[Spelling] = []
    in_runs: list[tuple[str, Spelling]] = []
    found = [one for secret in secrets for one in _spellings(secret)]
    for one in found:
        run = max(_RUNS.findall(one.data), key=len, default=b"")
        if run:
            in_runs.append((run.decode("latin-1"), one))
        else:
            anywhere.append(one)
    any_is_json = any(b'"' in one.data and b":" in one.data for one in found)
    return Spellings(tuple(anywhere), tuple(in_runs), any_is_json)


def _spellings(secret: str) -> Iterator[Spelling]:
    for text in dict.fromkeys(_texts(secret)):
        yield Spelling(text.encode("utf-8", "surrogateescape"), False, False, secret)
    raw = secret.encode("utf-8", "surrogateescape")
    for offset in range(3):
        # A base64 character holds 6 bits: those with bits of a neighbouring byte are left off.
        whole, shared = divmod((offset + len(raw)) * 8, 6)
        core = b64encode(bytes(offset) + raw)[offset + 1 if offset else 0 : whole]
        for data in dict.fromkeys((core, core.translate(_URL_SAFE))):
            yield Spelling(data, offset > 0, shared > 0, secret)


def _texts(secret: str) -> Iterator[str]:
    yield secret
    if secret.isascii() and secret.isalnum():
        return
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
        # As PHP escapes slashes, and Go, Java and browsers what HTML would take for its own.
        for text in (escaped, escaped.replace("/", "\\/")):
            yield text
            yield text.translate(_HTML_UPPER)
            yield text.translate(_HTML_LOWER)
    yield secret.replace("'", "''")  # as a quoted scalar of YAML
    for safe in ("", "/"):
        for encode in (quote, quote_plus):
            encoded = encode(secret, safe=safe, errors="surrogateescape")
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
