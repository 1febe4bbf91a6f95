"""Values that became others, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.transcript.comparison.result import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aquila_cassette.model import Headers

__all__ = ["changed", "headers_changed"]


def changed(rows: Iterable[tuple[str, str | None, str | None]]) -> list[Value]:
    """Give those of `rows` (name, old and new value) that changed; an empty value is none.

    Example:
        >>> changed([("model", "a", "a"), ("", "stop", "")])
        [Value(name='', old='stop', new=None)]
    """
    return [
        Value(name, old or None, new or None) if old or new else Value(name, repr(old), repr(new))
        for name, old, new in rows
        if old != new
    ]


def headers_changed(
    old: Headers, new: Headers, *, is_noise: Callable[[str], bool], everything: bool
) -> list[Value]:
    """Compare the headers of two messages.

    Args:
        old: Those of the older one.
        new: Those of the newer one.
        is_noise: Whether a header of that name differs each time.
        everything: Whether those count, too, and the order of all.
    """
    was, now = _joined(old), _joined(new)
    names = [name for name in {**was, **now} if everything or not is_noise(name)]
    found = changed((name, was.get(name), now.get(name)) for name in names)
    if everything and not found and old != new:
        found = [
            Value(
                "order",
                ", ".join(f"{a}: {b}" for a, b in old),
                ", ".join(f"{a}: {b}" for a, b in new),
            )
        ]
    return found


def _joined(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
