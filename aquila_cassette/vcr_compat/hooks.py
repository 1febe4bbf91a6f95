"""The hook that suites of pytest-recording know."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["pytest_recording_configure"]


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Register matchers, serializers or a persister.

    Args:
        config: pytest's.
        vcr: The `vcr.VCR` of the test that begins.
    """
