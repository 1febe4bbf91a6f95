"""What forked children do in an open block: a journal that they share with the process that opened it."""

from __future__ import annotations

import os
import pickle
import struct
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aquila_cassette.errors import ScopeError

_LENGTH = struct.Struct("Q")


class Journal:
    """What all processes of one block do: each appends its own, and counts what the others did.

    ``played`` (the place of the interaction), ``missed`` (the error), ``asked`` (the number of a
    request, and which), ``recorded`` (the same number, and what came), and ``over``.
    """

    def __init__(self, path: str, count: Callable[[str, Any, Any], None]) -> None:
        self._path = path
        self._count = count
        self._pid = os.getpid()
        self._file, name = tempfile.mkstemp()
        Path(name).unlink()  # it is there as long as a process has it open
        self._seen = 0  # bytes
        self._depth = 0
        self._asked: dict[object, str] = {}  # by children that record the answer now
        self._lock = threading.RLock()

    @property
    def is_forked(self) -> bool:
        """Whether this process is a child of the one that opened the block."""
        return os.getpid() != self._pid

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other processes, and threads, out, and count what they did."""
        import fcntl  # there is none where nothing forks

        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            self._depth += 1  # the garbage collector may end a stream, and note that, within
            try:
                self._read()
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    fcntl.lockf(self._file, fcntl.LOCK_UN)

    def append(self, kind: str, of: object = None, value: object = None) -> None:
        """Tell the other processes of something; call it ``locked``."""
        data = pickle.dumps((kind, of, value))
        os.pwrite(self._file, _LENGTH.pack(len(data)) + data, self._seen)
        self._seen += _LENGTH.size + len(data)

    def note(self, kind: str, of: object = None, value: object = None) -> None:
        with self.locked():
            self.append(kind, of, value)

    def in_child(self) -> None:
        self._depth = 0
        renew_locks(self)

    def end(self) -> None:
        """Count nothing more of children, and warn of those that still record."""
        self.note("over")
        os.close(self._file)
        if self._asked:
            lines = [
                f"A forked process still recorded when its block of {self._path} was over.",
                *(f"  not saved: {asked}" for asked in self._asked.values()),
                "Fix: wait for the process within the block",
            ]
            warnings.warn("\n".join(lines), RuntimeWarning, stacklevel=2)

    def _read(self) -> None:
        while head := os.pread(self._file, _LENGTH.size, self._seen):
            (length,) = _LENGTH.unpack(head)
            kind, of, value = pickle.loads(os.pread(self._file, length, self._seen + _LENGTH.size))
            if kind == "over":
                raise ScopeError(
                    f"The block of {self._path} is over in the process that opened it.",
                    facts=[f"asked in: process {os.getpid()}, forked within the block"],
                    fix="Fix: wait for the process within the block",
                )
            self._seen += _LENGTH.size + length
            if kind == "asked":
                self._asked[of] = value
            else:
                self._asked.pop(of, None)
                self._count(kind, of, value)


def renew_locks(*holders: Any) -> None:
    """Free, in a child, the locks that other threads of its parent held."""
    for holder in holders:
        if hasattr(holder, "_lock"):
            holder._lock = threading.RLock()
