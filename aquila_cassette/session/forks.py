"""What forked children do in an open block: a journal that they share with the process that opened it."""

from __future__ import annotations

import os
import pickle
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aquila_cassette.model import Interaction


class ForkEvent(NamedTuple):
    """Something that a process did in the block: `of` says to which request or interaction.

    ``played`` (the place of the interaction), ``missed`` (the error), ``asked`` and ``recorded`` (the
    request, and then its answer), and ``over``: nothing counts any more.
    """

    kind: str
    of: Any = None
    value: Any = None


@dataclass(frozen=True)
class ForkedRecording:
    """What a child recorded: as its `Recorder` would give it, and over."""

    order: int
    kept: Interaction | None
    came: Interaction
    over = is_kept = True

    def interaction(self) -> Interaction | None:
        return self.kept

    def answer(self) -> Interaction:
        return self.came

    def block_ended(self) -> None:
        pass

    closed = give_up = block_ended


class Journal:
    """The events of one block in all its processes: each appends its own, and reads the others'."""

    def __init__(self) -> None:
        self._file, path = tempfile.mkstemp()
        Path(path).unlink()  # it is there as long as a process has it open
        self._seen = 0  # bytes
        self._depth = 0
        self._lock = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other processes, and threads, out."""
        import fcntl  # there is none where nothing forks

        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            self._depth += 1  # the garbage collector may end a stream, and note that, within
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    fcntl.lockf(self._file, fcntl.LOCK_UN)

    def news(self) -> Iterator[ForkEvent]:
        """Read what was appended since this process read or appended last; call it ``locked``."""
        while head := os.pread(self._file, _LENGTH.size, self._seen):
            start = self._seen + _LENGTH.size
            (length,) = _LENGTH.unpack(head)
            self._seen = start + length
            yield pickle.loads(_read(self._file, start, length))

    def in_child(self) -> None:
        renew_locks(self)
        self._depth = 0

    def close(self) -> None:
        os.close(self._file)

    def append(self, event: ForkEvent) -> None:
        """Append one; call it ``locked``, and after all news were read."""
        data = pickle.dumps(event)
        data = _LENGTH.pack(len(data)) + data
        while data:
            written = os.pwrite(self._file, data, self._seen)
            data = data[written:]
            self._seen += written


_LENGTH = struct.Struct("Q")


def _read(file: int, start: int, length: int) -> bytes:
    data = b""
    while len(data) < length:
        data += os.pread(file, length - len(data), start + len(data))
    return data


def renew_locks(*holders: Any) -> None:
    """Free, in a child, the locks that other threads of its parent held."""
    for holder in holders:
        if hasattr(holder, "_lock"):
            holder._lock = threading.RLock()
