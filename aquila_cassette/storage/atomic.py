"""A file replaced in one step: whatever is killed, and when, there is the old one or the new."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["remove_leftovers", "replace"]

# Windows refuses to replace a file while another process reads it; that is over in a moment.
_PATIENCE = 2.0  # seconds
_PAUSE = 0.01


def replace(target: Path, data: bytes, *, check: Callable[[bytes], None]) -> None:
    """Put `data` where `target` is, through a temporary file beside it.

    Args:
        target: The file itself, not a symbolic link to it. Its mode is kept.
        data: What it is to hold.
        check: Sees what the temporary file holds, read back from it; what it raises stops all.

    Raises:
        OSError: It cannot be done; what stood there stands there still.
    """
    mode = None
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(target.stat().st_mode)
        if not os.access(target, os.W_OK):  # a rename asks the folder alone
            raise PermissionError(13, "Permission denied", str(target))
    beside = target.with_name(f"{_prefix(target)}{os.urandom(4).hex()}.tmp")
    try:
        _write(beside, data, mode)
        check(beside.read_bytes())
        _rename(beside, target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(target.parent)


def remove_leftovers(target: Path) -> None:
    """Remove the temporary files of replacements of `target` that were killed.

    Args:
        target: The file; the caller sees to it that nobody replaces it now.
    """
    for leftover in target.parent.glob(f"{_prefix(target)}*.tmp"):
        with suppress(OSError):
            leftover.unlink()


def _prefix(target: Path) -> str:
    import hashlib  # not needed to replay

    # A hash, since the name itself may be as long as a name can be.
    name = os.path.normcase(target.name).encode("utf-8", "surrogateescape")
    return f".aquila-{hashlib.sha256(name).hexdigest()[:12]}-"


def _write(path: Path, data: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o666), "wb") as file:  # noqa: PTH123 - of a descriptor
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)


def _rename(source: Path, target: Path) -> None:
    deadline = time.monotonic() + (_PATIENCE if os.name == "nt" else 0)
    while True:
        try:
            source.replace(target)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _sync_folder(folder: Path) -> None:
    # Windows opens no folder, and some file systems sync none: the file is whole all the same.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
