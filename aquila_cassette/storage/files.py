"""Cassette files: loaded whole, and saved merged with what others have saved since."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError
from aquila_cassette.importers.detect import sniff
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.storage import atomic, lock
from aquila_cassette.storage.format import (
    MAX_BYTES,
    as_read,
    dumps,
    header,
    loads,
    render,
    too_large,
)
from aquila_cassette.storage.names import shown
from aquila_cassette.storage.splice import splice
from aquila_cassette.storage.yaml_reader import NoLibyaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["load", "program", "read", "save", "save_error"]

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
    """Read a cassette file, be it ours or in another recorder's format.

    Of the latter, what the requests hold that is secret is redacted: of a cassette of ours it was when
    it was saved. The answers are as they lie.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is none.
        CassetteFormatError: It is no cassette, a damaged one, or cannot be read.
        CassetteVersionError: It is a cassette of a version to come.
    """
    data = read(path)
    if sniff(data) is not None and (tape := _foreign(data, path)) is not None:
        return tape
    return loads(data, path=path)


def _foreign(data: bytes, path: Path) -> CassetteData | None:
    # Neither is needed to replay a cassette of ours.
    from aquila_cassette.importers import read as reading
    from aquila_cassette.redaction import Redaction

    tape = reading.loads(data, path=path)
    if tape is None:
        return None
    redact = Redaction()
    return replace(
        tape,
        interactions=tuple(
            replace(one, request=redact.request(one.request)) for one in tape.interactions
        ),
    )


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
            f"{shown(path)} cannot be read: {(error.strerror or str(error)).lower()}.",
            path=path,
            damage="unreadable",
            fix=f"Fix: {_fix(error, 'make it readable for this user')}",
        ) from error
    if stat.S_ISREG(status.st_mode):
        raise too_large(status.st_size, path)
    what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
    raise CassetteFormatError(
        f"{shown(path)} cannot be read: it is {what}.",
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
        with lock.held(target, lock_timeout):
            atomic.remove_leftovers(target)
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
            spliced = splice(before.decode(), dropped, items)
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

    atomic.replace(target, data, check=verify)
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
        f"{shown(path)} could not be written so that it reads back.",
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
        f"{shown(path)} could not be written: {reason}.",
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
