"""The values of a cassette file to a cassette; every field is checked, none is passed over."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

from aquila_cassette.model import CassetteData, Failure, Interaction, Request
from aquila_cassette.storage import bodies
from aquila_cassette.storage.pieces import LazyResponse, Source, is_timeline
from aquila_cassette.storage.schema_error import Flaw, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila_cassette.model import Headers, Response

__all__ = ["VERSION", "NewerVersion", "error", "headers", "tape"]

VERSION = 1
"""The version of the format that this package reads and writes."""

# The fields there are; docs/format.md has them all.
TAPE = ("version", "recorded_with", "interactions")
INTERACTION = ("recorded_at", "recorded_by", "request", "response")
REQUEST = ("method", "url", "headers", *bodies.FIELDS)
RESPONSE = (
    "status",
    "http_version",
    "headers",
    *bodies.FIELDS,
    "headers_after",
    "pieces",
    "ended",
    "error",
)
ERROR = ("type", "message", "category")
_ENDS = ("complete", "closed", "failed")


class NewerVersion(Flaw):
    """The file is a cassette of a version to come."""

    def __init__(self, within: Any, key: str | int | None, problem: str, *, fix: str) -> None:
        super().__init__(within, key, problem, fix=fix)
        self.damage = "newer"


def tape(tree: Any) -> CassetteData:
    """Build the cassette that `tree` describes.

    Args:
        tree: What the file says, as `yaml_reader.compose` gives it.

    Raises:
        Flaw: It describes none.
    """
    if not isinstance(tree, dict):
        raise Flaw(tree, None, "the file is no cassette, for no mapping stands at its top")
    _version(tree)
    refuse_unknown(tree, TAPE, "a cassette")
    items = tree.get("interactions")
    if items is None:
        raise Flaw(tree, None, "the file has no interactions")
    if not isinstance(items, list):
        raise _wrong(tree, "interactions", "a list", items)
    interactions = []
    for place in range(len(items)):
        try:
            interactions.append(_interaction(items, place))
        except Flaw as flaw:
            flaw.cut_off = flaw.missing and place == len(items) - 1
            raise
    return CassetteData(
        tuple(interactions),
        recorded_with=_text(tree, "recorded_with") or "",
    )


def _version(tree: Mapping[str, Any]) -> None:
    if "version" not in tree:
        fix = 'make "version: 1" its first line, if it is a cassette'
        raise Flaw(tree, None, "the file has no version", fix=fix)
    version = tree["version"]
    if type(version) is int and version > VERSION:
        problem = f"the cassette has version {version}, and this aquila-cassette reads {VERSION}"
        raise NewerVersion(tree, "version", problem, fix="pip install --upgrade aquila-cassette")
    if type(version) is not int or version != VERSION:
        facts = [f"expected: {VERSION}", f"got:      {version!r}"]
        problem = "the cassette's version is none that ever was"
        raise Flaw(tree, "version", problem, facts=facts, fix=f'write "version: {VERSION}"')


def _interaction(items: list[Any], place: int) -> Interaction:
    item = _mapping(items, place, "an interaction")
    refuse_unknown(item, INTERACTION, "an interaction")
    _need(item, ("request", "response"), "the interaction")
    return Interaction(
        _request(_mapping(item, "request", "the request")),
        _response(_mapping(item, "response", "the response")),
        recorded_at=_text(item, "recorded_at") or "",
        recorded_by=_text(item, "recorded_by"),
    )


def _request(fields: Mapping[str, Any]) -> Request:
    refuse_unknown(fields, REQUEST, "a request")
    _need(fields, ("method", "url"), "the request")
    body = bodies.read(fields)
    return Request(
        _text(fields, "method") or "",
        _text(fields, "url") or "",
        headers=headers(fields),
        body=body if isinstance(body, bytes) else body(),
    )


def _response(fields: Mapping[str, Any]) -> Response:
    refuse_unknown(fields, RESPONSE, "a response")
    _need(fields, ("ended",), "the response")
    ended = fields["ended"]
    if ended not in _ENDS:
        raise _wrong(fields, "ended", f"one of {', '.join(_ENDS)}", ended)
    if ended == "failed":
        _need(fields, ("error",), "the response")
    status = fields.get("status")
    if status is not None and not (type(status) is int and 100 <= status <= 999):
        raise _wrong(fields, "status", "a number from 100 to 999", status)
    after = fields.get("headers_after")
    if after is not None and not (type(after) is int and after >= 0):
        raise _wrong(fields, "headers_after", "a number of milliseconds", after)
    version = _text(fields, "http_version")
    return LazyResponse.of(
        Source(bodies.read(fields), _pieces(fields)),
        status=status,
        headers=headers(fields),
        headers_after=after,
        http_version="HTTP/1.1" if version is None else version,
        ended=ended,
        error=error(fields),
    )


def _pieces(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("pieces")
    if value is None:
        return None
    if isinstance(value, str):
        if is_timeline(value):
            return value
        words = " ".join(value.split())
        if is_timeline(words):
            return words
    raise _wrong(fields, "pieces", "words of ms+bytes, such as 312+50 330+49", value)


def headers(fields: Mapping[str, Any]) -> Headers:
    """Read the field ``headers``.

    Args:
        fields: Those of a request or a response.

    Raises:
        Flaw: It is not what it must be.
    """
    if fields.get("headers") is None:
        return ()
    given = _mapping(fields, "headers", "'headers'")
    out = []
    for name, values in given.items():
        for value in values if isinstance(values, list) else (values,):
            if not isinstance(value, str):
                raise _wrong(given, name, "text, or a list of text", values, quotes=True)
            out.append((name.lower(), value))
    return tuple(out)


def error(fields: Mapping[str, Any]) -> Failure | None:
    """Read the field ``error``.

    Args:
        fields: Those of a response.

    Raises:
        Flaw: It is not what it must be.
    """
    if fields.get("error") is None:
        return None
    given = _mapping(fields, "error", "'error'")
    refuse_unknown(given, ERROR, "an error")
    if "type" not in given:
        raise Flaw(given, None, "the error has no field 'type'", missing=True)
    _need(given, ("message",), "the error")
    return Failure(_text(given, "type"), _text(given, "message") or "", _text(given, "category"))


def _text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(fields, key, "text", value, quotes=True)
    return value


def _need(fields: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
    for key in keys:
        if key not in fields or (fields[key] is None and key != "error"):
            raise Flaw(fields, None, f"{what} has no field {key!r}", missing=True)


def _mapping(within: Any, key: str | int, what: str) -> Mapping[str, Any]:
    value = within[key]
    if isinstance(value, dict):
        return value
    if value is None:
        raise Flaw(within, key, f"{what} is empty", missing=True)
    raise _wrong(within, key, "a mapping", value)


def _wrong(within: Any, key: str | int, expected: str, got: Any, *, quotes: bool = False) -> Flaw:
    name = repr(key) if isinstance(key, str) else "the interaction"
    scalar = got is None or isinstance(got, (bool, int, float))
    fix = f'put it in quotes: "{got}"' if quotes and scalar else f"make it {expected}"
    shown = reprlib.repr(got) if not isinstance(got, (dict, list)) else type(got).__name__
    return Flaw(
        within,
        key,
        f"{name} is not what it must be",
        facts=[f"expected: {expected}", f"got:      {shown}"],
        fix=fix,
    )
