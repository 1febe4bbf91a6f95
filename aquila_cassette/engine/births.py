"""Which cassettes were made in this very run, so that ``once`` keeps them open for its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.cassette.model import Interaction

__all__ = ["Births", "note_recorded", "recorded_here"]

_recorded_here: set[tuple[str, str, str, bytes]] = set()


def note_recorded(interactions: Iterable[Interaction]) -> None:
    """Remember that this process recorded `interactions` and saved them.

    Outside pytest nothing signs a recording. A block of mode ``all`` there takes the place of what
    was on the tape, but not of what other blocks of the same process have just put there.
    """
    _recorded_here.update(_mark_of(interaction) for interaction in interactions)


def recorded_here(interaction: Interaction) -> bool:
    """Tell whether this process recorded `interaction`, as it stands on file."""
    return _mark_of(interaction) in _recorded_here


def _mark_of(interaction: Interaction) -> tuple[str, str, str, bytes]:
    request = interaction.request
    body = hashlib.sha256(request.body).digest()
    return interaction.recorded_at, request.method, request.url, body


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
