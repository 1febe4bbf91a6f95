"""Names of cassettes that not every machine can hold, or that a test cannot open."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.errors import CassetteNameError
from aquila_cassette.storage.names import cassette_path, display_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["names"]


def names(paths: Sequence[Path], folder: Path) -> Iterator[Finding]:
    """Find names that are not safe, and names that are one where case does not count.

    Args:
        paths: The files.
        folder: The cassette folder; files elsewhere have no name by which a test opens them.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        name = _name(path, folder)
        if name is None:
            continue
        if fault := _fault(name, folder):
            yield Finding(path, 1, "name", fault, "rename it: aquila-cassette mv")
        first = seen.setdefault(normalize("NFC", name).casefold(), path)
        if first != path:
            what = f"its name is that of {display_path(first)} where case does not count"
            yield Finding(path, 1, "case", what, "rename one of the two: aquila-cassette mv")
        twin = path.with_suffix(".yaml")
        if path.suffix.lower() == ".yml" and twin in set(paths):
            what = f"the name without its suffix means {display_path(twin)}"
            yield Finding(path, 1, "name", what, "rename one of the two: aquila-cassette mv")


def _name(path: Path, folder: Path) -> str | None:
    try:
        return path.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        return None


def _fault(name: str, folder: Path) -> str:
    try:
        cassette_path(folder, name)
    except CassetteNameError as error:
        return error.what.partition(" cannot be used: ")[2].rstrip(".")
    return ""
