"""Choose the field of a body (json, sse, text, base64) and its pieces, and read them back."""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields as fields_of
from functools import cached_property, partial
from itertools import accumulate, chain, repeat
from math import inf
from typing import Any, TypeVar

from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.storage import yaml_writer
from aquila_cassette.storage.yaml_reader import LARGE, SchemaError, YamlBlock, joined

_FORMS = ("json", "sse", "text", "base64")  # a body is in one of these
FIELDS = (*_FORMS, "json_style", "eol")

_SEPARATORS = {
    "compact": (None, (",", ":")),
    "spaced": (None, (", ", ": ")),
    "indent-2": (2, (",", ": ")),
    "indent-4": (4, (",", ": ")),
}
STYLES: dict[str, Callable[[Any], str]] = {
    name + suffix: json.JSONEncoder(
        indent=indent, separators=separators, ensure_ascii=bool(suffix), allow_nan=False
    ).encode
    for suffix in ("", "-ascii")
    for name, (indent, separators) in _SEPARATORS.items()
}
# A structure is slow to load, a text is not, and nobody reads a thousand values of an embedding.
_JSON_BYTES = 64 * 1024
_JSON_VALUES = 1000
_JSON_DEPTH = 20
_KEY_LENGTH = 200

_Choice = TypeVar("_Choice")
_INDENT = 4  # of the fields of a request or response
_PAD = " " * _INDENT
_LINE = 90  # characters of text that stay on the line of their key
_BASE64_LINE = 57  # bytes, which are 76 characters
_BASE64_LINES = 4096  # at a time
_STRETCH = 64 * 1024  # bytes of text, at a time
_SIZE = re.compile(r"\+([0-9]{1,18})")  # of a piece
# One character in eight escaped, and base64 is no harder to read.
_ESCAPED_SHARE = 8


# Writing.


def write(body: bytes, *, event_stream: bool) -> Iterator[bytes | memoryview]:
    """Yield the fields that hold `body` as YAML, in UTF-8 and in parts; an empty one has none."""
    if not body:
        return
    if not is_utf8(body):
        yield from _base64(body)
        return
    is_large = len(body) > LARGE
    text = "" if is_large else body.decode()
    if text and (structure := _as_json(text)):
        style, value = structure
        first = [] if style == "compact" else [f"{_PAD}json_style: {style}"]
        if isinstance(value, dict) and value:
            # Never on one line: each field of a request has a line of its own in a diff.
            json_lines = [f"{_PAD}json:", *yaml_writer.fields(value, _INDENT + 2)]
        else:
            json_lines = yaml_writer.field("json", value, _INDENT)
        yield "\n".join([*first, *json_lines, ""]).encode()
        return
    data = body
    if b"\r" in body:
        lf = body.replace(b"\r\n", b"\n")
        if b"\r" not in lf and lf.count(b"\n") == len(body) - len(lf):
            yield f"{_PAD}eol: crlf\n".encode()
            data = lf
            text = text and lf.decode()
    head = f"{_PAD}{'sse' if event_stream else 'text'}: "
    unsafe = yaml_writer.unsafe(data)
    if not unsafe and data.strip(b" \t\n"):
        if not is_large and not event_stream and "\n" not in text and len(text) <= _LINE:
            yield f"{head}{yaml_writer.scalar(text)}\n".encode()
        else:
            yield from yaml_writer.literal(data, _INDENT + 2, head)
            yield b"\n"
    elif not is_large and unsafe * _ESCAPED_SHARE <= len(text):
        yield f"{head}{yaml_writer.quoted_lines(text, _INDENT + 2)}\n".encode()
    else:
        yield from _base64(body)


def is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _STRETCH):
            decoder.decode(body[start : start + _STRETCH], start + _STRETCH >= len(body))
    except UnicodeDecodeError:
        return False
    return True


def _base64(body: bytes) -> Iterator[bytes]:
    pad = b" " * (_INDENT + 2)
    yield f"{_PAD}base64: |-".encode()
    for start in range(0, len(body), _BASE64_LINE * _BASE64_LINES):
        part = base64.encodebytes(body[start : start + _BASE64_LINE * _BASE64_LINES])
        yield b"\n" + pad + part[:-1].replace(b"\n", b"\n" + pad)
    yield b"\n"


def _as_json(text: str) -> tuple[str, Any] | None:
    """Return the style and the value that give back `text`, if it is a small JSON structure."""
    if text[0] not in "{[" or len(text) > _JSON_BYTES:
        return None
    try:
        value = json.loads(text)
        compact = STYLES["compact"](value)
        compact.encode()  # YAML cannot hold the lone surrogates that an escape may stand for
    except (ValueError, RecursionError):
        return None
    if _count(value) > _JSON_VALUES:
        return None
    if compact == text:
        return "compact", value
    return next(((name, value) for name, style in STYLES.items() if style(value) == text), None)


def _count(value: Any, depth: int = 1) -> float:
    """Return how many values `value` is; infinite if it is too deep, or a key of it is too long."""
    if not isinstance(value, (dict, list)) or not value:
        return 1
    if depth == _JSON_DEPTH or len(value) > _JSON_VALUES:
        return inf
    if isinstance(value, dict) and any(len(key) > _KEY_LENGTH for key in value):
        return inf
    inner = value.values() if isinstance(value, dict) else value
    return 1 + sum(_count(one, depth + 1) for one in inner)


def timeline(response: Response) -> str:
    """Return what ``pieces:`` has of a response: ``at+size``, ms since the request and bytes."""
    line = vars(response).get("_timeline") or ""
    if line and sum(int(size[1]) for size in _SIZE.finditer(line)) == len(response.body):
        return str(line)
    return timed([at for at, _ in response.pieces], response.parts)


def timed(times: Iterable[int], parts: Iterable[bytes]) -> str:
    text = bytearray()
    for at, data in zip(times, parts, strict=True):
        text += b" %d+%d" % (at, len(data))
    return text[1:].decode()


# Reading.


def read(fields: Mapping[str, Any]) -> bytes | Callable[[], bytes]:
    """Return the body that `fields` of a request or response hold, or for a text what gives it."""
    held = [form for form in _FORMS if form in fields]
    if not held:
        return b""
    form, *others = held
    if others:
        problem = f"there are two bodies, {form!r} and {others[0]!r}"
        raise SchemaError(fields, others[0], problem, fix="take one of the two out")
    if form == "json":
        return _from_json(fields)
    value = fields[form]
    if not isinstance(value, (str, YamlBlock)):
        problem = f"{form!r} must be text"
        raise SchemaError(fields, form, problem, facts=[f"got: {value!r}"], fix="put it in quotes")
    if form == "base64":
        try:
            return joined(
                _from_base64([value.encode()] if isinstance(value, str) else value.chunks())
            )
        except binascii.Error as error:
            raise SchemaError(fields, form, "'base64' is not base64") from error
    crlf = _choice(fields, "eol", {"lf": False, "crlf": True})
    return partial(_encoded, value, crlf=crlf)


def _from_base64(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        data = rest + bytes(chunk).translate(None, b" \t\n")
        if rest.endswith(b"=") and data != rest:
            raise binascii.Error("more follows its end")
        end = len(data) // 4 * 4
        rest = data[end - 4 :]  # it may be the end, and have padding
        yield base64.b64decode(data[: end - 4], validate=True)
    yield base64.b64decode(rest, validate=True)


def _encoded(value: str | YamlBlock, *, crlf: bool = False) -> bytes:
    data = value.encode() if isinstance(value, str) else value.data()
    return data.replace(b"\n", b"\r\n") if crlf else data


def _choice(fields: Mapping[str, Any], key: str, choices: Mapping[str, _Choice]) -> _Choice:
    """Return what the value at `key` stands for; the first of `choices` is the default."""
    value = fields.get(key, next(iter(choices)))
    if not isinstance(value, str) or value not in choices:
        facts = [f"expected: one of {', '.join(choices)}", f"got:      {value!r}"]
        problem = f"{key!r} has a wrong value"
        raise SchemaError(fields, key, problem, facts=facts, fix="use one of these")
    return choices[value]


def _from_json(fields: Mapping[str, Any]) -> bytes:
    encode = _choice(fields, "json_style", STYLES)
    try:
        return encode(fields["json"]).encode()
    except ValueError as error:
        problem = "'json' has a number that is too large for JSON"
        raise SchemaError(fields, "json", problem, fix="store the body as text: instead") from error


def is_timeline(text: str) -> bool:
    """Return whether `text` is words of digits with a plus in each, a space between two words."""
    # A regular expression for the same takes ten times as long, and every load pays for it.
    signs = text.encode().translate(None, b"0123456789")
    return signs == b"+ " * (len(signs) // 2) + b"+"


def is_event_stream(message: Request | Response) -> bool:
    """Return whether `message` says that it is ``text/event-stream``."""
    content_type = message.header("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def split_pieces(
    body: bytes, text: str | None, *, event_stream: bool
) -> tuple[Iterable[int], list[bytes]]:
    """Return the times and the bytes of the pieces of `body` that `text`, ``pieces:``, describes.

    Where it is missing, or its sizes no longer add up to the body (which was edited by hand): one
    piece for each frame of an event stream, else one in all; the first at the times that it has,
    the rest at the last of these, or at 0.
    """
    text, start, numbers = text or "", 0, array("Q")
    try:
        while start < len(text):
            end = text.find(" ", start + _STRETCH)
            end = len(text) if end < 0 else end
            numbers.extend(map(int, text[start:end].replace("+", " ").split(" ")))
            start = end + 1
    except (ValueError, OverflowError):  # no digits, or too many
        del numbers[:]
    times = numbers[::2]
    ends = array("Q", accumulate(numbers[1::2]))
    del numbers  # for the sake of memory
    if ends and ends[-1] == len(body):
        return times, list(map(body.__getitem__, map(slice, chain((0,), ends), ends)))
    if not body:
        return (), []
    frames = [body]
    if event_stream:
        from aquila_cassette.sse import split  # not needed to load what was recorded

        frames = list(split(body))
    last = times[-1] if times else 0
    return chain(times[: len(frames) - 1], repeat(last)), frames


def one_at_a_time(interactions: Iterable[Interaction]) -> Iterator[Interaction]:
    """Yield interactions off a file; each lets go of its body when the next one is asked for."""
    for one in interactions:
        yield one
        one.response.forget()


def fingerprint(one: Interaction) -> tuple[object, ...]:
    """Return what only equal interactions have in common, without their bodies."""
    response = one.response
    line = vars(response).get("_timeline") or timeline(response)
    told = line, _rest(response), hashlib.sha256(response.body).digest()
    response.forget()
    return *told, one.request, one.recorded_at, one.recorded_by


def _rest(response: Response) -> dict[str, Any]:
    return {name: getattr(response, name) for name in _NAMES if name != "pieces"}


_NAMES = [field.name for field in fields_of(Response)]


class LazyResponse(Response):
    """A response off a file: its body and pieces are read at their first use.

    A test that replays 2 of 100 recorded streams pays for 2. Copied or pickled, it is a `Response`.
    """

    @classmethod
    def of(
        cls, source: bytes | Callable[[], bytes], timeline: str | None, **values: Any
    ) -> LazyResponse:
        """Return a response of a body or what gives it, of what ``pieces:`` says, and the rest."""
        self = cls(pieces=(), **values)
        vars(self).update(_source=source, _timeline=timeline)
        del vars(self)["pieces"]  # until they are asked for
        return self

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        # tuple.__new__ spares the 200 calls of Piece's own, in Python, for a usual stream.
        return tuple(map(tuple.__new__, repeat(Piece), zip(*self._split(), strict=False)))

    @cached_property
    def parts(self) -> tuple[bytes, ...]:
        """The bytes of each piece; the pieces themselves take three times the memory."""
        if "pieces" in vars(self):
            return super().parts
        return tuple(self._split()[1])

    def _split(self) -> tuple[Iterable[int], list[bytes]]:
        return split_pieces(self.body, vars(self)["_timeline"], event_stream=is_event_stream(self))

    def but(self, **values: Any) -> Response:
        if "_source" not in vars(self):
            return super().but(**values)
        values = _rest(self) | values
        return LazyResponse.of(vars(self)["_source"], vars(self)["_timeline"], **values)

    @cached_property
    def body(self) -> bytes:
        if "_source" not in vars(self):  # dataclasses.replace() made it, and gave it pieces
            return super().body
        source: bytes | Callable[[], bytes] = vars(self)["_source"]
        return source if isinstance(source, bytes) else source()

    def forget(self) -> None:
        super().forget()
        if "_source" in vars(self):
            vars(self).pop("pieces", None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _NAMES)

    __hash__ = Response.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Response, tuple([getattr(self, name) for name in _NAMES])
