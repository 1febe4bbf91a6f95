"""The suite of the project itself."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# 25 examples find a mistake while one works; HYPOTHESIS_PROFILE=thorough takes its time.
settings.register_profile("default", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell runs this in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # some tests interrupt a child


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
