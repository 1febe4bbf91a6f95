r"""A body and the fields that hold it: the most readable form that gives back exactly its bytes.

Example:
    >>> print("\n".join(lines(b'{"model":"m","stop":[1,2]}', 2, event_stream=False)))
      json:
        model: m
        stop: [1, 2]
    >>> read({"json": {"model": "m", "stop": [1, 2]}})
    b'{"model":"m","stop":[1,2]}'
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from typing import TYPE_CHECKING, Any

from aquila_cassette.storage import yaml_writer
from aquila_cassette.storage.yaml_reader import SchemaError, YamlBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORMS = ("json", "sse", "text", "base64")
_EXTRAS = {"json_style": ("json",), "eol": ("sse", "text")}
FIELDS = (*_FORMS, *_EXTRAS)
"""The fields that hold a body: one of the first four, and what may go with it."""

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
"""The ways of writing JSON that `json_style` names; the first is the default."""

# A structure is slow to load, a text is not, and nobody reads a thousand values of an embedding.
_JSON_BYTES = 64 * 1024
_JSON_VALUES = 1000
_JSON_DEPTH = 20
_KEY_LENGTH = 200

_LINE = 90  # characters of text that stay on the line of their key
_BASE64_LINE = 76
# One character in eight escaped, and base64 is no harder to read.
_ESCAPED_SHARE = 8


def lines(body: bytes, indent: int, *, event_stream: bool) -> list[str]:
    """Return the fields that hold `body`, as lines of YAML.

    Args:
        body: The body; an empty one has no fields.
        indent: Spaces before each field.
        event_stream: Whether it is of the type ``text/event-stream``.
    """
    if not body:
        return []
    pad = " " * indent
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _base64_lines(body, indent)
    if structure := _as_json(text):
        style, value = structure
        first = [] if style == "compact" else [f"{pad}json_style: {style}"]
        if isinstance(value, dict) and value:
            # Never on one line: each field of a request has a line of its own in a diff.
            return [*first, f"{pad}json:", *yaml_writer.fields(value, indent + 2)]
        return [*first, *yaml_writer.field("json", value, indent)]
    first = []
    if "\r" in text:
        lf = text.replace("\r\n", "\n")
        if "\r" not in lf and lf.count("\n") == len(text) - len(lf):
            first, text = [f"{pad}eol: crlf"], lf
    head = f"{pad}{'sse' if event_stream else 'text'}: "
    unsafe = yaml_writer.unsafe(text.encode() if first else body)
    if not unsafe and text.strip(" \t\n"):
        if not event_stream and "\n" not in text and len(text) <= _LINE:
            return [*first, head + yaml_writer.scalar(text)]
        return [*first, *yaml_writer.literal(text, indent + 2, head)]
    if unsafe * _ESCAPED_SHARE <= len(text):
        return [*first, head + yaml_writer.quoted_lines(text, indent + 2)]
    return _base64_lines(body, indent)


def _base64_lines(body: bytes, indent: int) -> list[str]:
    text = base64.b64encode(body).decode()
    starts = range(0, len(text), _BASE64_LINE)
    wrapped = "\n".join([text[start : start + _BASE64_LINE] for start in starts])
    return yaml_writer.literal(wrapped, indent + 2, f"{' ' * indent}base64: ")


def _as_json(text: str) -> tuple[str, Any] | None:
    """Return the style and the value that give back `text`, if it is a small JSON structure."""
    if text[0] not in "{[" or len(text) > _JSON_BYTES:
        return None
    try:
        value = json.loads(text)
        # YAML cannot hold the lone surrogates that an escape in JSON may stand for.
        STYLES["compact"](value).encode()
    except (ValueError, RecursionError):
        return None
    if not _is_small(value):
        return None
    return next(((name, value) for name, style in STYLES.items() if style(value) == text), None)


def _is_small(value: Any) -> bool:
    count, level = 0, [value]
    for _ in range(_JSON_DEPTH):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                if any(len(key) > _KEY_LENGTH for key in one):
                    return False
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        count += len(level)
        if count > _JSON_VALUES:
            return False
        if not inner:
            return True
        level = inner
    return False


def read(fields: Mapping[str, Any]) -> bytes | Callable[[], bytes]:
    """Return the body that `fields` of a request or response hold, or for a text what gives it.

    Raises:
        SchemaError: They hold two bodies, or none that can be read.
    """
    held = [form for form in _FORMS if form in fields]
    if len(held) > 1:
        problem = f"there are two bodies, {held[0]!r} and {held[1]!r}"
        raise SchemaError(fields, held[1], problem, fix="take one of the two out")
    for key, forms in _EXTRAS.items():
        if key in fields and not set(forms).intersection(held):
            problem = f"{key!r} goes with {' or '.join(map(repr, forms))}, which is missing"
            raise SchemaError(fields, key, problem, fix="take it out")
    if not held:
        return b""
    (form,) = held
    if form == "json":
        return _from_json(fields)
    value = fields[form]
    if not isinstance(value, (str, YamlBlock)):
        facts = [f"got: {value!r}"]
        raise SchemaError(
            fields, form, f"{form!r} must be text", facts=facts, fix="put it in quotes"
        )
    if form == "base64":
        return _from_base64(fields, value)
    eol = fields.get("eol", "lf")
    if eol not in ("lf", "crlf"):
        facts = ["expected: crlf", f"got:      {eol!r}"]
        raise SchemaError(fields, "eol", "'eol' is unknown", facts=facts, fix="write eol: crlf")
    return functools.partial(_encoded, value, crlf=eol == "crlf")


def _encoded(value: str | YamlBlock, *, crlf: bool) -> bytes:
    data = value.encode() if isinstance(value, str) else value.data()
    return data.replace(b"\n", b"\r\n") if crlf else data


def _from_json(fields: Mapping[str, Any]) -> bytes:
    style = fields.get("json_style", "compact")
    encode = STYLES.get(style) if isinstance(style, str) else None
    if encode is None:
        facts = [f"expected: one of {', '.join(STYLES)}", f"got:      {style!r}"]
        problem = "'json_style' is unknown"
        raise SchemaError(fields, "json_style", problem, facts=facts, fix="use one of these")
    try:
        return encode(fields["json"]).encode()
    except ValueError as error:
        problem = "'json' has a number that is too large for JSON"
        raise SchemaError(fields, "json", problem, fix="store the body as text: instead") from error


def _from_base64(fields: Mapping[str, Any], value: str | YamlBlock) -> bytes:
    try:
        return base64.b64decode(b"".join(_encoded(value, crlf=False).split()), validate=True)
    except binascii.Error as error:
        raise SchemaError(fields, "base64", "'base64' is not base64") from error
