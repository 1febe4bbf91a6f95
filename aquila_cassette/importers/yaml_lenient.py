r"""YAML as other recorders write it: aliases, and Python's tags where they are only data.

Nothing that a tag names is imported, looked up or called: a table says of each known tag what its
node holds, and any other tag is refused.

Example:
    >>> compose("a: &x !!python/unicode 'b'\nc: *x\nd: !!binary aGk=\n", plain=str)
    {'a': 'b', 'c': 'b', 'd': b'hi'}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlunsplit

from aquila_cassette.storage.yaml_reader import Composer, Map, YamlError, line_of

Plain = Callable[[str], Any]
"""Returns what a scalar without quotes means."""

_MAX_DEPTH = 128
_MAX_VALUES = 5_000_000  # aliases counted as often as they occur: a few lines can make billions
_YAML = "tag:yaml.org,2002:"
_PYTHON = f"{_YAML}python/"


@lru_cache(4096)
def plain_1_1(text: str) -> Any:
    """Return what `text` means to PyYAML as a plain scalar; a date is the text that it looks like.

    Example:
        >>> [plain_1_1(text) for text in ("200", "1e5", "1.0e+5", "no", "~", "2026-11-22")]
        [200, '1e5', 100000.0, False, None, '2026-11-22']
    """
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    tag: str = resolver.resolve(yaml.ScalarNode, text, (True, False))
    if tag.removeprefix(_YAML) not in ("null", "bool", "int", "float"):
        return text
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))


def compose(text: str, *, plain: Plain) -> Any:
    """Read the first document of `text`, None if it is empty; YamlError if it is not such YAML."""
    return _Lenient(text, plain).document()


class _Lenient(Composer):
    def __init__(self, text: str, plain: Plain) -> None:
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
    except (LookupError, TypeError, ValueError) as error:
        raise YamlError(f"this is not what {shown} holds", line_of(event)) from error


# What the nodes of known tags hold. None of these functions makes an object of the tag's class.


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


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
    if isinstance(value, dict) and isinstance(value.get("_store"), dict):
        return {pair[0]: pair[1] for pair in value["_store"].values()}
    return value


def _container(value: Any) -> Any:
    """Return urllib3's headers: ``_container`` has a list of the name and all values."""
    if isinstance(value, dict) and isinstance(value.get("_container"), dict):
        return {names[0]: list(names[1:]) for names in value["_container"].values()}
    return value


def _url(value: Any) -> str:
    state = _first(value)
    return state if isinstance(state, str) else _split_url(state)


def _split_url(value: Any) -> str:
    return urlunsplit([str(part) for part in value])


_SCALARS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(["str", "timestamp", "python/str", "python/unicode"], str),
    **dict.fromkeys(["binary", "python/bytes"], _base64),
    **dict.fromkeys(["null", "python/none"], lambda _: None),
    **dict.fromkeys(["bool", "int", "float"], plain_1_1),
    **dict.fromkeys(["python/bool", "python/int", "python/long", "python/float"], plain_1_1),
}
_COLLECTIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(["map", "seq", "python/dict", "python/list", "python/tuple"], _itself),
    "python/object:vcr.request.Request": _itself,
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
    "python/object/new:yarl.URL": _url,
    "python/object/new:yarl._url.URL": _url,
    "python/object/new:urllib.parse.SplitResult": _split_url,
}
