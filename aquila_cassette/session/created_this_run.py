"""Which cassettes were made in this very run, so that ``once`` keeps them open for its tests."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.model import Interaction

__all__ = ["CreatedThisRun", "note_recorded", "recorded_since"]

Mark = tuple[str, str, str, bytes]

_saved_at: dict[Mark, float] = {}


def note_recorded(interactions: Iterable[Interaction]) -> None:
    """Remember that this process has just saved `interactions`.

    Outside pytest nothing signs a recording. A block of mode ``all`` there takes the place of what
    was on the cassette, but not of what blocks beside it have put there in the meantime.
    """
    now = time.monotonic()
    _saved_at.update((_mark_of(interaction), now) for interaction in interactions)


def recorded_since(interaction: Interaction, since: float) -> bool:
    """Tell whether this process saved `interaction`, as it stands on file, after `since`."""
    return _saved_at.get(_mark_of(interaction), -1.0) >= since


def _mark_of(interaction: Interaction) -> Mark:
    request = interaction.request
    body = hashlib.sha256(request.body).digest()
    return interaction.recorded_at, request.method, request.url, body


class CreatedThisRun:
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
