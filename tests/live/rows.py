"""Which test proves which row of the checklist that this project was created from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

__all__ = ["ROWS", "seed_row"]

F = TypeVar("F", bound=Callable[..., object])

ROWS: dict[int, list[str]] = defaultdict(list)
"""The tests of each row, as far as their modules were imported."""


def seed_row(*numbers: int) -> Callable[[F], F]:
    """Name the rows that a test proves; the test stays as it is."""

    def name(test: F) -> F:
        for number in numbers:
            ROWS[number].append(f"{test.__module__}::{test.__qualname__}")
        return test

    return name
