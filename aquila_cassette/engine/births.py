"""Which cassettes were made in this very run, so that ``once`` keeps them open for its tests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Births"]


class Births:
    """The cassettes made in this run, shared by its processes through a folder.

    Eight tests of one run, on eight workers, may record into one new cassette in mode ``once``:
    the file that the first one made does not close it for the other seven.

    Args:
        folder: A folder that all processes of the run share; None for a run of one process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._here: set[Path] = set()

    def add(self, path: Path) -> None:
        """Remember that the cassette at `path` was made in this run."""
        self._here.add(path)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mark(self._folder, path).touch()

    def __contains__(self, path: Path) -> bool:
        if path in self._here:
            return True
        return self._folder is not None and self._mark(self._folder, path).exists()

    @staticmethod
    def _mark(folder: Path, path: Path) -> Path:
        return folder / hashlib.sha256(str(path).encode()).hexdigest()
