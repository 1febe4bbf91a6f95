"""The key that stands where there is none: good enough to build a client with, and never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from aquila_cassette.model import Request

__all__ = ["PLACEHOLDER", "holds_placeholder", "refuse_placeholder"]

PLACEHOLDER = "aquila-placeholder"


def holds_placeholder(request: Request) -> bool:
    """Tell whether `request` would show somebody the placeholder as its key.

    Args:
        request: As it would go out.
    """
    if PLACEHOLDER in request.url:
        return True
    return any(PLACEHOLDER in value for _, value in request.headers)


def refuse_placeholder(request: Request, shown: Request) -> None:
    """Refuse to record with a key that is none: the answer could only be an error.

    Args:
        request: As it would go out.
        shown: The same, redacted.

    Raises:
        UsageError: Its key is the placeholder.
    """
    if holds_placeholder(request):
        raise UsageError(
            f"{shown.method} {shown.url} was not sent, since its key is only a placeholder.",
            facts=[f"key: {PLACEHOLDER}, as tests of mode none get it where no key is set"],
            fix="Fix: set the provider's key in the environment, or replay: mode none",
        )
