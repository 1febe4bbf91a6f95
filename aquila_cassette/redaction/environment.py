"""The secrets of this process: the values of variables whose names say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import unquote

from aquila_cassette.redaction.spans import MARK

Secrets: TypeAlias = tuple[str, ...]

_SHORTEST = 8
_NAMED = re.compile(r"(?i)(?:^|_)(?:API_?KEY|TOKEN|SECRET|(?:SECRET|ACCESS|PRIVATE)_KEY)$")
_PASSWORD = re.compile(r"(?i)(?:PASSWORD|PASSPHRASE|PASSWD|SSHPASS|(?:^|_)PASS|_PWD)$")
_OTHER = re.compile(r"(?i)(?:_KEY|_AUTH|_PAT)$")
_PLACE = re.compile(r"(?i)(?:URL|URI|DSN|CONN(?:ECTION)?(?:_?STR(?:ING)?)?)$")
_WORD = re.compile(r"[a-z]{,15}|[A-Z]{,15}")
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9._~+/=-]{16,}")
# In the address of a server: `//user:password@`, `Pwd=...;`.
_USER = re.compile(r"//([^/?#\s:@]*):?([^/?#\s]*)@")
_SETTING = re.compile(
    r"(?i)(?:password|passwd|pwd|secret|token|key|sig)\s*=\s*('[^']*'|\"[^\"]*\"|[^;&\s]+)"
)
_last: tuple[dict[object, object], Secrets] = ({}, ())


def environment_secrets(environ: Mapping[str, str]) -> Secrets:
    """Return the values of the variables that hold secrets (docs/secrets.md), longest first."""
    global _last
    # Reading os.environ decodes every variable, some 50 microseconds; this runs on every request.
    # Its private dict is compared in one; where there is none, nothing is remembered.
    variables = getattr(environ, "_data", None)
    if not isinstance(variables, dict):
        return _read(environ)
    if variables != _last[0]:
        _last = variables.copy(), _read(environ)
    return _last[1]


def _read(environ: Mapping[str, str]) -> Secrets:
    found = {one for name, value in environ.items() for one in secrets_of(name, value)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def secrets_of(name: str, value: str) -> Iterator[str]:
    """Yield the secrets that a variable holds."""
    if _PLACE.search(name):
        for user, password in _USER.findall(value):
            # A user without a password is the key of a service: Sentry, GitHub.
            secret = password or (user if _RANDOM.fullmatch(user) else "")
            yield from filter(_is_more_than_a_word, {secret, unquote(secret)})
        for given in _SETTING.findall(value):
            secret = given.strip("'\"")
            yield from filter(_is_more_than_a_word, {secret, unquote(secret)})
    elif len(value) < _SHORTEST or value == MARK.decode():
        return
    elif (
        _NAMED.search(name)
        or (_PASSWORD.search(name) and _is_more_than_a_word(value))
        or (_OTHER.search(name) and _RANDOM.fullmatch(value))
    ):
        yield value


def _is_more_than_a_word(value: str) -> bool:
    return len(value) >= _SHORTEST and not _WORD.fullmatch(value)
