"""Which test proves which row of the checklist that this project was created from."""

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def seed_row(*_numbers: int) -> Callable[[F], F]:
    """Name the rows that a test proves, for test_checklist.py; the test stays as it is."""
    return lambda test: test
