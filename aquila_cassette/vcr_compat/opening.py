"""Opening a cassette for as long as a fixture lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aquila_cassette.vcr_compat.suite import SUITE

__all__ = ["opened"]


def opened(request: pytest.FixtureRequest, use: Any) -> Iterator[Any]:
    """Give what the block `use` gives, and end it as the test ended.

    Args:
        request: That of the fixture.
        use: A context manager.
    """
    value = use.__enter__()
    yield value
    # The test's own exception does not come by here, so what it did is asked of its report.
    error = _TestFailed() if request.config.stash[SUITE].failed else None
    use.__exit__(type(error) if error else None, error, None)


class _TestFailed(Exception):  # noqa: N818 - it stands for the test's exception, never raised
    """Stands for the exception of a test that failed."""
