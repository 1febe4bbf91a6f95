"""Find the folder of a suite and its cassettes, from the files around its tests, however pytest is called."""

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


# Where nothing is for pytest: a project, else cassettes that are there, else a repository.
_OTHERS = (("pyproject.toml", "setup.py", "setup.cfg", "tox.ini"), ("cassettes",), (".git",))


def find_suite(start: Path) -> tuple[Path | None, str | None]:
    """Return the folder of the suite that has tests in `start`, and its ``aquila_cassette_dir``.

    That is the nearest one, upwards, with a configuration of pytest; else see `_OTHERS`.
    """
    bases = (start, *start.parents)
    for base in bases:
        for name, tables in _FILES.items():
            settings = _settings(base / name, tables)
            if settings or (settings is not None and "pytest" in name):
                return base, settings.get("aquila_cassette_dir") or None
    for names in _OTHERS:
        for base in bases:
            if any((base / name).exists() for name in names):
                return base, None
    return None, None


def folder_of_the_suite() -> Path:
    """Return the cassette folder of the suite here, seen from the current folder."""
    base, folder = find_suite(Path.cwd())
    return Path(os.path.relpath((base or Path.cwd()) / (folder or FOLDER)))


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
