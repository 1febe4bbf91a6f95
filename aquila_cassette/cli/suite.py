"""The cassette folder of the suite that one stands in, as pytest's configuration names it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "folder_of_the_suite", "root_of_the_suite"]

FOLDER = Path("cassettes")
"""Where cassettes are if nothing else is said."""

_TOML = {
    "pytest.toml": (("pytest",),),
    ".pytest.toml": (("pytest",),),
    "pyproject.toml": (("tool", "pytest", "ini_options"), ("tool", "pytest")),
}
_INI = {
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
_IN_ORDER = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
_ALWAYS = _IN_ORDER[:4]
"""Files that are pytest's even if they say nothing."""


def folder_of_the_suite() -> Path:
    """Give the cassette folder, seen from the current one: the ini's ``aquila_cassette_dir``.

    The file is the one that pytest would read here. One that cannot be read says nothing: pytest
    tells of it.

    Source: https://docs.pytest.org/en/stable/reference/customize.html
    """
    base, said = _configuration()
    folder = said.get("aquila_cassette_dir")
    if not isinstance(folder, str) or not folder:
        return FOLDER
    return Path(os.path.relpath(base / folder, Path.cwd()))


def root_of_the_suite() -> Path:
    """Give the folder of the file that pytest would read here; the current one without a file."""
    return _configuration()[0]


def _configuration() -> tuple[Path, dict[str, Any]]:
    here = Path.cwd()
    for base in (here, *here.parents):
        for name in _IN_ORDER:
            said = _said(base / name)
            if said is not None:
                return base, said
    return here, {}


def _said(path: Path) -> dict[str, Any] | None:
    """Give what a file says to pytest; None if it is not for pytest."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    tables = _toml(text, path.name) if path.name in _TOML else _ini(text, path.name)
    return {} if tables is None and path.name in _ALWAYS else tables


def _toml(text: str, name: str) -> dict[str, Any] | None:
    import tomllib

    try:
        read: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for keys in _TOML[name]:
        table = read
        for key in keys:
            table = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, dict) and table:
            return table
    return None


def _ini(text: str, name: str) -> dict[str, Any] | None:
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as pytest, keep the case
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return dict(parser[_INI[name]]) if parser.has_section(_INI[name]) else None
