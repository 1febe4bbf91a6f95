"""``mv``: another name for a cassette, and for it in the code."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.folder import find
from aquila_cassette.cli.maintenance.inspection import name_in
from aquila_cassette.cli.maintenance.links import way_out
from aquila_cassette.cli.maintenance.project import Project
from aquila_cassette.cli.maintenance.renaming import Renaming, renaming, write
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.cli.maintenance.writing import move
from aquila_cassette.cli.output import Screen, print_diff, print_error
from aquila_cassette.cli.suite import root_of_the_suite
from aquila_cassette.errors import AquilaError, UsageError
from aquila_cassette.storage.names import cassette_path, display_path
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from aquila_cassette.cli.maintenance.renaming import Edited

__all__ = ["run"]


def run(old: str, new: str, folder: Path, *, code: bool, dry_run: bool) -> int:
    """Move a cassette.

    Args:
        old: Its name, or its path.
        new: The name it is to have in the folder.
        folder: The cassette folder.
        code: Whether to change its name in the code.
        dry_run: Whether to change nothing.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: There is no such cassette, or something stands at its new place.
        CassetteNameError: The new name cannot be used.
        CassetteSaveError: It could not be moved, or a file of code could not be written.
    """
    source, target = find(old, folder), cassette_path(folder, new)
    _refuse_to_leave(source, folder)
    _refuse(source, target)
    project = Project((_code_of(folder),), folder)
    found = renaming(project, source, target, folder)
    screen = Screen()
    edits = found.edits if code else ()
    for edit in edits:
        _show(edit, screen)
    if not dry_run:
        move(source, target)
        for edit in edits:
            write(edit)
    would = "would be " if dry_run else ""
    screen.line(
        f"{escape_control_chars(display_path(source))} {would}moved to ",
        (escape_control_chars(display_path(target)), "bold"),
    )
    _tell_of_the_rest(found, source, target, folder, code=code)
    return 0


def _code_of(folder: Path) -> Path:
    """Give where the code is that names cassettes of a folder: the suite's root if that is above.

    Whoever stands in a folder of the suite has its cassettes, and means its tests.
    """
    here, root = Path.cwd(), root_of_the_suite()
    is_below = folder.absolute().resolve().is_relative_to(here.resolve())
    is_the_suites = folder.absolute().resolve().is_relative_to(root.resolve())
    return root if is_the_suites and not is_below else here


def _refuse_to_leave(source: Path, folder: Path) -> None:
    if (real := way_out(source, [folder], entry=True)) is not None:
        raise UsageError(
            f"{display_path(source)} leads out of the folder that it is in; it is not moved.",
            facts=[f"to: {display_path(real)}"],
            fix="Move that file itself.",
        )


def _refuse(source: Path, target: Path) -> None:
    if target.exists() or target.is_symlink():
        same = source.exists() and target.exists() and source.samefile(target)
        if not same or str(source) == str(target):
            raise UsageError(
                f"There is a file at {display_path(target)} already; it is not overwritten.",
                facts=[f"to move: {display_path(source)}"],
                fix="Choose another name, or move that one away first.",
            )


def _show(edit: Edited, screen: Screen) -> None:
    name = display_path(edit.path)
    lines = difflib.unified_diff(
        edit.old.splitlines(), edit.new.splitlines(), name, name, n=1, lineterm=""
    )
    print_diff(lines, screen)


def _tell_of_the_rest(
    found: Renaming, source: Path, target: Path, folder: Path, *, code: bool
) -> None:
    left = [*found.left, *(() if code else found.changed)]
    if left:
        where = ", ".join(
            f"{escape_control_chars(display_path(path))}:{line}" for path, line in sorted(left)
        )
        print_error(f"The old name still stands in {where}.")
    for path, line in found.by_hand:
        where = f"{escape_control_chars(display_path(path))}:{line}"
        print_error(f"{where} names it and cannot be changed: do it by hand.")
    if found.doubt:
        where = ", ".join(
            f"{escape_control_chars(display_path(path))}:{line}" for path, line in found.doubt
        )
        print_error(f"Perhaps it is opened in {where}, too: that name is made when it runs.")
    for test in _named_after(source if source.exists() else target, source, folder):
        print_error(
            f"{escape_control_chars(test)} may open it by its own name (the fixture cassette): mark it "
            f'@pytest.mark.aquila_cassette("{escape_control_chars(name_in(target, folder))}")'
        )


def _named_after(now: Path, before: Path, folder: Path) -> list[str]:
    """List the tests that recorded a cassette and whose own name was that of the cassette."""
    from aquila_cassette.cli.maintenance.owners import owners
    from aquila_cassette.storage.names import name_of_test

    try:
        tests = owners(Sheet.of(now))
    except AquilaError:  # a damaged cassette may move, too
        return []
    return [test for test in tests if name_of_test(test) == name_in(before, folder)]
