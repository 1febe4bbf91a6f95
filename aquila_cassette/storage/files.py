"""Load files; save them: lock (its time-out), merge, check, rename.

A save holds the cassette's lock, adds to what is on file, writes a temporary file beside it, reads
that back, compares, and renames it. Whatever is killed, and when, the old file is there or the new.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.storage.bodies import fingerprint
from aquila_cassette.storage.format import MAX_BYTES, as_read, encode, loads, render
from aquila_cassette.storage.names import display_path

New = (
    Sequence[Interaction]
    | Callable[[Sequence[Interaction], Sequence[Interaction]], Sequence[Interaction]]
)

_LOCK_TIMEOUT = 60.0  # seconds
_LOCK_POLL = 0.01  # seconds
# Windows refuses to replace a file while another process reads it; that is over in a moment.
_RENAME_ATTEMPTS = 200 if os.name == "nt" else 1

_CACHE_BYTES = 64 * 1024 * 1024  # of files
_JUST_NOW = 50_000_000  # ns: within it a file may change once more and keep its time
_cache: dict[object, tuple[tuple[int, int], CassetteData]] = {}  # with size and time of the file


# Loading.


def load(path: Path, *, parse: Callable[[bytes, Path], CassetteData] | None = None) -> CassetteData:
    """Read a cassette file, with `parse` one of another format; FileNotFoundError without one.

    While its size and modification time stay as they are, it is read once.
    """
    key = os.path.abspath(path), parse  # noqa: PTH100 - resolves no link, and is fast
    state = None
    with suppress(OSError):  # `read` raises it
        status = path.stat()
        state = status.st_size, status.st_mtime_ns
        known = _cache.get(key)
        if known and known[0] == state:
            return known[1]
    data = read(path)
    cassette = loads(data, path=path) if parse is None else parse(data, path)
    if state and time.time_ns() - state[1] > _JUST_NOW:
        _cache[key] = state, cassette
        while _cache and sum(size for (size, _), _ in list(_cache.values())) > _CACHE_BYTES:
            _cache.pop(next(iter(_cache)), None)
    return cassette


def read(path: Path) -> bytes:
    """Return the bytes of a cassette file, whatever they are; FileNotFoundError without one."""
    try:
        # Neither a named pipe nor a device is waited for.
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            raise OSError("it is a pipe, a socket or a device")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        what = f"{display_path(path)} cannot be read: {_reason(error)}."
        fix = "Fix: make it a file that this user may read, or give the cassette another name"
        raise CassetteFormatError(what, path=path, fix=fix) from error


# Saving.


def save(
    path: Path,
    new: New,
    *,
    drop: Callable[[Interaction], bool] | None = None,
    check: Callable[[bytes], None] | None = None,
    on_create: Callable[[], None] | None = None,
) -> CassetteData:
    """Take interactions out of a cassette file, put new ones in, and return what is then on file.

    What other processes have saved is kept, and so is each line of the interactions that stay. The
    new ones go where the first one was that `drop` took out, else to the end; where others may save
    the same, `new` chooses them, given what stays and what goes. A file that is not to
    change is not touched. `check` is given what is to be written, and what it raises stops the
    save; `on_create` is called right before a file is made where there was none.
    """
    with changing(path) as target:
        try:
            before = read(path)
        except FileNotFoundError:
            before = None
        old = loads(before, path=path) if before is not None else CassetteData()
        places = range(len(old.interactions))
        gone = {n for n in places if drop is not None and drop(old.interactions[n])}
        if callable(new):
            stays = [old.interactions[n] for n in places if n not in gone]
            new = new(stays, [old.interactions[n] for n in sorted(gone)])
        if not new and not gone:
            return old
        _refuse_too_large(path, sum(len(one.response.body) for one in new))  # before any copy
        data, interactions = _merged(before, old, list(map(as_read, new)), gone)
        _refuse_too_large(path, len(data))
        if check is not None:
            check(data)
        saved = check_reads_back(data, interactions, path)
        if before is None and on_create is not None:
            on_create()
        replace_file(target, data)
        return saved


def _refuse_too_large(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise CassetteSaveError(
            f"{display_path(path)} was not written: it would be too large for a cassette.",
            path=path,
            facts=[f"limit: {MAX_BYTES} bytes", f"got:   {size} bytes"],
            fix="Fix: use several cassettes, or leave the large answers out with ignore_hosts=[...]",
        )


def _merged(
    before: bytes | None, old: CassetteData, new: Sequence[Interaction], gone: set[int]
) -> tuple[bytes, Sequence[Interaction]]:
    """Return what to write, and the interactions that it holds."""
    count = len(old.interactions)
    place = min(gone, default=count)
    rest = [n for n in range(place, count) if n not in gone]
    kept = old.interactions
    interactions = (*kept[:place], *new, *(kept[n] for n in rest))
    if before is not None:
        from aquila_cassette.storage.edit import Part, edit_interactions  # not for a new cassette

        parts: list[Part] = [
            *((n, None) for n in range(place)),
            *((None, render(one)) for one in new),
            *((n, None) for n in rest),
        ]
        if edited := edit_interactions(before, parts):
            return edited, interactions
    written_by = old.recorded_with if before is not None else program()
    return encode(CassetteData(interactions, written_by)), interactions


@contextmanager
def changing(path: Path) -> Iterator[Path]:
    """Hold the lock of a file that is to change; the file itself is yielded, links followed.

    Its folder is made, what killed saves left is removed, and an OSError becomes `save_error`.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target):
            for leftover in target.parent.glob(f"{_prefix(target)}*.tmp"):  # of killed saves
                leftover.unlink(missing_ok=True)
            yield target
    except OSError as error:
        raise save_error(error, path) from error


def check_reads_back(data: bytes, wanted: Sequence[Interaction], path: Path) -> CassetteData:
    """Return the cassette that `data` is; raise unless it has the `wanted` interactions."""
    try:
        cassette = loads(data, path=path)
        found = cassette.interactions
        is_same = len(found) == len(wanted) and all(map(_is_same, found, wanted))
    except CassetteFormatError as error:
        raise read_back_error(path, str(error)) from error
    if not is_same:
        raise read_back_error(path)
    return cassette


def _is_same(one: Interaction, other: Interaction) -> bool:
    return fingerprint(one) == fingerprint(other) or one == other


def read_back_error(path: Path, *facts: str) -> CassetteSaveError:
    return CassetteSaveError(
        f"{display_path(path)} could not be written so that it reads back.",
        path=path,
        facts=[*facts, "The file was not changed."],
        fix="Fix: report this, with what was to be saved",
    )


def save_error(error: OSError, path: Path) -> CassetteSaveError:
    fix = "look into that, and run again"
    if isinstance(error, PermissionError):
        fix = "make it and its folder writable for this user"
    return CassetteSaveError(
        f"{display_path(path)} could not be written: {_reason(error)}.",
        path=path,
        facts=[f"at: {error.filename}"] if error.filename else [],
        fix=f"Fix: {fix}",
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


@cache
def program() -> str:
    from importlib.metadata import version  # 10 ms that only recording pays

    return f"aquila-cassette {version('aquila-cassette')}"


class Created:
    """The cassettes created in this run, shared by its processes through a folder.

    Eight tests of one run, on eight workers, may record into one new cassette in mode ``once``: the
    file that the first one creates does not close it for the other seven.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, path: object) -> None:
        self.folder.mkdir(0o700, parents=True, exist_ok=True)
        self._mark(path).touch()

    def __contains__(self, path: object) -> bool:
        return self._mark(path).exists()

    def _mark(self, path: object) -> Path:
        return self.folder / _hash(str(path))


# One file, replaced in one step.


def replace_file(target: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data`, whole or in parts, where `target` (no link) is; the mode stays.

    It goes through a temporary file beside it, which is read back.
    """
    mode = None
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(target.stat().st_mode)
        if not os.access(target, os.W_OK):  # a rename asks the folder alone
            raise PermissionError(13, "Permission denied", str(target))
    temporary = target.with_name(f"{_prefix(target)}{os.urandom(4).hex()}.tmp")
    sent = hashlib.sha256()
    try:
        with temporary.open("x+b") as file:
            for part in [data] if isinstance(data, bytes) else data:
                file.write(part)
                sent.update(part)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            if hashlib.file_digest(file, "sha256").digest() != sent.digest():
                raise read_back_error(target)
        if mode is not None:
            temporary.chmod(mode)
        for left in reversed(range(_RENAME_ATTEMPTS)):
            try:
                temporary.replace(target)
                break
            except PermissionError:
                if not left:
                    raise
                time.sleep(_LOCK_POLL)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _prefix(target: Path) -> str:
    # A hash, since the name itself may be as long as a name can be.
    return f".aquila-{_hash(target.name)[:12]}-"


@contextmanager
def locked(target: Path, timeout: float = _LOCK_TIMEOUT) -> Iterator[None]:
    """Hold the lock of `target`, among all processes of this user; no file is left beside it."""
    import tempfile  # neither is needed to replay

    from filelock import FileLock, Timeout

    # A folder of this user's own: the system's temporary one is everybody's.
    owner = os.geteuid() if hasattr(os, "geteuid") else ""
    folder = Path(tempfile.gettempdir()) / f"aquila-cassette-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner != "" and folder.lstat().st_uid != owner:
        raise PermissionError(1, "it belongs to another user", str(folder))
    lock = FileLock(folder / f"{_hash(target)[:32]}.lock")
    try:
        lock.acquire(timeout=timeout, poll_interval=_LOCK_POLL)
    except Timeout as error:
        raise CassetteSaveError(
            f"{display_path(target)} could not be written: another process is writing it.",
            path=target,
            facts=[f"waited: {timeout:g} s", f"lock:   {error.lock_file}"],
            fix="Fix: end the process that holds it, and run again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _hash(name: str | Path) -> str:
    data = os.path.normcase(name).encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()
