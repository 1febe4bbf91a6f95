"""How a job ended: frozen dataclasses that match well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from aquila_cassette.errors import StreamError

__all__ = ["Completed", "Exited", "Failed", "Outcome"]


@dataclass(frozen=True)
class Completed:
    """The job returned.

    Args:
        value: What it returned.

    Example:
        >>> match Completed(("a ref", "Hello")):
        ...     case Completed((ref, text)):
        ...         print(text)
        Hello
    """

    value: Any


@dataclass(frozen=True)
class Failed:
    """The job's stream ended without a real completion.

    Args:
        error: What was raised; its `reason`, `kind` and `text` say more.
    """

    error: StreamError


@dataclass(frozen=True)
class Exited:
    """The job raised anything else, or was cancelled.

    Args:
        reason: The exception, or what `cancel_async` was told.
    """

    reason: Any


Outcome: TypeAlias = Completed | Failed | Exited
"""How a job ended."""
