"""The suite of the project itself."""

from __future__ import annotations

pytest_plugins = ["pytester"]
