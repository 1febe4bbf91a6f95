"""Adding up what rounds cost."""

from __future__ import annotations

from typing import Any

__all__ = ["added"]


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Add the numbers of two usages, field by field, those within fields too.

    What is no number is taken from the later one, where it says anything.

    Example:
        >>> added({"tokens": 1, "details": {"cached": 2}}, {"tokens": 3, "details": {"cached": 4}})
        {'tokens': 4, 'details': {'cached': 6}}
    """
    return {name: _added(one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}


def _added(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, dict) and isinstance(other, dict):
        return added(one, other)
    if _is_number(one) and _is_number(other):
        return one + other
    return other


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
