"""Find cassettes by name or path, and all cassettes of a folder."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aquila_cassette.errors import CassetteNameError, UsageError
from aquila_cassette.importers import cassettes_in, find_cassette
from aquila_cassette.storage.names import cassette_path, display_path


def find(name: str, folder: Path) -> Path:
    """Return the file that a name or a path means; a cassette may be in another format."""
    try:
        inside = cassette_path(folder, name)
        paths = [find_cassette(folder, name), inside, inside.with_suffix(".yml"), Path(name)]
    except CassetteNameError:  # no cassette has that name, but a file may: ../cassettes/old.yaml
        paths = [Path(name)]
    for path in paths:
        if path.is_file():
            return path
    names = [name_of(path, folder) for path in cassettes_in(folder)]
    close = difflib.get_close_matches(name, names, n=1)
    raise UsageError(
        f"There is no cassette {name!r}.",
        facts=[f"looked for: {display_path(paths[0])}"],
        fix=f"Fix: name another, for example the closest: {close[0]}"
        if close
        else "Fix: aquila-cassette list shows what there is",
    )


def cassettes_named(given: Sequence[str] | None, folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders and files that names or paths mean, and the cassettes in them.

    Without any it is the cassette folder.
    """

    def place(name: str) -> Path:
        path = Path(name)
        if path.is_dir():
            return path
        return folder / name if (folder / name).is_dir() else find(name, folder)

    places = [place(name) for name in given or ()] or [folder]
    return places, list(dict.fromkeys(path for one in places for path in cassettes_in(one)))


def name_of(path: Path, folder: Path) -> str:
    """Return the name that `find` finds a file by."""
    try:
        inside = path.absolute().relative_to(folder.absolute())
    except ValueError:
        return display_path(path)
    return inside.as_posix().removesuffix(".yaml")


class Note(NamedTuple):
    """What the pytest plugin noted in pytest's cache; `written_at` in ns, as file times are."""

    root: Path
    content: Any
    written_at: int


def read_note(name: str, folder: Path) -> Note | None:
    """Return the note of that name of the suite here, or of the one that has the folder."""
    for base in (Path.cwd(), *folder.absolute().parents, *Path.cwd().parents):
        path = base / ".pytest_cache/v/aquila" / name
        if path.is_file():
            content = json.loads(path.read_text("utf-8"))
            return Note(base, content, path.stat().st_mtime_ns)
    return None


def read_unused(folder: Path) -> dict[Path, list[int]] | None:
    """Return the numbers of the interactions that the last complete run did not use, by cassette.

    None if no run was complete; no numbers if all of a cassette is unused. A cassette that was
    changed since has other numbers, and may be used now.
    """
    note = read_note("unused", folder)
    if note is None:
        return None
    noted = {
        (note.root / path).absolute(): numbers for path, numbers in (note.content or {}).items()
    }
    return {
        path: numbers
        for path, numbers in noted.items()
        if path.exists() and path.stat().st_mtime_ns <= note.written_at
    }
