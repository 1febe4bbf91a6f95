"""Find secrets by name: fields of JSON and forms, multipart, queries, links, variables of the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias
from urllib.parse import quote, unquote, unquote_to_bytes

from aquila_cassette.dialects.message import without_surrogates
from aquila_cassette.redaction.rules import (
    NAME_ENDINGS,
    SIGNATURES,
    Place,
    SecretNames,
    looks_random,
)
from aquila_cassette.redaction.spans import MARK, Span, merge, replaced

_LONGEST_NAME = 100
_LONGEST_HEAD = 2000
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*(?=[ \t\r\n,}\]])")
_OPENING = re.compile(rb'(\\*)"')
_SPACE = re.compile(rb"[ \t\r\n]*")
_OBJECT = re.compile(rb"\{[^{}]*\}")
_HELD = re.compile(rb'(?<=")[^"\\]{20,}(?=\\*")')
_ELEMENT = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.:-]*)>([^<>\s]+)</\1>")
_LIST = re.compile(rb"\[[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_COLON = re.compile(b":")
_LINE_END = re.compile(rb"[\r\n]")
_LETTERS = re.compile("[a-z0-9]+")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_QUOTE, _ESCAPE, _SPACES = ord('"'), ord("\\"), b" \t\r\n"

_CREDENTIALS = re.compile(rb"\A([a-z][a-z0-9+.-]*:)?//[^/?#]*@", re.IGNORECASE)
_OF_A_LINK = " of a link"
_LINK_ENDINGS = (*NAME_ENDINGS, *SIGNATURES, "auth")
_NEXT = rb"%(?:25)?(?:26|23|3[Ff])"  # where a parameter of an encoded link begins or ends
_PARAMETER = re.compile(
    rb"(?:[?&]|&amp;|\\u0026|%s)((?:(?!%s)[A-Za-z0-9_.%%-])+)\Z" % (_NEXT, _NEXT)
)


def _password_pattern(start: bytes, percent: bytes = b"") -> re.Pattern[bytes]:
    """Return what finds the password of a link whose signs are encoded with `percent`, if at all."""
    colon, at_sign, others = (
        rb"%s%s" % (percent, sign) for sign in (b"3a", b"40", b"(?:2[02367f]|3[cef]|5[bcd]|7[bd])")
    )
    if not percent:
        colon, at_sign, others = b":", b"@", b"&"
    character = rb"(?!%s)[^][\s\"'`<>{}\\/?#&]" % others
    # An ampersand, also as JSON for HTML escapes it, unless the next parameter of a query follows.
    escaped = rb"(?:&|\\+u0026)(?![a-z0-9_.-]+=)|\\+u00(?:3[cde]|27)"
    user = rb"(?:(?!%s)%s)*" % (colon, character)
    password = rb"(?!%%5bredacted%%5d)((?:%s|%s)+)" % (character, escaped)
    return re.compile(rb"%s%s%s%s%s(?=[a-z0-9[])" % (start, user, colon, password, at_sign))


_PASSWORDS = (  # of a link, and of one in a string of JSON, in a query, in a query of a query
    (b"@", _password_pattern(rb"://")),
    (b"@", _password_pattern(rb":\\+/\\+/")),
    (b"%40", _password_pattern(rb"%3a(?:\\*/|%2f){2}", b"%")),
    (b"%2540", _password_pattern(rb"%253a(?:\\*/|%252f){2}", b"%25")),
)
# Encoded: brackets before a host are taken for an IPv6 address.
_PASSWORD_MARK = quote(MARK).encode()
_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)', re.IGNORECASE)
_HEAD = re.compile(
    rb'form-data;[^\r\n]*?(?<![a-z])name="?([^"\r\n;]*)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n',
    re.IGNORECASE,
)

_MODEL_ARGUMENTS = frozenset({b"input", b"args", b"arguments"})
_STRUCTURE = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]')


def is_secret(name: str, value: bytes, names: SecretNames, place: Place) -> bool:
    sensitivity = names.sensitivity(name, place)
    return sensitivity == "always" or (sensitivity == "if_random" and looks_random(value))


# JSON. Fields are found in bytes, without parsing: also in events, in bodies that were cut off, and
# in JSON inside strings of JSON. The backslashes before a quote say how deep it is: one level down
# in escaped JSON doubles them, so a quote of level n has 2^n - 1 of its own.


def _ends_of_names(endings: Iterable[str], more: Iterable[str]) -> bytes:
    """Return a pattern of how secret names end, 5 bytes wide, as a lookbehind must be."""
    ends = {f"{ending[-5:]:.>5}" for ending in endings}
    # Of a user's name only the last two characters count, since a separator may be anywhere; and
    # none where they are not ASCII: they have several bytes, or are escaped.
    ends |= {
        f"...{f'[{name[-2]}_. -]' if len(name) > 1 else '.'}{name[-1]}"
        if _LETTERS.fullmatch(name[-2:])
        else "....."
        for name in more
    }
    return "|".join(sorted(ends)).encode()


def json_pattern(more: Iterable[str]) -> re.Pattern[bytes]:
    """Return what finds the colons of fields that may be secret, in lower-case bytes.

    It begins with the colon and looks behind, since that is the rarest byte to search for.
    """
    ends = _ends_of_names(NAME_ENDINGS, more)
    last = b"".join({end[-1:] for end in ends.split(b"|")})  # most names end otherwise
    last = last.replace(b".", rb"\0-\xff")
    found = rb':(?:(?<=[%s]":)(?<=(?:%s)":)' % (last, ends)
    found += rb'|(?<=\\":)(?<=(?:%s|....\\)\\":)|(?<=[ \t\r\n]:))' % ends
    return re.compile(found, re.DOTALL)


def json_fields(
    data: bytes, low: bytes, pattern: re.Pattern[bytes], names: SecretNames, place: Place
) -> Iterator[Span]:
    """Yield the values of fields with secret names; `low` is `data` in lower case."""
    # At the very beginning there are not as many bytes to look behind at.
    for match in chain(_COLON.finditer(low, 0, 6), pattern.finditer(low, 6)):
        quote = match.start() - 1
        while quote > 0 and data[quote] in _SPACES:
            quote -= 1
        if quote < 0 or data[quote] != _QUOTE:
            continue
        escapes = _escapes_before(data, quote)
        name = _name_before(data, quote - escapes, escapes)
        if not name or names.sensitivity(name, place) == "never":
            continue
        for first, last, is_text in _values(data, match.end(), escapes):
            if is_secret(name, data[first:last], names, place):
                around = b"" if is_text else b"\\" * escapes + b'"'
                yield Span(first, last, f"the field {name!r}", around + MARK + around)
        if held := _OBJECT.match(data, _after_space(data, match.end())):  # {"value": "..."}
            for text in _HELD.finditer(data, *held.span()):
                if looks_random(text[0]):
                    yield Span(*text.span(), f"the field {name!r}")


def _after_space(data: bytes, at: int) -> int:
    return _SPACE.match(data, at).end()  # type: ignore[union-attr]  # it matches anywhere


def _name_before(data: bytes, end: int, escapes: int) -> str | None:
    """Return the name that ends there; None if it is not whole, or too long."""
    start = data.rfind(b'"', max(0, end - _LONGEST_NAME), end)
    while start >= 0 and (count := _escapes_before(data, start)) != escapes:
        if count < escapes:
            return None
        start = data.rfind(b'"', max(0, end - _LONGEST_NAME), start)
    if start < 0:
        return None
    name = data[start + 1 : end].decode("utf-8", "replace")
    return without_surrogates(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), name))


def _escapes_before(data: bytes, quote: int, limit: int = 0) -> int:
    """Count the backslashes before `quote`, none of them before `limit`."""
    start = quote
    while start > limit and data[start - 1] == _ESCAPE:
        start -= 1
    return quote - start


def _values(data: bytes, colon_end: int, escapes: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the strings (without quotes) and numbers that are the value, or are in it, a list."""
    at = _after_space(data, colon_end)
    listed = _LIST.match(data, at)
    if listed:
        at = listed.end()
    while True:
        opening = _OPENING.match(data, at)
        if opening:
            end = _end_of_text(data, opening.end(), escapes)
            if len(opening[1]) != escapes or end is None:
                return
            yield opening.end(), end, True
            at = end + len(opening[0])
        elif number := _NUMBER.match(data, at):
            yield *number.span(), False
            at = number.end()
        else:
            return
        comma = _COMMA.match(data, at)
        if not listed or not comma:
            return
        at = comma.end()


def _end_of_text(data: bytes, start: int, escapes: int) -> int | None:
    """Return where a string ends that has quotes with `escapes` backslashes; None if it does not.

    A string in a string that has no end before the outer one's is a fragment, and stays: the rest
    is elsewhere. One that no other holds and that the body or its line cuts off ends there.
    """
    end, quote = len(data), data.find(b'"', start)
    while quote >= 0:
        count = _escapes_before(data, quote, start)
        level = (count + 1) & ~count  # 2^n of a quote of level n
        if level <= escapes:
            return None
        if level == escapes + 1:
            end = quote - escapes
            break
        quote = data.find(b'"', quote + 1)
    line_end = _LINE_END.search(data, start, end)
    if line_end is None and quote >= 0:
        return end
    if escapes:
        return None
    return line_end.start() if line_end else end


def is_by_the_model(data: bytes, span: Span) -> bool:
    """Return True for what a model wrote: arguments of a tool call, JSON in a string, a link.

    Who sends links of their own (sources, images, files) has fields for them: ``url``, ``fileUri``.
    """
    if data[span.start - 2 : span.start] == b'\\"' or span.text.startswith(b"\\"):
        return True
    start = 0 if data.lstrip()[:1] in (b"{", b"[") else data.rfind(b"\n", 0, span.start) + 1
    within: list[bytes] = []
    name = b""
    for token in _STRUCTURE.finditer(data, start, span.start):
        if token[0] in (b"{", b"["):
            within.append(name)
        elif token[0] in (b"}", b"]"):
            del within[-1:]
        elif token[2]:
            name = token[1]
    if span.kind.endswith(_OF_A_LINK) and not name.lower().rstrip(b"s").endswith((b"url", b"uri")):
        return True
    return any(one in _MODEL_ARGUMENTS for one in within)


def xml_elements(data: bytes, names: SecretNames, place: Place) -> Iterator[Span]:
    """Yield the texts of elements with secret names: temporary keys of AWS come in XML."""
    for element in _ELEMENT.finditer(data):
        name = element[1].rpartition(b":")[2].decode()
        if is_secret(name, element[2], names, place):
            yield Span(*element.span(2), f"the element {name!r}")


# Forms, queries, links.


def form_pairs(data: bytes, names: SecretNames, place: Place, start: int = 0) -> Iterator[Span]:
    """Yield the secret values in ``name=value&name=value`` from `start` on: a form, or a query.

    A value may be a URL, or what follows a host in one, with a query of its own.
    """
    for pair in data[start:].split(b"&"):
        name, _, value = pair.partition(b"=")
        end = start + len(pair)
        if value and is_secret(_shown(name), value, names, place):
            yield Span(end - len(value), end, f"{place} field {_shown(name)!r}")
        elif b"%3" in value or b"?" in value or b":" in value:
            inner = unquote_to_bytes(value)
            if inner[:1] in (b"{", b"["):
                pattern = json_pattern(names.more)
                held = json_fields(inner, inner.lower(), pattern, names, "sent")
                clean = replaced(inner, merge(inner, held))
            else:
                clean = clean_url(inner, names, is_inner=True) if b"=" in inner else inner
            if clean != inner:
                kind = f"a value in the {place} field {_shown(name)!r}"
                yield Span(end - len(value), end, kind, quote(clean, safe="+").encode())
        start = end + 1


def form_parts(data: bytes, content_type: str, names: SecretNames) -> Iterator[Span]:
    named = _BOUNDARY.search(content_type)
    fence = b"\n--" + (named[1].encode("utf-8", "surrogateescape") if named else b"")
    at = 0
    for part in data.split(fence):
        head = _HEAD.search(part, 0, _LONGEST_HEAD)
        if head:
            value = part[head.end() :].removesuffix(b"\r")
            start = at + head.end()
            if value and is_secret(_shown(head[1]), value, names, "form"):
                yield Span(start, start + len(value), f"form field {_shown(head[1])!r}")
        at += len(part) + len(fence)


def link_patterns(more: Iterable[str]) -> Sequence[re.Pattern[bytes]]:
    # Each begins with a literal: joined to one pattern they take ten times as long.
    ends = _ends_of_names(_LINK_ENDINGS, more)
    value = rb"[^&\s\"'<>\\#)\]]"
    ways = [rb"=(?<=(?:%s)=)(%s+)" % (ends, value)]
    for sign in (rb"%3d", rb"%253d"):
        ways.append(rb"%s(?<=(?:%s)%s)((?:(?!%s)%s)+)" % (sign, ends, sign, _NEXT, value))
    return [re.compile(way, re.DOTALL) for way in ways]


def link_parameters(
    data: bytes, low: bytes, patterns: Sequence[re.Pattern[bytes]], names: SecretNames
) -> Iterator[Span]:
    """Yield the secret query parameters of the links in a text."""
    if data.find(b"%") < 0:
        patterns = patterns[:1]
    for match in (match for pattern in patterns for match in pattern.finditer(low)):
        name = _PARAMETER.search(data, max(0, match.start() - _LONGEST_NAME), match.start())
        start, end = match.span(1)
        if name and is_secret(_shown(name[1]), data[start:end], names, "link"):
            yield Span(start, end, f"parameter {_shown(name[1])!r}{_OF_A_LINK}")


def link_passwords(low: bytes) -> Iterator[Span]:
    """Yield the passwords of ``scheme://user:password@host`` in a text in lower-case bytes."""
    for at_sign, pattern in _PASSWORDS:
        if low.find(at_sign) >= 0:
            for match in pattern.finditer(low):
                yield Span(*match.span(1), f"the password{_OF_A_LINK}", _PASSWORD_MARK)


def clean_url(url: bytes, names: SecretNames, *, is_inner: bool = False) -> bytes:
    """Return `url` with the secrets of its query replaced, without credentials and fragment.

    Those two are taken out rather than marked: they are no part of what a server is asked for, and
    brackets before a host are taken for an IPv6 address. One that `is_inner`, a value of another's
    query, keeps a fragment in which no value is named.
    """
    before, _, fragment = url.partition(b"#")
    if not is_inner or b"=" in fragment:
        url = before
    url = _CREDENTIALS.sub(rb"\1//", url)
    query = url.find(b"?") + 1
    return replaced(url, merge(url, form_pairs(url, names, "query", query))) if query else url


def _shown(name: bytes) -> str:
    return unquote(name.decode("utf-8", "replace"))


# The environment: the values of variables whose names say that they are secret.

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
        # A user without a password is the key of a service: Sentry, GitHub.
        held = [
            password or (user if _RANDOM.fullmatch(user) else "")
            for user, password in _USER.findall(value)
        ]
        for secret in (*held, *(given.strip("'\"") for given in _SETTING.findall(value))):
            yield from filter(is_more_than_a_word, {secret, unquote(secret)})
    elif len(value) < _SHORTEST or value == MARK.decode():
        return
    elif (
        _NAMED.search(name)
        or (_PASSWORD.search(name) and is_more_than_a_word(value))
        or (_OTHER.search(name) and _RANDOM.fullmatch(value))
    ):
        yield value


def is_more_than_a_word(value: str) -> bool:
    return len(value) >= _SHORTEST and not _WORD.fullmatch(value)
