"""The name of a cassette changed in code: in calls and markers, letter by letter, nowhere else."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cassette import atomic, files
from aquila_cassette.shelf.openings import openings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.shelf.openings import Opening
    from aquila_cassette.shelf.project import Project, Source

__all__ = ["Edited", "Renaming", "renaming", "write"]

_SUFFIXES = (".yaml", ".yml")
_LITERAL = re.compile(r"""[uUrR]?(["'])[^"'\\\n]*\1""")


class Edited(NamedTuple):
    """A file of code before and after.

    Args:
        path: The file.
        old: Its text, with its line ends.
        new: What it is to be.
        before: Its bytes.
        encoding: The encoding that it says it has.
    """

    path: Path
    old: str
    new: str
    before: bytes
    encoding: str


@dataclass(frozen=True, slots=True)
class Renaming:
    """What a new name means for the code.

    Args:
        edits: The files to change.
        changed: Where in them: files and lines.
        left: Where the name stands, too, and may mean something else or cannot be changed safely.
    """

    edits: tuple[Edited, ...]
    changed: tuple[tuple[Path, int], ...]
    left: tuple[tuple[Path, int], ...]


def renaming(project: Project, old: Path, new: Path, folder: Path) -> Renaming:
    """Find out what to change where a cassette gets another name.

    Args:
        project: The code.
        old: The file as it is called.
        new: The file as it will be called.
        folder: The cassette folder.
    """
    names = _Names(old, new, folder)
    places: dict[Path, list[ast.Constant]] = {}
    for opening in openings(project):
        node = opening.name
        if isinstance(node, ast.Constant) and names.replacement(node.value) is not None:
            if _is_elsewhere(opening, folder) or not _is_plain(node, opening.source):
                continue
            places.setdefault(opening.source.path, []).append(node)
    edits = [_edited(project.source(path), nodes, names) for path, nodes in places.items()]
    changed = {(path, node.lineno) for path, nodes in places.items() for node in nodes}
    left = set(_mentions(project, names)) - changed
    return Renaming(tuple(edits), tuple(sorted(changed)), tuple(sorted(left)))


def write(edit: Edited) -> None:
    """Write a changed file of code, in one step.

    Args:
        edit: The file.

    Raises:
        CassetteSaveError: It could not be written; what stood there stands there still.
    """
    data = edit.new.encode(edit.encoding)

    def verify(written: bytes) -> None:
        if written != data or edit.path.read_bytes() != edit.before:
            raise OSError(5, "it was changed meanwhile", str(edit.path))

    try:
        atomic.replace(Path(os.path.realpath(edit.path)), data, check=verify)
    except OSError as error:
        raise files.save_error(error, edit.path) from error


class _Names:
    """How code may name a cassette, and how it then names it.

    Args:
        old: The file as it is called.
        new: The file as it will be called.
        folder: The cassette folder.
    """

    def __init__(self, old: Path, new: Path, folder: Path) -> None:
        self._names: dict[object, str] = {}
        try:
            before = old.absolute().relative_to(folder.absolute()).as_posix()
        except ValueError:  # no test opens it by a name
            return
        after = new.absolute().relative_to(folder.absolute()).as_posix()
        self._names[before] = after
        if old.suffix == _SUFFIXES[0]:
            self._names[before.removesuffix(_SUFFIXES[0])] = after.removesuffix(_SUFFIXES[0])

    def replacement(self, name: object) -> str | None:
        """Give what a name becomes; None for another cassette's."""
        return self._names.get(name)

    @property
    def every(self) -> list[str]:
        """All ways to name it."""
        return [str(name) for name in self._names]


def _is_elsewhere(opening: Opening, folder: Path) -> bool:
    """Tell whether a call names a folder of its own, or may."""
    for one in opening.call.keywords if opening.call else ():
        if one.arg == "cassette_dir":
            value = one.value
            if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                return True
            return Path(value.value).absolute() != folder.absolute()
    return False


def _is_plain(node: ast.Constant, source: Source) -> bool:
    """Tell whether a string is written as one literal on one line, without escapes."""
    if node.lineno != node.end_lineno:
        return False
    start, end = _span(node, source)
    return bool(_LITERAL.fullmatch(source.lines[node.lineno - 1], start, end))


def _span(node: ast.Constant, source: Source) -> tuple[int, int]:
    """Give where a literal starts and ends in its line, in characters; ast counts bytes."""
    line = source.lines[node.lineno - 1].encode()
    return len(line[: node.col_offset].decode()), len(line[: node.end_col_offset].decode())


def _edited(source: Source, nodes: list[ast.Constant], names: _Names) -> Edited:
    lines = list(source.lines)
    for node in sorted(nodes, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        start, end = _span(node, source)
        line = lines[node.lineno - 1]
        name = names.replacement(node.value)
        assert name is not None
        quote = line[end - 1]
        if quote in name:
            quote = '"'
        lines[node.lineno - 1] = f"{line[:start]}{quote}{name}{quote}{line[end:]}"
    return Edited(source.path, source.text, "".join(lines), source.data, source.encoding)


def _mentions(project: Project, names: _Names) -> Iterator[tuple[Path, int]]:
    """Give where a name of the cassette stands in quotes, in any file of the project."""
    if not names.every:
        return
    every = "|".join(map(re.escape, sorted(names.every, key=len, reverse=True)))
    pattern = re.compile(rf"""(?<=["'`/])(?:{every})(?=["'`])""")
    yield from project.lines(pattern)
