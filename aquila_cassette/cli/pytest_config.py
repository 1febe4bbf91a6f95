"""Read the cassette folder from pytest's configuration files."""

from __future__ import annotations

import configparser
import os
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path("cassettes")
"""Where cassettes are if nothing else is said."""

# https://docs.pytest.org/en/stable/reference/customize.html: the files in order, with the tables
# that are pytest's. Those that are named after pytest count even if they say nothing.
_FILES = {
    "pytest.toml": ["pytest"],
    ".pytest.toml": ["pytest"],
    "pytest.ini": ["pytest"],
    ".pytest.ini": ["pytest"],
    "pyproject.toml": ["tool.pytest.ini_options", "tool.pytest"],
    "tox.ini": ["pytest"],
    "setup.cfg": ["tool:pytest"],
}


def folder_of_the_suite() -> Path:
    """Return the cassette folder, the ini's ``aquila_cassette_dir``, seen from the current folder."""
    here = Path.cwd()
    for base in (here, *here.parents):
        for name, tables in _FILES.items():
            settings = _settings(base / name, tables)
            if settings or (settings is not None and "pytest" in name):
                folder = settings.get("aquila_cassette_dir")
                return Path(os.path.relpath(base / str(folder))) if folder else FOLDER
    return FOLDER


def _settings(path: Path, tables: list[str]) -> dict[str, Any] | None:
    """Return what a file says to pytest; None if it is not there, or damaged."""
    try:
        text = path.read_text("utf-8")
        if path.suffix != ".toml":
            parser = configparser.RawConfigParser(strict=False)
            parser.optionxform = str  # type: ignore[assignment,method-assign]  # keep the case
            parser.read_string(text)
            return dict(parser[tables[0]]) if parser.has_section(tables[0]) else {}
        read = tomllib.loads(text)
    except (OSError, ValueError, configparser.Error):
        return None
    for table in tables:
        found: Any = read
        for key in table.split("."):
            found = found.get(key, {})
        if found:
            return dict(found)
    return {}
