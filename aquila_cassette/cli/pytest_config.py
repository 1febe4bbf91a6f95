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
    root, settings = _configuration()
    folder = settings.get("aquila_cassette_dir")
    if not isinstance(folder, str) or not folder:
        return FOLDER
    return Path(os.path.relpath(root / folder, Path.cwd()))


def _configuration() -> tuple[Path, dict[str, Any]]:
    here = Path.cwd()
    for base in (here, *here.parents):
        for name, tables in _FILES.items():
            try:
                text = (base / name).read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            found = _settings(text, tables, is_toml=name.endswith(".toml"))
            if found is not None:
                return base, found
            if "pytest" in name:
                return base, {}
    return here, {}


def _settings(text: str, tables: list[str], *, is_toml: bool) -> dict[str, Any] | None:
    """Return what a file says to pytest; None if that is nothing, or the file is damaged."""
    if is_toml:
        try:
            read: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return None
        for table in tables:
            found = read
            for key in table.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, dict) and found:
                return found
        return None
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as pytest, keep the case
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return dict(parser[tables[0]]) if parser.has_section(tables[0]) else None
