"""The name of a cassette changed in code: where calls and markers write it out, nowhere else."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.maintenance.literals import bound_once, is_replaceable, span, text_of
from aquila_cassette.cli.maintenance.openings import openings
from aquila_cassette.cli.maintenance.reach import ANYTHING, Reach
from aquila_cassette.cli.maintenance.scopes import FUNCTIONS, scopes
from aquila_cassette.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.openings import Opening
    from aquila_cassette.cli.maintenance.project import Project, Source

__all__ = ["Edited", "Renaming", "renaming", "write"]

_SUFFIXES = (".yaml", ".yml")
_QUOTE = re.compile(r"[\"']")


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
        left: Where the name stands, too, and may mean something else.
        by_hand: Where calls name the cassette, or may, and cannot be changed safely.
        doubt: Where calls have names that are made when they run, which may be any.
    """

    edits: tuple[Edited, ...]
    changed: tuple[tuple[Path, int], ...]
    left: tuple[tuple[Path, int], ...]
    by_hand: tuple[tuple[Path, int], ...] = ()
    doubt: tuple[tuple[Path, int], ...] = ()


def renaming(project: Project, old: Path, new: Path, folder: Path) -> Renaming:
    """Find out what to change where a cassette gets another name.

    Args:
        project: The code.
        old: The file as it is called.
        new: The file as it will be called.
        folder: The cassette folder.
    """
    names = _Names(old, new, folder)
    search = _Search(project, names, folder)
    search.run()
    edits = [
        _edited(project.source(path), list(nodes.values()), names)
        for path, nodes in search.places.items()
    ]
    changed = {
        (path, node.lineno) for path, nodes in search.places.items() for node in nodes.values()
    }
    left = set(_mentions(project, names)) - changed - search.by_hand
    return Renaming(
        tuple(edits),
        *(tuple(sorted(found)) for found in (changed, left, search.by_hand, search.doubt)),
    )


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
        files.replace_file(Path(os.path.realpath(edit.path)), data, check=verify)
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


class _Search:
    """Looks at each call that opens a cassette: whether it is this one, and where its name stands.

    Args:
        project: The code.
        names: The names of the cassette.
        folder: The cassette folder.
    """

    def __init__(self, project: Project, names: _Names, folder: Path) -> None:
        self._project = project
        self._names = names
        self._folder = folder
        self._reach = Reach(project)
        self._openings = list(openings(project)) if names.every else []
        self.places: dict[Path, dict[int, ast.expr]] = {}
        self.by_hand: set[tuple[Path, int]] = set()
        self.doubt: set[tuple[Path, int]] = set()

    def run(self) -> None:
        """Look at all of them."""
        for opening in self._openings:
            is_here = _is_here(opening, self._folder)
            if is_here is False:
                continue
            place = opening.source.path, opening.name.lineno if opening.name else opening.line
            node = self._written(opening)
            if node is None:
                self._follow(opening, place)
            elif self._names.replacement(text_of(node)) is not None:
                if is_here and self._can_be_changed(node, opening.source):
                    start, _ = span(node, opening.source)
                    self.places.setdefault(opening.source.path, {})[start] = node
                else:
                    self.by_hand.add(place)

    def _follow(self, opening: Opening, place: tuple[Path, int]) -> None:
        """Tell whether a name that is made can be one of ours."""
        pattern = self._reach.pattern(opening.name, opening.source) if opening.name else ANYTHING
        if pattern == ANYTHING:
            self.doubt.add(place)
        elif any(re.fullmatch(pattern, name, re.DOTALL) for name in self._names.every):
            self.by_hand.add(place)

    def _written(self, opening: Opening) -> ast.expr | None:
        """Give the expression that writes the name out: in the call, or what it is bound to."""
        node, source = opening.name, opening.source
        if text_of(node) is not None:
            return node
        found = bound_once(node, source) if isinstance(node, ast.Name) else None
        if found is None or text_of(found[0]) is None:
            return None
        value, reads = found
        names = {id(one.name) for one in self._openings if _is_here(one, self._folder)}
        if any(id(read) not in names for read in reads):
            return None
        assert isinstance(node, ast.Name)
        return None if self._is_for_others(node.id, value, source) else value

    def _is_for_others(self, name: str, value: ast.expr, source: Source) -> bool:
        """Tell whether another file may take a name from the one that binds it."""
        if isinstance(next(scopes(value, source), None), FUNCTIONS):
            return False
        word = re.compile(rf"\b{re.escape(name)}\b")
        others = self._project.sources(name) if name.isascii() else ()
        return any(one.path != source.path and word.search(one.text) for one in others)

    def _can_be_changed(self, node: ast.expr, source: Source) -> bool:
        name = self._names.replacement(text_of(node))
        try:
            str(name).encode(source.encoding)
        except (SyntaxError, UnicodeEncodeError, LookupError):
            return False
        return self._project.holds(source.path) and is_replaceable(node, source)


def _is_here(opening: Opening, folder: Path) -> bool | None:
    """Tell whether a call means the cassette folder; None where that cannot be told."""
    for one in opening.call.keywords if opening.call else ():
        if one.arg == "cassette_dir":
            value = one.value
            if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
                return None
            return Path(value.value).absolute() == folder.absolute()
    return True


def _edited(source: Source, nodes: list[ast.expr], names: _Names) -> Edited:
    text = source.text
    for node in sorted(nodes, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        start, end = span(node, source)
        name = names.replacement(text_of(node))
        assert name is not None
        found = _QUOTE.search(text, start)
        quote = found[0] if found and found[0] not in name else '"'
        text = f"{text[:start]}{quote}{name}{quote}{text[end:]}"
    return Edited(source.path, source.text, text, source.data, source.encoding)


def _mentions(project: Project, names: _Names) -> Iterator[tuple[Path, int]]:
    """Give where a name of the cassette stands in quotes, in any file of the project."""
    if not names.every:
        return
    every = "|".join(map(re.escape, sorted(names.every, key=len, reverse=True)))
    pattern = re.compile(rf"""(?<=["'`/])(?:{every})(?=["'`])""")
    yield from project.lines(pattern)
