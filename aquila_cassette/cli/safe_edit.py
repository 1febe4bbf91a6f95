"""Change, move or delete a cassette file in one step, and only if it did not change meanwhile."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteSaveError, UsageError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aquila_cassette.model import Interaction


def rewrite(path: Path, old: bytes, new: bytes, interactions: Sequence[Interaction]) -> None:
    """Put `new`, which reads as these interactions, in the place of `old`: in one step, no copy."""

    def check(written: bytes) -> None:
        files.check_reads_back(written, tuple(interactions), path)

    with files.changing(path) as target:
        _refuse_changed(path, old)
        files.replace_file(target, new, check=check)


def remove(path: Path, old: bytes) -> None:
    """Remove a cassette that holds `old`; of a symbolic link, the link."""
    with files.changing(path):
        _refuse_changed(path, old)
        path.unlink()


def move(old: Path, new: Path) -> None:
    """Move a cassette, or the link to one; nothing at its new place is ever overwritten."""
    with ExitStack() as locks:
        for path in sorted({old.resolve(), new.resolve()}):
            locks.enter_context(files.changing(path))
        refuse_overwriting(old, new)
        if old.is_symlink():
            target = old.readlink()
            if not target.is_absolute():
                target = Path(os.path.relpath(old.parent / target, new.parent))
            new.symlink_to(target)
            old.unlink()
        else:
            old.rename(new)


def refuse_overwriting(old: Path, new: Path) -> None:
    """Raise if there is a file at the new place; the old one itself if only letter case changes."""
    is_itself = old != new and new.exists() and old.samefile(new)
    if os.path.lexists(new) and not is_itself:
        raise UsageError(
            f"There is a file at {display_path(new)} already; it is not overwritten.",
            facts=[f"to move: {display_path(old)}"],
            fix="Fix: choose another name, or move that one away first",
        )


def _refuse_changed(path: Path, old: bytes) -> None:
    if files.read(path) != old:
        raise CassetteSaveError(
            f"{display_path(path)} was changed in the meantime; it is left as it is.",
            path=path,
            fix="Fix: run the command again",
        )


def target_outside(path: Path, folders: Iterable[Path], *, is_entry: bool = False) -> Path | None:
    """Return what a path leads to if that is not in the folders that were asked for.

    A path in none of them belongs to its own folder. For an entry the link itself counts.
    """
    real = path.parent.resolve() / path.name if is_entry else path.resolve()
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - of links, which stay, without any ".."
    around = [one for one in folders if whole.is_relative_to(os.path.abspath(one))]  # noqa: PTH100
    for folder in [one for one in around if not one.is_file()] or [path.parent]:
        if real.is_relative_to(folder.resolve()):
            return None
    return real


def refuse_outside(path: Path, folders: Iterable[Path], command: str = "") -> None:
    """Refuse to change what a link leads to outside of the folders that were asked for.

    `command` does that to the file itself; without one it is the path that would be changed.
    """
    if (real := target_outside(path, folders, is_entry=not command)) is not None:
        itself = f"aquila-cassette {command} {shlex.quote(display_path(real))}"
        raise CassetteSaveError(
            f"{display_path(path)} is outside of the folder that it is found in; it was not changed.",
            path=path,
            facts=[f"it leads to: {display_path(real)}"],
            fix=f"Fix: {itself if command else 'move or delete that file itself'}",
        )
