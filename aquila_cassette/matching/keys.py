"""Compute the key of a request: method, URL, body, and what is ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote_plus

from aquila_cassette.errors import UsageError
from aquila_cassette.model import Request

MatchPart: TypeAlias = "str | Callable[[Request], Hashable]"
"""What two requests must have in common: a name of `NAMES`, or a function that gives a value."""

DEFAULT: tuple[MatchPart, ...] = ("method", "url", "body")
"""What is compared by default. No headers: they are volatile in every SDK."""

NAMES = ("method", "url", "scheme", "host", "port", "path", "query", "body")

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<netloc>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?",
    re.DOTALL,
)
_NETLOC = re.compile(r"(?:[^@]*@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?")
_BOUNDARY = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_JSON_TYPE = re.compile(r"\s*(?:application|text)/(?:[^;\s]*\+)?json\b", re.IGNORECASE)
_CACHED = 16 * 1024


class ComparedUrl(NamedTuple):
    """The parts of a URL as they are compared; without the fragment."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: tuple[tuple[str, str], ...]


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
    has paths of JSON fields that do not count: ``metadata.request_id``; ``*`` is any field or any
    place in a list: ``messages.*.id``. A UsageError says what is wrong in them.
    """

    def __init__(
        self, match_on: Sequence[MatchPart] = DEFAULT, ignore_json: Sequence[str] = ()
    ) -> None:
        self.match_on = _checked_parts(match_on)
        self.ignore_json = _checked_paths(ignore_json)
        self._steps = [path.split(".") for path in self.ignore_json]
        # The bodies of a cassette are asked for again when they are replayed: the same bytes.
        self._digest = lru_cache(maxsize=1024)(self._compute_digest)
        self._getters = tuple(self._getter(part) for part in self.match_on)

    def key(self, request: Request) -> Hashable:
        """Return what `request` is looked up by; equal requests have equal keys."""
        return tuple([get(request) for get in self._getters])

    def differing(self, recorded: Request, request: Request) -> tuple[MatchPart, ...]:
        """Return the parts of `match_on` in which two requests differ."""
        parts = zip(self.match_on, self._getters, strict=True)
        return tuple(part for part, get in parts if get(recorded) != get(request))

    def body(self, request: Request) -> ComparedBody:
        return _read(request.body, request.header("content-type"), self._steps)

    def _getter(self, part: MatchPart) -> Callable[[Request], Hashable]:
        if not isinstance(part, str):
            return partial(_hashable, part)
        if part == "body":
            return self._body_key
        if part == "method":
            return attrgetter("method")
        if part == "url":
            return lambda request: url_of(request.url)
        return lambda request: getattr(url_of(request.url), part)

    def _body_key(self, request: Request) -> bytes:
        if not request.body:
            return b""
        digest = self._compute_digest if len(request.body) > _CACHED else self._digest
        return digest(request.body, request.header("content-type"))

    def compared(self, request: Request) -> bytes:
        """Return the body in the form in which equal ones have equal bytes."""
        return _bytes_of(self.body(request))

    def _compute_digest(self, body: bytes, kind: str | None) -> bytes:
        read = _read(body, kind, self._steps)
        return read.kind.encode() + blake2b(_bytes_of(read), digest_size=16).digest()


def name_of(part: MatchPart) -> str:
    """Return the name of a part of `match_on`, of a function its own."""
    return part if isinstance(part, str) else str(getattr(part, "__name__", part))


def _hashable(part: Callable[[Request], Hashable], request: Request) -> Hashable:
    value = part(request)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _read(body: bytes, kind: str | None, ignored: Sequence[Sequence[str]]) -> ComparedBody:
    if body and (not kind or _JSON_TYPE.match(kind)):
        try:
            value = _DECODER.decode(body.decode())
        except (ValueError, RecursionError):
            return ComparedBody("bytes", body)
        for path in ignored:
            _leave_out(value, path)
        return ComparedBody("json", value)
    if kind and kind.lower().startswith("multipart/") and (named := _BOUNDARY.search(kind)):
        fence = b"--" + named[1].strip().encode("utf-8", "surrogateescape")
        return ComparedBody("bytes", body.replace(fence, b"--boundary"))
    return ComparedBody("bytes", body)


# In JSON 1 and 1.0 are one number; as Python writes them they are two.
def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


_DECODER = json.JSONDecoder(parse_float=_number)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _bytes_of(body: ComparedBody) -> bytes:
    found: bytes = body.value if body.kind == "bytes" else _ENCODER.encode(body.value).encode()
    return found


def _leave_out(value: Any, path: Sequence[str]) -> None:
    """Take what is at `path` out of `value`; in a list, None takes its place: others stay."""
    *way, last = path
    holders: list[Any] = [value]
    for step in way:
        holders = [holder[key] for holder in holders for key in _keys(holder, step)]
    for holder in holders:
        for key in _keys(holder, last):
            if isinstance(holder, dict):
                del holder[key]
            else:
                holder[key] = None


def _keys(holder: Any, step: str) -> list[Any]:
    """Return the keys or places that `step` names in an object or a list."""
    if isinstance(holder, dict):
        return list(holder) if step == "*" else [step] if step in holder else []
    if isinstance(holder, list):
        if step == "*":
            return list(range(len(holder)))
        return [int(step)] if step.isdecimal() and int(step) < len(holder) else []
    return []


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


def _checked_paths(paths: object) -> tuple[str, ...]:
    listed = _listed("ignore_json", paths)
    for path in listed:
        if not isinstance(path, str) or not all(path.split(".")) or re.search(r"[\[$/]", path):
            raise UsageError(
                f"ignore_json= has a path that cannot be followed: {path!r}.",
                fix="Fix: join names by dots, with * for any, as in 'messages.*.id'.",
            )
    return listed


def _listed(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    shown = name_of(value) if callable(value) else repr(value)
    raise UsageError(f"{name}= takes a list.", fix=f"Fix: write {name}=[{shown}].")
