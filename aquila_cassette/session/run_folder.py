"""`RunFolder`: what the processes of one test run tell each other about their cassettes, in a folder."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aquila_cassette.model import Interaction
from aquila_cassette.storage.files import Created

Mark = tuple[object, ...]


@dataclass(frozen=True)
class Change:
    """What a wider owner did to one file, in one process: `mark` of each interaction.

    In mode ``all`` (`is_all`) it put `new` in place of `old`, and left `kept`, which came the same.
    """

    owner: str
    path: Path
    is_all: bool
    new: Sequence[Mark] = ()
    kept: Sequence[Mark] = ()
    old: Sequence[Interaction] = ()


class RunFolder(Created):
    """What was done in this run for owners that several of its processes have.

    A session fixture is set up by each worker, and only the main process knows in the end how all
    its tests ended.
    """

    def note(self, change: Change) -> None:
        self.folder.mkdir(0o700, parents=True, exist_ok=True)
        file = self.folder / f"{os.urandom(16).hex()}.change"
        file.with_suffix(".writing").write_bytes(pickle.dumps(change))
        file.with_suffix(".writing").rename(file)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def changes(self) -> list[Change]:
        return [pickle.loads(file.read_bytes()) for file in sorted(self.folder.glob("*.change"))]

    def marks(self, owner: str | None, path: Path) -> set[Mark]:
        """Return the marks of what an owner recorded into one file in this run."""
        theirs = [one for one in self.changes() if (one.owner, one.path) == (owner, path)]
        return {text for one in theirs for text in (*one.new, *one.kept)}


def mark(one: Interaction) -> Mark:
    """Return what tells one interaction on file from others, whatever became of its answer."""
    request = one.request
    return one.recorded_at, one.owner, request.method, request.url, request.body


def marks_of(some: Iterable[Interaction]) -> list[Mark]:
    return [mark(one) for one in some]


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # nothing can be written here, so it only replays
        return ""


THIS_PROCESS = RunFolder(Path(_temporary_folder(), f"aquila-cassette-run-{os.urandom(16).hex()}"))
"""The run of a process outside pytest, and of the children that it forks."""
