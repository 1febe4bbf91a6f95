"""Who answers for a block that is opened now: asked of whoever runs the tests.

It imports nothing, so that the pytest plugin can say so without loading the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Owner

__all__ = ["OwnerOfNow", "current_owner", "set_owner_of_now"]

OwnerOfNow = Callable[[], "Owner | None"]


def _nobody() -> Owner | None:
    return None


_owner_of_now: OwnerOfNow = _nobody


def current_owner() -> Owner | None:
    """Tell who answers for a block that is opened now; None where no tests run."""
    return _owner_of_now()


def set_owner_of_now(owner_of_now: OwnerOfNow) -> OwnerOfNow:
    """Say how to find that out; one test runs at a time in a process.

    Returns:
        How it was found out before: a run inside a run (pytester) gives it back at its end.
    """
    global _owner_of_now
    before, _owner_of_now = _owner_of_now, owner_of_now
    return before
