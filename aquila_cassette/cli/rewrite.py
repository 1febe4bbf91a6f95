"""Cassettes changed, moved and removed: only while they are what was looked at, and never half."""

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

__all__ = ["move", "refuse_outside", "refuse_overwriting", "remove", "rewrite", "target_outside"]


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
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as locks:
            for target in sorted({Path(os.path.realpath(path)) for path in (old, new)}):
                locks.enter_context(files.locked(target))
            _move(old, new)
    except FileExistsError as error:
        raise refuse_overwriting(old, new) from error
    except OSError as error:
        raise files.save_error(error, new) from error


def refuse_overwriting(old: Path, new: Path) -> UsageError:
    """Return the error that says that there is a file at the new place."""
    return UsageError(
        f"There is a file at {display_path(new)} already; it is not overwritten.",
        facts=[f"to move: {display_path(old)}"],
        fix="Fix: choose another name, or move that one away first",
    )


def _move(old: Path, new: Path) -> None:
    if old.is_symlink():
        target = old.readlink()
        if not target.is_absolute():
            target = Path(os.path.relpath(old.parent / target, new.parent))
        new.symlink_to(target)
        old.unlink()
        return
    if str(old) != str(new) and new.exists() and old.samefile(new):
        old.rename(new)  # only the case of letters changes, where that does not count
        return
    # A rename would overwrite what came to be there a moment ago; a second name for it does not.
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:  # not every file system has those
        if os.name != "nt" and os.path.lexists(new):
            raise FileExistsError(17, "File exists", str(new)) from None
        old.rename(new)
    else:
        old.unlink()


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
    real = Path(os.path.realpath(path))
    if is_entry:
        real = Path(os.path.realpath(path.parent), path.name)
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - of links, which stay, without any ".."
    around = [one for one in folders if whole.is_relative_to(os.path.abspath(one))]  # noqa: PTH100
    for folder in [one for one in around if not one.is_file()] or [path.parent]:
        if real.is_relative_to(os.path.realpath(folder)):
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
