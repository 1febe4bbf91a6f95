"""Reading JSON that may be anything: each accessor gives the type it names, empty if there is none.

Providers add, omit and null fields as they like, and a recording may hold any bytes at all; so
nothing here raises.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["compact", "load", "rows", "table", "whole", "words"]

Table = dict[str, Any]


def load(text: str | bytes) -> Any:
    r"""Parse JSON, or give None.

    Args:
        text: The JSON text, in UTF-8 where it is bytes.

    Example:
        >>> load('{"a": [1]}'), load("{"), load(b"\xff")
        ({'a': [1]}, None, None)
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def compact(value: object) -> str:
    """Write `value`, which came from JSON, as JSON in one line.

    Example:
        >>> compact({"city": "Malmö"})
        '{"city": "Malmö"}'
    """
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "..."


def table(value: object) -> Table:
    """Give `value` if it is an object, else an empty one.

    Example:
        >>> table({"a": 1}), table(None)
        ({'a': 1}, {})
    """
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Table]:
    """Give the objects of the list `value`; none if it is no list.

    Example:
        >>> rows([{"a": 1}, 2]), rows("ab")
        ([{'a': 1}], [])
    """
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def whole(value: object, otherwise: int = 0) -> int:
    """Give `value` if it is a whole number, else `otherwise`.

    Example:
        >>> whole(2), whole(None), whole("2", 7)
        (2, 0, 7)
    """
    return value if isinstance(value, int) else otherwise


def words(value: object) -> str:
    """Give `value` if it is a string, else an empty one.

    Example:
        >>> words("a"), words(None)
        ('a', '')
    """
    return value if isinstance(value, str) else ""
