"""Read fields of JSON of unknown shape without errors.

Providers add, omit and null fields as they like, and a cassette may hold any bytes at all; so
nothing here raises.
"""

from __future__ import annotations

import json
from typing import Any

Table = dict[str, Any]

_BLANK = 4096  # bytes that may be white space
_BEGINNINGS = (b"", *(sign.encode() for sign in '{["-0123456789tfn'))


def may_be_json(body: bytes) -> bool:
    """Return whether `body` begins as JSON does, to spare the decoding of what does not."""
    return body[:_BLANK].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in _BEGINNINGS


def load_json(text: str | bytes) -> Any:
    """Return what JSON means; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def dump_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "..."


def as_dict(value: object) -> Table:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_dicts(value: object) -> list[Table]:
    """Return the objects of the list `value`; none if it is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def as_int(value: object, otherwise: int = 0) -> int:
    """Return `value` if it is a whole number, else `otherwise`."""
    return value if isinstance(value, int) else otherwise


def as_str(value: object) -> str:
    """Return `value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or parts of which some have a ``text``."""
    return as_str(content) or "".join(as_str(part.get("text")) for part in as_dicts(content))
