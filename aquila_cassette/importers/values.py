"""Read the YAML, headers, bodies and times that other recorders write.

Their YAML has aliases, and Python's tags. Nothing that a tag names is imported, looked up or called:
a table says of each known tag what its node holds, and any other tag is refused.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlunsplit

from aquila_cassette.content_encoding import decode_pieces, most_of
from aquila_cassette.model import Headers, Interaction, Response
from aquila_cassette.redaction.rules import FRAMING
from aquila_cassette.storage.bodies import LazyResponse
from aquila_cassette.storage.format import unfolded, unsendable
from aquila_cassette.storage.yaml_reader import Composer, Map, SchemaError, YamlError, line_of

_MAX_DEPTH = 128
_YAML = "tag:yaml.org,2002:"


# Fields.


def read_each(items: Sequence[Any], read: Callable[[Any], Interaction]) -> tuple[Interaction, ...]:
    """Read the interactions of a file; SchemaError with the place of one that is damaged."""
    found = []
    for place, item in enumerate(items):
        try:
            found.append(read(item))
        except Exception as error:  # whatever a file may hold
            problem = f"interaction {place + 1} cannot be read"
            facts = [f"{type(error).__name__}: {error}"]
            raise SchemaError(items, place, problem, facts=facts) from error
    return tuple(found)


def text(within: Mapping[str, Any], key: str) -> str:
    value = within[key]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise TypeError(f"{key!r} is no text")
    return value


def status(value: Any) -> int:
    code = int(value)
    if not 200 <= code <= 999:
        raise ValueError(f"the status {code} is not from 200 to 999")
    return code


def headers(value: Any) -> Headers:
    """Return the fields of a mapping of names and values, or of a list of pairs or lines.

    What is no header is skipped, as other recorders do.
    """
    given: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        given = list(value.items())
    elif isinstance(value, list):
        given = list(map(_pair, value))
    return tuple(
        (_word(name), _word(one))
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
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def as_bytes(value: Any) -> bytes:
    """Return the bytes of a text, bytes, nothing, or a list of these."""
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode("utf-8", "surrogatepass")
        case list():
            return b"".join(map(as_bytes, value))
    raise TypeError(f"a body is a {type(value).__name__}")


def from_base64(value: str | bytes) -> bytes:
    if isinstance(value, bytes):  # its tag said so
        return value
    return base64.b64decode("".join(value.split()), validate=True)


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
    given = tuple((name, unfolded(value)) for name, value in given)
    for name, value in given:
        if why := unsendable(name, value):
            raise ValueError(f"the header {name!r} {why}")
    kept = [pair for pair in given if pair[0].lower() not in FRAMING - {"content-length"}]
    encoding = ", ".join(value for name, value in given if name.lower() == "content-encoding")
    if encoding and body:  # its length was that of the encoded body
        kept = [pair for pair in kept if pair[0].lower() != "content-length"]
    if encoding and not decoded:
        plain = decode_pieces(encoding, [body])
        if plain is not None:
            (body,) = plain
        elif decode_pieces(encoding, []) is None:  # nobody here can decode it; the reader may
            kept.append(("content-encoding", encoding))
    return LazyResponse.of(body, pieces, status=code, headers=tuple(kept), **more)


def timestamp(value: Any, received: Headers = ()) -> str:
    """Return a time in ISO 8601, or else the date of the response, as ``recorded_at`` has it."""
    date = next((one for name, one in received if name.lower() == "date"), "")
    try:
        at = (
            datetime.fromisoformat(value) if isinstance(value, str) else parsedate_to_datetime(date)
        )
        return f"{at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        return ""


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


class LenientReader(Composer):
    """Reads the first document of a text, with its aliases and tags; None if it is empty."""

    def __init__(self, text: bytes, plain: Callable[[str], Any]) -> None:
        super().__init__(text)
        self._plain = plain
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = (
            0  # characters, those of aliases as often as they occur, and one for each value
        )
        self._most = most_of(len(text))

    def value(self, event: Any, depth: int) -> Any:
        before = self._size
        kind = event.__class__
        if kind is self.alias:
            if event.anchor not in self._anchors:
                problem = f"*{event.anchor} is within what it names, or names nothing"
                raise YamlError(problem, line_of(event))
            value, size = self._anchors[event.anchor]
            self._grow(size, event)
            return value
        self._grow(1, event)
        if depth == _MAX_DEPTH:
            problem = f"mappings and lists are nested more than {_MAX_DEPTH} deep"
            raise YamlError(problem, line_of(event))
        if kind is self.scalar:
            value = self._scalar(event)
        else:
            is_map = kind is self.map_start
            value = self._map(event, depth) if is_map else self.read_list(event, depth)
            if event.tag is not None:
                value = _make(event, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._size - before
        return value

    def _grow(self, size: int, event: Any) -> None:
        self._size += size
        if self._size > self._most:
            problem = f"written out, its aliases have more than {self._most} characters"
            raise YamlError(problem, line_of(event))

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        self._grow(len(text), event)
        if event.tag is None or event.tag == "!":
            return self._plain(text) if event.implicit[0] else text
        return _make(event, text)

    def _map(self, event: Any, depth: int) -> Map:
        out = Map(line_of(event))
        while (event := self.next_event()).__class__ is not self.map_end:
            key = self.value(event, depth + 1)
            if isinstance(key, (dict, list)):
                raise YamlError("a mapping or list is used as a key", line_of(event))
            out.lines[key] = line_of(event)
            out[key] = self.value(self.next_event(), depth + 1)  # of equal keys the last, as PyYAML
        return out


def _make(event: Any, value: Any) -> Any:
    """Return what a node of this tag and `value` holds."""
    tag = event.tag.replace(_YAML, "!!")  # in Ruby's files they have one "!" only
    try:
        return (_first if tag.endswith(".istr") else _TAGS[tag.lstrip("!")])(value)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        fix = "take the tag out, and write the value as plain text"
        raise YamlError(f"the tag {tag} is not allowed here", line_of(event), fix=fix) from error


# What the nodes of known tags hold. None of these functions makes an object of the tag's class.


def _itself(value: Any) -> Any:
    return value


def _first(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("args") or value.get("state")
    return value[0]


def _bytes_io(value: Any) -> bytes:
    data = (value.get("state") or [b""])[0] or b""
    return data.encode() if isinstance(data, str) else data


def _pairs(value: Any) -> Any:
    """Return what a OrderedDict is made of."""
    return dict(_first(value or [[]]))


def _headers(value: Any) -> Any:
    """Return the headers of requests and vcrpy (``_store``), or of urllib3: name and all values."""
    if "_store" in value:  # the names as they were written
        return dict(value["_store"].values())
    return {names[0]: list(names[1:]) for names in value["_container"].values()}


_TAGS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(["str", "timestamp", "python/str", "python/unicode"], str),
    **dict.fromkeys(["binary", "python/bytes"], from_base64),
    **dict.fromkeys(["null", "python/none"], lambda _: None),
    **dict.fromkeys(["bool", "int", "float"], plain_1_1),
    **dict.fromkeys(["python/bool", "python/int", "python/long", "python/float"], plain_1_1),
    **dict.fromkeys(["map", "seq", "python/dict", "python/list", "python/tuple"], _itself),
    "python/object/apply:collections.OrderedDict": _pairs,
    "python/object/apply:builtins.iter": lambda value: value["args"][0],
    "python/object/new:_io.BytesIO": _bytes_io,
    "python/object:requests.structures.CaseInsensitiveDict": _headers,
    "python/object:vcr.util.CaseInsensitiveDict": _headers,
    "python/object:vcr.request.HeadersDict": _headers,
    "python/object:urllib3._collections.HTTPHeaderDict": _headers,
    "python/object/new:urllib3._collections.HTTPHeaderDict": _headers,
    "python/object/apply:http.HTTPStatus": _first,
    "python/object/new:yarl.URL": _first,
    "python/object/new:yarl._url.URL": _first,
    "python/object/new:urllib.parse.SplitResult": lambda value: urlunsplit(map(str, value)),
}
