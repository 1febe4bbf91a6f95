"""One lock for each cassette, among all processes of a user on this machine."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteSaveError
from aquila_cassette.storage.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["held"]

_POLL = 0.01  # seconds


@contextmanager
def held(target: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of `target`; no file is left beside it.

    Args:
        target: The file itself, not a symbolic link to it.
        timeout: How long to wait for it, in seconds.

    Raises:
        CassetteSaveError: Another process holds it all that time, or it cannot be made.
    """
    import hashlib  # none of these is needed to replay

    from filelock import FileLock, Timeout

    try:
        name = hashlib.sha256(os.path.normcase(target).encode("utf-8", "surrogateescape"))
        lock = FileLock(_folder() / f"{name.hexdigest()[:32]}.lock")
        lock.acquire(timeout=timeout, poll_interval=_POLL)
    except Timeout as error:
        raise CassetteSaveError(
            f"{shown(target)} could not be written: another process has been at it for too long.",
            path=target,
            facts=[f"waited: {timeout:g} s", f"lock:   {error.lock_file}"],
            fix="Fix: end the process that holds it, and run again",
        ) from error
    except OSError as error:
        raise CassetteSaveError(
            f"{shown(target)} could not be written: its lock cannot be made.",
            path=target,
            facts=[f"{error.strerror or error}: {error.filename or _folder()}"],
            fix="Fix: make that folder yours, or set TMPDIR to one that is",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _folder() -> Path:
    """Give the folder of this user's locks; the system's temporary one is everybody's."""
    import tempfile

    owner = os.geteuid() if hasattr(os, "geteuid") else ""
    folder = Path(tempfile.gettempdir()) / f"aquila-cassette-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner != "" and folder.lstat().st_uid != owner:
        raise PermissionError(1, "it belongs to another user", str(folder))
    return folder
