"""Cassette files: loaded whole, and saved merged with what others have saved since."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.storage.edit import insert_interactions
from aquila_cassette.storage.format import (
    MAX_BYTES,
    as_read,
    dumps,
    header,
    loads,
    render,
    too_large,
)
from aquila_cassette.storage.names import display_path
from aquila_cassette.storage.yaml_reader import NoLibyaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "load",
    "locked",
    "program",
    "read",
    "remove_leftovers",
    "replace_file",
    "save",
    "save_error",
]

# Windows refuses to replace a file while another process reads it; that is over in a moment.
_PATIENCE = 2.0  # seconds
_PAUSE = 0.01


def replace_file(target: Path, data: bytes, *, check: Callable[[bytes], None]) -> None:
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


_POLL = 0.01  # seconds


@contextmanager
def locked(target: Path, timeout: float) -> Iterator[None]:
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
            f"{display_path(target)} could not be written: another process has been at it for too long.",
            path=target,
            facts=[f"waited: {timeout:g} s", f"lock:   {error.lock_file}"],
            fix="Fix: end the process that holds it, and run again",
        ) from error
    except OSError as error:
        raise CassetteSaveError(
            f"{display_path(target)} could not be written: its lock cannot be made.",
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


_WRITABLE = "make it and its folder writable for this user"
_ROOM = "free some space there, and run again"
_REMEDIES = {
    "EACCES": _WRITABLE,
    "EPERM": _WRITABLE,
    "EROFS": "keep the cassettes where they can be written",
    "ENOSPC": _ROOM,
    "EDQUOT": _ROOM,
    "ENOTDIR": "take away the file that stands where a folder must be",
    "EEXIST": "take away the file that stands where a folder must be",
    "ENAMETOOLONG": "give the cassette a shorter name",
}


def load(path: Path) -> CassetteData:
    """Read a cassette file of our format; `importers.load` takes any.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is none.
        CassetteFormatError: It is no cassette, a damaged one, or cannot be read.
        CassetteVersionError: It is a cassette of a version to come.
    """
    return loads(read(path), path=path)


def read(path: Path) -> bytes:
    """Give the bytes of a cassette file, whatever they are.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is none.
        CassetteFormatError: It cannot be read, or is no file or too large for a cassette.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
            return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CassetteFormatError(
            f"{display_path(path)} cannot be read: {(error.strerror or str(error)).lower()}.",
            path=path,
            damage="unreadable",
            fix=f"Fix: {_fix(error, 'make it readable for this user')}",
        ) from error
    if stat.S_ISREG(status.st_mode):
        raise too_large(status.st_size, path)
    what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
    raise CassetteFormatError(
        f"{display_path(path)} cannot be read: it is {what}.",
        path=path,
        damage="unreadable",
        fix="Fix: take it away, or name the cassette otherwise",
    )


def save(
    path: Path,
    new: Sequence[Interaction],
    *,
    drop: Callable[[Interaction], bool] | None = None,
    check: Callable[[str], None] | None = None,
    on_create: Callable[[], None] | None = None,
    lock_timeout: float = 60,
) -> CassetteData:
    """Take interactions out of a cassette file and put new ones in: all of it, or nothing.

    What other processes have saved is kept, and so is each line of the interactions that stay. The
    new ones go where the first one stood that was taken out, else to the end. Where the file does
    not exist it is made, with its folders; where nothing is to change, it is not touched.

    Args:
        path: The file. A symbolic link to it stays one.
        new: The interactions to put in.
        drop: Tells which of those on file to take out; None takes out none.
        check: Sees the text that is to be written; what it raises stops the save.
        on_create: Called right before the file comes to be, where there was none.
        lock_timeout: How long to wait for other processes that save it, in seconds.

    Returns:
        What is now on file.

    Raises:
        CassetteFormatError: What is on file is damaged; it is not overwritten.
        CassetteSaveError: It cannot be written; what stood there stands there still.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target, lock_timeout):
            remove_leftovers(target)
            return _merge(path, target, new, drop, check, on_create)
    except OSError as error:
        raise save_error(error, path) from error


def _merge(
    path: Path,
    target: Path,
    new: Sequence[Interaction],
    drop: Callable[[Interaction], bool] | None,
    check: Callable[[str], None] | None,
    on_create: Callable[[], None] | None,
) -> CassetteData:
    try:
        before = read(path)
    except FileNotFoundError:
        before = None
    tape = CassetteData() if before is None else loads(before, path=path)
    on_file = tape.interactions
    dropped = {n for n, one in enumerate(on_file) if drop is not None and drop(one)}
    if not new and not dropped:
        return tape
    place = min(dropped, default=len(on_file))
    rest = [one for n, one in enumerate(on_file) if n > place and n not in dropped]
    merged = [*on_file[:place], *map(as_read, new), *rest]
    items = [render(one) for one in new]
    if before is None:
        text = header(program()) + "".join(items)
    else:
        spliced = None
        with suppress(NoLibyaml):  # then the file was as we write it, or it could not be read
            spliced = insert_interactions(before.decode(), dropped, items)
        text = (
            dumps(CassetteData(tuple(merged), tape.recorded_with)) if spliced is None else spliced
        )
    if check is not None:
        check(text)
    data = text.encode()
    result = tape

    def verify(written: bytes) -> None:
        nonlocal result
        result = _read_back(path, data, written, merged)
        if before is None and on_create is not None:
            on_create()

    replace_file(target, data, check=verify)
    return result


def _read_back(path: Path, data: bytes, written: bytes, merged: list[Interaction]) -> CassetteData:
    why = "the file system gave back other bytes than it was given"
    if written == data:
        try:
            tape = loads(written, path=path)
        except CassetteFormatError as error:
            why = str(error)
        else:
            if list(tape.interactions) == merged:
                return tape
            numbers = range(1, len(merged) + 1)
            pairs = zip(numbers, tape.interactions, merged, strict=False)
            number = next((n for n, got, expected in pairs if got != expected), len(merged))
            why = f"interaction {number} would not come off the file as it was recorded"
    raise CassetteSaveError(
        f"{display_path(path)} could not be written so that it reads back.",
        path=path,
        facts=[why],
        fix="What stood there stands there still. Please report this, with the request",
    )


def save_error(error: OSError, path: Path) -> CassetteSaveError:
    """Make the error for a file that could not be written.

    Args:
        error: Why not.
        path: The file.
    """
    reason = (error.strerror or str(error)).lower()
    return CassetteSaveError(
        f"{display_path(path)} could not be written: {reason}.",
        path=path,
        facts=[f"at: {error.filename}"] if error.filename else [],
        fix=f"Fix: {_fix(error, 'see to it, and run again')}",
    )


def _fix(error: OSError, otherwise: str) -> str:
    return _REMEDIES.get(errno.errorcode.get(error.errno or 0, ""), otherwise)


@cache
def program() -> str:
    """Give the name of this program and its version, as ``recorded_with`` has it."""
    from importlib.metadata import version  # 10 ms that only recording pays

    return f"aquila-cassette {version('aquila-cassette')}"
