"""The state of a view or component: names with values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aquila_cassette.errors import UsageError

__all__ = ["Assigns"]


class Assigns(Mapping[str, Any]):
    """A mapping whose values can be had as attributes too; `assign` and `update` change it.

    Example:
        >>> assigns = Assigns()
        >>> assigns._set({"loading": False})
        >>> assigns.loading, assigns["loading"], dict(assigns)
        (False, False, {'loading': False})
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            known = ", ".join(map(repr, self._values)) or "nothing"
            raise AttributeError(f"{name!r} is not assigned; {known} is")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Assigns({self._values!r})"

    def _set(self, values: Mapping[str, Any]) -> None:
        for name in values:
            if hasattr(Mapping, name):
                raise UsageError(
                    f"{name!r} cannot be assigned: assigns.{name} is a method.",
                    fix=f"Call it otherwise: all_{name}",
                )
        self._values.update(values)
