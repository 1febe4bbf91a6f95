"""Compute the key of a request: method, URL and body, without what options ignore or normalize."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote_plus

from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.errors import UsageError
from aquila_cassette.matching.volatile import PATTERNS, Volatile
from aquila_cassette.model import Request

MatchPart: TypeAlias = "str | Callable[[Request], Hashable]"
"""What two requests must have in common: a name of `NAMES`, or a function that gives a value."""

Key: TypeAlias = tuple[Any, ...]

DEFAULT: tuple[MatchPart, ...] = ("method", "url", "body", "operation")
"""What is compared by default. Of headers, which are volatile, only those that name an operation."""

NAMES = ("method", "url", "scheme", "host", "port", "path", "query", "body", "operation")

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<netloc>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?",
    re.DOTALL,
)
_NETLOC = re.compile(r"(?:[^@]*@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?")
_BOUNDARY = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_NESTED = re.compile(rb'(?im)^content-type:[ \t]*multipart/[^\r\n]*?boundary="?([^";,\s]+)')
_FIELD = re.compile(rb'(?im)^content-disposition:[^\r\n]*?[; ]name="([^"\r\n]*)"')
_GZIP = b"\x1f\x8b\x08"
_JSON_TYPE = re.compile(r"\s*(?:application|text)/(?:[^;\s]*\+)?json\b", re.IGNORECASE)
_CACHED = 16 * 1024
_CODEC = "utf-8", "surrogateescape"
_VERSION = re.compile(r"version$", re.IGNORECASE)  # api-version=2024-10-21 is no date that passes


class ComparedUrl(NamedTuple):
    """The parts of a URL as they are compared; without the fragment."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: tuple[tuple[str, str], ...]


OPERATION_HEADERS = frozenset({
    "x-amz-target", "soapaction", "x-http-method-override", "x-amz-copy-source",
    "x-amz-copy-source-range", "dropbox-api-arg", "content-range", "upload-offset", "x-ms-range",
    "x-goog-upload-command", "x-goog-upload-offset",
})  # fmt: skip
"""Headers that say what one URL is asked to do, or which part of an upload the body is."""


class Operation(NamedTuple):
    """What headers say of the operation that a request asks for."""

    target: str
    range: str
    is_stream: bool

    @classmethod
    def of(cls, request: Request) -> Operation:
        headers = {name.lower(): value for name, value in reversed(request.headers)}
        named = sorted(OPERATION_HEADERS & headers.keys())
        return cls(
            ", ".join([f"{name}: {headers[name]}" for name in named]),
            headers.get("range", "").replace(" ", ""),
            "text/event-stream" in headers.get("accept", "").lower(),
        )

    def __str__(self) -> str:
        accept = "text/event-stream" if self.is_stream else ""
        fields = {"range": self.range, "accept": accept}
        named = [self.target, *(f"{name}: {value}" for name, value in fields.items() if value)]
        return ", ".join(filter(None, named)) or "(none)"


class ComparedBody(NamedTuple):
    """A body as it is compared: JSON without what is left out, or bytes with a fixed boundary."""

    kind: Literal["json", "bytes"]
    value: Any


@lru_cache(maxsize=1024)
def url_of(url: str) -> ComparedUrl:
    """Take a URL apart so that equal ones are equal: case of the host, default port, query order."""
    parts = _URL.match(url)
    assert parts, "every part of the pattern may be missing"
    scheme = (parts["scheme"] or "").lower()
    netloc = _NETLOC.match(parts["netloc"] or "")
    host, port = (netloc["host"].lower(), netloc["port"]) if netloc else ("", None)
    pairs = (pair.partition("=") for pair in (parts["query"] or "").split("&") if pair)
    return ComparedUrl(
        scheme,
        host,
        int(port) if port else _PORTS.get(scheme),
        parts["path"] or "/",
        tuple(sorted((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)),
    )


class Matcher:
    """Gives the same key to requests that are the same.

    `match_on` has names of `NAMES`, or functions from a redacted request to a value. `ignore_json`
    has paths of JSON fields that do not count, `unordered_json` of lists in which the order does
    not: ``messages.*.id``, where ``*`` is any field or any place in a list; they lead into JSON
    within a string too. `ignore_query` and `ignore_form` have names of query parameters and of
    form fields that do not count, perhaps with ``*``. `normalize` names text that differs each
    time, or finds it: see `volatile`. A UsageError says what is wrong in them.
    """

    def __init__(
        self,
        match_on: Sequence[MatchPart] = DEFAULT,
        ignore_json: Sequence[str] = (),
        *,
        unordered_json: Sequence[str] = (),
        ignore_query: Sequence[str] = (),
        ignore_form: Sequence[str] = (),
        normalize: Sequence[Volatile] = (),
    ) -> None:
        self.options: dict[str, Sequence[Any]] = dict(locals())
        del self.options["self"]
        self.match_on = _checked_parts(match_on)
        self._rules = _Rules(
            _steps("ignore_json", ignore_json),
            _steps("unordered_json", unordered_json),
            _listed("ignore_form", ignore_form),
            list(_with_marks(normalize)),
        )
        self._ignore_query = _listed("ignore_query", ignore_query)
        # The bodies of a cassette are asked for again when they are replayed: the same bytes.
        self._digest = lru_cache(maxsize=1024)(self._compute_digest)
        is_plain = not (self._ignore_query or self._rules.volatile)
        self.url = url_of if is_plain else lru_cache(maxsize=1024)(self._compared_url)
        self._getters = tuple(self._getter(part) for part in self.match_on)

    def plus(self, **more: Sequence[Any]) -> Matcher:
        """Return a matcher that has more in its options."""
        added = {name: (*self.options[name], *value) for name, value in more.items()}
        return Matcher(**{**self.options, **added})

    def key(self, request: Request) -> Key:
        """Return what `request` is looked up by; equal requests have equal keys."""
        return tuple([get(request) for get in self._getters])

    def recorded_key(self, request: Request) -> Key:
        """Return the key of a request off a cassette; without headers it names no operation."""
        key = self.key(request)
        return key if request.headers else (key, *self.looser_keys(key))[-1]

    def looser_keys(self, key: Key) -> Iterator[Key]:
        """Yield the keys of recorded requests that lack headers which name the operation in `key`."""
        for place, part in enumerate(self.match_on):
            if part == "operation":
                for operation in (key[place] and key[place]._replace(target=""), None):
                    yield (*key[:place], operation, *key[place + 1 :])

    def differing(self, recorded: Request, request: Request) -> tuple[MatchPart, ...]:
        """Return the parts of `match_on` in which two requests differ."""
        old, new = self.recorded_key(recorded), self.key(request)
        if old in self.looser_keys(new):
            return ()
        parts = zip(self.match_on, old, new, strict=True)
        return tuple(part for part, one, other in parts if one not in (other, None))

    def body(self, request: Request) -> ComparedBody:
        return _read(request.body, request.header("content-type"), self._rules)

    def _getter(self, part: MatchPart) -> Callable[[Request], Hashable]:
        if not isinstance(part, str):
            return part
        if part == "body":
            return self._body_key
        if part == "method":
            return attrgetter("method")
        if part == "operation":
            return Operation.of
        if part == "url":
            return lambda request: self.url(request.url)
        return lambda request: getattr(self.url(request.url), part)

    def _compared_url(self, url: str) -> ComparedUrl:
        whole, rules = url_of(url), self._rules
        query = (
            (name, rules.text(value, name))
            for name, value in whole.query
            if not _is_named(name, self._ignore_query)
        )
        return whole._replace(path=rules.text(whole.path), query=tuple(sorted(query)))

    def _body_key(self, request: Request) -> bytes:
        if not request.body:
            return b""
        digest = self._compute_digest if len(request.body) > _CACHED else self._digest
        return digest(request.body, request.header("content-type"))

    def compared(self, request: Request) -> bytes:
        """Return the body in the form in which equal ones have equal bytes."""
        return _bytes_of(self.body(request))

    def _compute_digest(self, body: bytes, kind: str | None) -> bytes:
        read = _read(body, kind, self._rules)
        return read.kind.encode() + blake2b(_bytes_of(read), digest_size=16).digest()


def name_of(part: MatchPart) -> str:
    """Return the name of a part of `match_on`, of a function its own."""
    return part if isinstance(part, str) else str(getattr(part, "__name__", part))


@dataclass(frozen=True)
class _Rules:
    """What of a request does not count: fields, the order of lists, text that differs each time."""

    ignored: Sequence[Sequence[str]]
    unordered: Sequence[Sequence[str]]
    form: Sequence[str]
    volatile: Sequence[tuple[re.Pattern[str], str]]

    def text(self, text: str, name: str = "") -> str:
        """Return `text`, the value of the field `name`, with marks for what is volatile."""
        if not _VERSION.search(name):
            for pattern, mark in self.volatile:
                text = pattern.sub(mark, text)
        return text

    def json(self, value: Any, name: str = "") -> Any:
        """Return JSON with marks; a number is replaced where all of it is volatile."""
        if isinstance(value, dict):
            pairs = [(self.text(key), self.json(held, key)) for key, held in value.items()]
            marked = dict(pairs)
            return marked if len(marked) == len(pairs) else pairs  # two names have one mark
        if isinstance(value, list):
            return [self.json(held, name) for held in value]
        if isinstance(value, str):
            return self.text(value, name)
        if isinstance(value, bool | None) or _VERSION.search(name):
            return value
        number = json.dumps(value)
        return next((mark for one, mark in self.volatile if one.fullmatch(number)), value)


def _read(body: bytes, kind: str | None, rules: _Rules) -> ComparedBody:
    if body.startswith(_GZIP) and (unpacked := decode_pieces("gzip", [body])):
        body = unpacked[0]  # two of the same content may differ: they say when they were made
    if body and (not kind or _JSON_TYPE.match(kind)):
        with suppress(ValueError, RecursionError):
            return ComparedBody("json", _json(_DECODER.decode(body.decode()), rules))
    type_ = (kind or "").lstrip().lower()
    if type_.startswith("application/x-www-form-urlencoded"):
        return ComparedBody("bytes", "\n".join(_form_lines(body, rules)).encode(*_CODEC))
    if kind and type_.startswith("multipart/") and (named := _BOUNDARY.search(kind)):
        body = _multipart(body, named[1].strip().encode(*_CODEC), rules)
    if rules.volatile:
        body = rules.text(body.decode(*_CODEC)).encode(*_CODEC)
    return ComparedBody("bytes", body)


def _json(value: Any, rules: _Rules) -> Any:
    for path in rules.ignored:
        _edit(value, path, lambda _: _GONE)
    if rules.volatile:
        value = rules.json(value)
    for path in rules.unordered:
        _edit(
            value,
            path,
            lambda one: sorted(one, key=_ENCODER.encode) if isinstance(one, list) else one,
        )
    return value


def _form_lines(body: bytes, rules: _Rules) -> Iterator[str]:
    """Yield a line for each field of a form, in their order."""
    for pair in body.decode(*_CODEC).split("&"):
        name, equals, value = (unquote_plus(part) for part in pair.partition("="))
        if not _is_named(name, rules.form):
            text = f"{name}{equals}{rules.text(value, name)}"
            yield text.replace("\\", "\\\\").replace("\n", "\\n")


def _multipart(body: bytes, boundary: bytes, rules: _Rules) -> bytes:
    """Give all boundaries a fixed name, those of parts within parts too; leave fields out."""
    body = _NESTED.sub(lambda found: found[0].replace(found[1], b"nested"), inner := body)
    for name in (boundary, *(found[1] for found in _NESTED.finditer(inner))):
        mark = b"--boundary" if name == boundary else b"--nested"
        body = re.sub(rb"^--" + re.escape(name), mark, body, flags=re.MULTILINE)
    if not rules.form:
        return body
    parts = []
    for part in re.split(rb"^--boundary", body, flags=re.MULTILINE):
        found = _FIELD.search(part.partition(b"\r\n\r\n")[0])
        if not (found and _is_named(found[1].decode(*_CODEC), rules.form)):
            parts.append(part)
    return b"--boundary".join(parts)


def _is_named(name: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, one) for one in names)


# In JSON 1 and 1.0 are one number; as Python writes them they are two.
def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


_DECODER = json.JSONDecoder(parse_float=_number)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _bytes_of(body: ComparedBody) -> bytes:
    found: bytes = body.value if body.kind == "bytes" else _ENCODER.encode(body.value).encode()
    return found


_GONE = object()


def _edit(value: Any, path: Sequence[str], edit: Callable[[Any], Any]) -> Any:
    """Put what `edit` returns in the place of what is at `path` in `value`, and return that.

    In a list, None takes the place of what is left out: others stay.
    """
    if not path:
        return edit(value)
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            inner = _DECODER.decode(value)
            if isinstance(inner, dict | list):
                return _ENCODER.encode(_edit(inner, path, edit))
        return value
    for key in _keys(value, path[0]):
        edited = _edit(value[key], path[1:], edit)
        if edited is not _GONE:
            value[key] = edited
        elif isinstance(value, dict):
            del value[key]
        else:
            value[key] = None
    return value


def _keys(holder: Any, step: str) -> list[Any]:
    """Return the keys or places that `step` names in an object or a list."""
    known = range(len(holder)) if isinstance(holder, list) else holder
    if not isinstance(known, dict | range):
        return []
    if step == "*":
        return list(known)
    key = int(step) if isinstance(holder, list) and step.isdecimal() else step
    return [key] if key in known else []


def _checked_parts(parts: object) -> tuple[MatchPart, ...]:
    listed = _listed("match_on", parts)
    unknown = [repr(part) for part in listed if part not in NAMES and not callable(part)]
    if unknown or not listed:
        raise UsageError(
            f"match_on= names nothing that can be compared: {', '.join(unknown) or 'it is empty'}.",
            facts=[f"known: {', '.join(NAMES)}; or a function of the request"],
            fix='Fix: write, for example, match_on=["method", "url", "body"].',
        )
    return listed


def _steps(name: str, paths: object) -> list[list[str]]:
    """Return the steps of each path that the option `name` has."""
    listed = _listed(name, paths)
    for path in listed:
        if not isinstance(path, str) or not all(path.split(".")) or re.search(r"[\[$/]", path):
            raise UsageError(
                f"{name}= has a path that cannot be followed: {path!r}.",
                fix="Fix: join names by dots, with * for any, as in 'messages.*.id'.",
            )
    return [path.split(".") for path in listed]


def _with_marks(normalize: object) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield the patterns of ``normalize=``, each with the mark that replaces what it finds."""
    for one in _listed("normalize", normalize):
        if isinstance(one, str) and one in PATTERNS:
            yield PATTERNS[one], f"[{one[:-1]}]"
        elif isinstance(one, re.Pattern) and isinstance(one.pattern, str):
            yield one, "[normalized]"
        else:
            raise UsageError(
                f"normalize= does not know {one!r}.",
                facts=[f"known: {', '.join(map(repr, PATTERNS))}, and patterns of text"],
                fix='Fix: write one of these, or re.compile(r"...")',
            )


def _listed(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    shown = name_of(value) if callable(value) else repr(value)
    raise UsageError(f"{name}= takes a list.", fix=f"Fix: write {name}=[{shown}].")
