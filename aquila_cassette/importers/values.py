"""Read the YAML, headers, bodies and times that other recorders write.

Their YAML has aliases, and Python's tags. Nothing that a tag names is imported, looked up or called:
a table says of each known tag what its node holds, and any other tag is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlunsplit

from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.model import Headers, Response
from aquila_cassette.redaction.rules import FRAMING
from aquila_cassette.storage.bodies import LazyResponse
from aquila_cassette.storage.yaml_reader import Composer, Map, SchemaError, YamlError, line_of

_MAX_DEPTH = 128
_MAX_VALUES = 5_000_000  # aliases counted as often as they occur: a few lines can make billions
_YAML = "tag:yaml.org,2002:"
_PYTHON = f"{_YAML}python/"


# Fields.


def mapping(within: Any, key: str | int, what: str) -> Mapping[str, Any]:
    try:
        value = within[key]
    except (KeyError, IndexError):
        raise SchemaError(within, None, f"{what} is missing", missing=True) from None
    if not isinstance(value, Mapping):
        raise _wrong(within, key, what, "a mapping", _kind(value))
    return value


def text(within: Mapping[str, Any], key: str, what: str) -> str:
    """Return the text at `key`; `what` it is a field of, for the error."""
    if key not in within:
        raise SchemaError(within, None, f"{what} has no field {key!r}", missing=True)
    value = within[key]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise _wrong(within, key, repr(key), "text", _kind(value))
    return value


def status(within: Mapping[str, Any], key: str, value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 100 <= value <= 999:
        raise _wrong(within, key, "the status", "a number from 100 to 999", repr(value))
    return value


def _wrong(within: Any, key: str | int, what: str, expected: str, got: str) -> SchemaError:
    facts = [f"expected: {expected}", f"got:      {got}"]
    return SchemaError(within, key, f"{what} has a wrong value", facts=facts)


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__.lower()


def headers(value: Any) -> Headers:
    """Return the fields of a mapping of names and values, or of a list of pairs or lines.

    What is no header is skipped, as other recorders do.
    """
    given: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        given = list(value.items())
    elif isinstance(value, list):
        given = [_pair(one) for one in value]
    return tuple(
        (_word(name).lower(), _word(one))
        for name, values in given
        for one in (values if isinstance(values, list) else (values,))
        if one is not None
    )


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    if isinstance(value, Mapping):
        return value.get("name", ""), value.get("value")
    name, colon, rest = _word(value).partition(":")
    return name.strip(), rest.strip() if colon else None


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def as_bytes(value: Any) -> bytes | None:
    """Return the bytes of a text, bytes, nothing, or a list of these; None for anything else."""
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode("utf-8", "surrogatepass")
        case list():
            parts = [as_bytes(one) for one in value]
            return None if None in parts else b"".join([one for one in parts if one])
        case _:
            return None


def json_bytes(within: Any, key: str) -> bytes:
    """Return the value at `key` as JSON, as recorders that keep it parsed write it on replay."""
    try:
        return json.dumps(within[key]).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(within, key, f"{key!r} holds what JSON cannot hold") from error


def from_base64(within: Mapping[str, Any], key: str) -> bytes:
    value = within[key]
    if isinstance(value, bytes):
        return value
    try:
        return _decode_base64(str(value))
    except ValueError as error:
        raise SchemaError(within, key, f"{key!r} is not base64") from error


def _decode_base64(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def response(
    code: int | None,
    given: Headers,
    body: bytes,
    *,
    decoded: bool = False,
    pieces: str | None = None,
    **more: Any,
) -> Response:
    """Return a response as ours are recorded: decoded, without headers of one connection.

    `decoded` says that the body is, whatever the headers say; `pieces` is what ``pieces:`` says.
    """
    kept = [pair for pair in given if pair[0] not in FRAMING]
    encoding = ", ".join(value for name, value in given if name == "content-encoding")
    if encoding and not decoded:
        plain = decode_pieces(encoding, [body])
        if plain is not None:
            (body,) = plain
        elif decode_pieces(encoding, []) is None:  # nobody here can decode it; the reader may
            kept.append(("content-encoding", encoding))
    return LazyResponse.of(body, pieces, status=code, headers=tuple(kept), **more)


def timestamp(value: Any, received: Headers = ()) -> str:
    """Return a time in ISO 8601, or else the date of the response, as ``recorded_at`` has it."""
    at = None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif found := next((one for name, one in received if name == "date"), None):
            at = parsedate_to_datetime(found)
        if at is None:
            return ""
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{at.replace(tzinfo=None, microsecond=0).isoformat()}Z"


# Their YAML.


@lru_cache(4096)
def plain_1_1(text: str) -> Any:
    """Return what `text` means to PyYAML as a plain scalar; a date is the text that it looks like."""
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    tag: str = resolver.resolve(yaml.ScalarNode, text, (True, False))
    if tag.removeprefix(_YAML) not in ("null", "bool", "int", "float"):
        return text
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))


def read_yaml(text: str, *, plain: Callable[[str], Any]) -> Any:
    """Read the first document of `text`, None if it is empty; YamlError if it is not such YAML."""
    return _Lenient(text, plain).document()


class _Lenient(Composer):
    def __init__(self, text: str, plain: Callable[[str], Any]) -> None:
        super().__init__(text)
        self._plain = plain
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def value(self, event: Any, depth: int) -> Any:
        before = self._values
        self._count(1, event)
        kind = event.__class__
        if kind is self.alias:
            if event.anchor not in self._anchors:
                problem = f"*{event.anchor} is within what it names, or names nothing"
                raise YamlError(problem, line_of(event))
            value, size = self._anchors[event.anchor]
            self._count(size, event)
            return value
        if depth == _MAX_DEPTH:
            problem = f"mappings and lists are nested more than {_MAX_DEPTH} deep"
            raise YamlError(problem, line_of(event))
        if kind is self.scalar:
            value = self._scalar(event)
        else:
            is_map = kind is self.map_start
            value = self._map(event, depth) if is_map else self.read_list(event, depth)
            if event.tag is not None:
                value = _make(event, _COLLECTIONS, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _count(self, number: int, event: Any) -> None:
        self._values += number
        if self._values > _MAX_VALUES:
            problem = f"written out, the file has more than {_MAX_VALUES} values"
            raise YamlError(problem, line_of(event))

    def _scalar(self, event: Any) -> Any:
        text = self.text_of(event)
        if event.tag is None or event.tag == "!":
            return self._plain(text) if event.implicit[0] else text
        return _make(event, _SCALARS, text)

    def _map(self, event: Any, depth: int) -> Map:
        out = Map(line_of(event))
        while (event := self.next_event()).__class__ is not self.map_end:
            key = self.value(event, depth + 1)
            if isinstance(key, (dict, list)):
                raise YamlError("a mapping or list is used as a key", line_of(event))
            out.lines[key] = line_of(event)
            out[key] = self.value(self.next_event(), depth + 1)  # of equal keys the last, as PyYAML
        return out


def _make(event: Any, makers: dict[str, Callable[[Any], Any]], value: Any) -> Any:
    """Return what a node of this tag and `value` holds."""
    tag = event.tag.removeprefix(_YAML)
    shown = f"!!{tag}" if event.tag.startswith(_YAML) else tag
    make = _first if makers is _COLLECTIONS and tag.endswith(".istr") else makers.get(tag)
    if make is None:
        is_code = event.tag.startswith(_PYTHON)
        facts = ["it names Python code, which is never run"] if is_code else []
        fix = "take the tag out, and write the value as plain text"
        raise YamlError(f"the tag {shown} is not allowed", line_of(event), facts=facts, fix=fix)
    try:
        return make(value)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise YamlError(f"this is not what {shown} holds", line_of(event)) from error


# What the nodes of known tags hold. None of these functions makes an object of the tag's class.


def _first(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("args") or value.get("state")
    return value[0]


def _bytes_io(value: Any) -> bytes:
    data = (value.get("state") or [b""])[0] or b""
    return data.encode() if isinstance(data, str) else data


def _pairs(value: Any) -> Any:
    """Return what a dict, a frozenset of pairs or an OrderedDict is made of."""
    while isinstance(value, list) and len(value) == 1 and _are_pairs(value[0]):
        value = value[0]
    return dict(value) if _are_pairs(value) else value


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in value
    )


def _insensitive(value: Any) -> Any:
    """Return requests' and vcrpy's dicts of headers: ``_store`` has names as they were written."""
    return dict(value["_store"].values())


def _container(value: Any) -> Any:
    """Return urllib3's headers: ``_container`` has a list of the name and all values."""
    return {names[0]: list(names[1:]) for names in value["_container"].values()}


def _split_url(value: Any) -> str:
    return urlunsplit([str(part) for part in value])


_SCALARS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(["str", "timestamp", "python/str", "python/unicode"], str),
    **dict.fromkeys(["binary", "python/bytes"], _decode_base64),
    **dict.fromkeys(["null", "python/none"], lambda _: None),
    **dict.fromkeys(["bool", "int", "float"], plain_1_1),
    **dict.fromkeys(["python/bool", "python/int", "python/long", "python/float"], plain_1_1),
}
_COLLECTIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ["map", "seq", "python/dict", "python/list", "python/tuple"], lambda value: value
    ),
    "python/object:vcr.request.Request": lambda value: value,
    "python/object/apply:__builtin__.frozenset": _pairs,
    "python/object/apply:builtins.frozenset": _pairs,
    "python/object/apply:collections.OrderedDict": _pairs,
    "python/object/apply:builtins.iter": lambda value: value["args"][0],
    "python/object/new:_io.BytesIO": _bytes_io,
    "python/object:requests.structures.CaseInsensitiveDict": _insensitive,
    "python/object:vcr.util.CaseInsensitiveDict": _insensitive,
    "python/object:vcr.request.HeadersDict": _insensitive,
    "python/object:urllib3._collections.HTTPHeaderDict": _container,
    "python/object/new:urllib3._collections.HTTPHeaderDict": _container,
    "python/object/apply:http.HTTPStatus": _first,
    "python/object/new:yarl.URL": _first,
    "python/object/new:yarl._url.URL": _first,
    "python/object/new:urllib.parse.SplitResult": _split_url,
}
