"""Cassettes changed, moved and removed: only while they are what was looked at, and never half."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError, UsageError
from aquila_cassette.storage import files
from aquila_cassette.storage.format import loads
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aquila_cassette.model import Interaction

__all__ = ["move", "remove", "remove_leftover", "replace_raw", "rewrite"]

_PATIENCE = 60.0  # seconds to wait for another process that saves the cassette
_LONG_AGO = 3600.0  # seconds; no save takes so long


def rewrite(path: Path, old: bytes, new: bytes, interactions: Sequence[Interaction]) -> None:
    """Put `new` where `old` is, in one step and without a copy beside it.

    Args:
        path: The file. A symbolic link to it stays one.
        old: What it holds.
        new: What it is to hold.
        interactions: What is then to be on the cassette.

    Raises:
        CassetteSaveError: It holds something else by now, or could not be written, or would not
            read back; what stood there stands there still.
    """

    def is_right(written: bytes) -> bool:
        try:
            return loads(written, path=path).interactions == tuple(interactions)
        except CassetteFormatError:
            return False

    _replace(path, old, new, is_right)


def replace_raw(path: Path, old: bytes, new: bytes) -> None:
    """Put `new` where `old` is, as `rewrite` does, in a file that is no cassette or a damaged one.

    Args:
        path: The file. A symbolic link to it stays one.
        old: What it holds.
        new: What it is to hold.

    Raises:
        CassetteSaveError: It holds something else by now, or could not be written.
    """
    _replace(path, old, new, lambda written: written == new)


def _replace(path: Path, old: bytes, new: bytes, is_right: Callable[[bytes], bool]) -> None:
    def verify(written: bytes) -> None:
        if not is_right(written):
            raise CassetteSaveError(
                f"{display_path(path)} could not be written so that it reads back.",
                path=path,
                fix="What stood there stands there still. Please report this, with the file",
            )

    target = Path(os.path.realpath(path))
    try:
        with files.locked(target, _PATIENCE):
            files.remove_leftovers(target)
            _refuse_changed(path, old)
            files.replace_file(target, new, check=verify)
    except OSError as error:
        raise files.save_error(error, path) from error


def remove(path: Path, old: bytes) -> None:
    """Remove a cassette; of a symbolic link, the link.

    Args:
        path: The file.
        old: What it holds.

    Raises:
        CassetteSaveError: It holds something else by now, or could not be removed.
    """
    try:
        with files.locked(Path(os.path.realpath(path)), _PATIENCE):
            _refuse_changed(path, old)
            path.unlink()
    except OSError as error:
        raise files.save_error(error, path) from error


def remove_leftover(path: Path, tapes: Sequence[Path], now: float) -> bool:
    """Remove a temporary file, unless a process may still be writing it.

    Args:
        path: The temporary file.
        cassettes: The cassettes on the shelf: while a cassette is locked, nobody else saves it.
        now: Seconds since the epoch. A file whose cassette is not there must be an hour old.

    Returns:
        Whether it is gone.
    """
    for tape in tapes:
        target = Path(os.path.realpath(tape))
        if target.parent == Path(os.path.realpath(path.parent)):
            with files.locked(target, _PATIENCE):
                files.remove_leftovers(target)
    with suppress(FileNotFoundError):
        if now - path.stat().st_mtime > _LONG_AGO:
            path.unlink()
    return not path.exists()


def move(old: Path, new: Path) -> None:
    """Move a cassette; nothing that stands at its new place is ever overwritten.

    Args:
        old: The file. Of a symbolic link, the link moves.
        new: Where it is to be; its folders are made.

    Raises:
        UsageError: Something is there.
        CassetteSaveError: It could not be moved; it stands where it stood.
    """
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as locks:
            for target in sorted({Path(os.path.realpath(path)) for path in (old, new)}):
                locks.enter_context(files.locked(target, _PATIENCE))
            _move(old, new)
    except FileExistsError as error:
        raise UsageError(
            f"There is a file at {display_path(new)} already; it is not overwritten.",
            facts=[f"to move: {display_path(old)}"],
            fix="Choose another name, or move that one away first.",
        ) from error
    except OSError as error:
        raise files.save_error(error, new) from error


def _move(old: Path, new: Path) -> None:
    if old.is_symlink():
        target = old.readlink()
        if not target.is_absolute():
            target = Path(os.path.relpath(old.parent / target, new.parent))
        new.symlink_to(target)
        old.unlink()
        return
    if _is_same_file(old, new):  # only the case of letters changes, where that does not count
        old.rename(new)
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


def _is_same_file(old: Path, new: Path) -> bool:
    alike = old.name.casefold() == new.name.casefold() and old.parent == new.parent
    return str(old) != str(new) and alike and new.exists() and old.samefile(new)


def _refuse_changed(path: Path, old: bytes) -> None:
    if files.read(path) != old:
        raise CassetteSaveError(
            f"{display_path(path)} was changed while it was looked at.",
            path=path,
            fix="Nothing was written. Run the command again",
        )
