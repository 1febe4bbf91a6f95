"""A shelf of cassettes as the page has it: a list of all, and each cassette on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aquila_cassette import importers
from aquila_cassette.cli.folder import cassettes_in, name_of
from aquila_cassette.errors import CassetteError
from aquila_cassette.report.telling import in_full, in_short
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.interaction import InteractionView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Entry", "entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the shelf.

    Args:
        short: What the list shows of it, or its error.
        full: Its interactions in full; None where it cannot be read.
    """

    short: dict[str, Any]
    full: list[dict[str, Any]] | None

    @classmethod
    def of(cls, path: Path, folder: Path) -> Entry:
        """Read the file at `path`; a damaged one makes an entry as well."""
        short: dict[str, Any] = {
            "name": name_of(path, folder),
            "path": display_path(path),
            "bytes": path.stat().st_size,
        }
        try:
            tape = importers.load(path)
        except CassetteError as error:
            return cls({**short, "error": str(error)}, None)
        told = [InteractionView(interaction) for interaction in tape.interactions]
        short |= {"with": tape.recorded_with, "interactions": [in_short(one) for one in told]}
        return cls(short, [in_full(one) for one in told])


def entries(place: Path, folder: Path) -> Iterator[Entry]:
    """Give an entry for each cassette file, folder by folder, one at a time.

    Args:
        place: A folder or a file.
        folder: The cassette folder. What lies in it is named as tests name it, all else from
            `place`.
    """
    inside = place.absolute().is_relative_to(folder.absolute())
    home = folder if inside else place.parent if place.is_file() else place
    for path in sorted(cassettes_in(place), key=lambda path: (path.parent.as_posix(), path.name)):
        yield Entry.of(path, home)
