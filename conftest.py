"""The suite of the project itself."""

from __future__ import annotations

pytest_plugins = ["pytester"]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes that are no text by their length.

    Compressed bytes hold the time they were made at, and the workers of pytest-xdist must agree on
    every name.
    """
    if not isinstance(val, bytes):
        return None
    try:
        val.decode()
    except UnicodeDecodeError:
        return f"{len(val)} bytes"
    return None
