"""The tape of one owner: what is on file, what of it was played, what was recorded since."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cassette import files
from aquila_cassette.cassette.model import Interaction, Request, Tape
from aquila_cassette.cassette.modes import TapeState

if TYPE_CHECKING:
    from aquila_cassette.engine.births import Births
    from aquila_cassette.engine.recording import Recording

__all__ = ["Found", "Reel"]

KeyOf = Callable[[Request], Hashable]


class Found(NamedTuple):
    """Where on the tape an answer is (from 0), and whether another one to the same follows."""

    place: int
    more: bool


class Reel:
    """One cassette file as one test (or one block outside pytest) sees it.

    All blocks that a test opens on the same file share it: what one of them played is played.

    Args:
        path: The file; it need not exist.
        births: What was made in this run; None where a file that exists is simply there.
    """

    def __init__(self, path: Path, births: Births | None) -> None:
        self.path = path
        self.state: TapeState
        if not path.exists():
            self.state, self.tape = "absent", Tape()
        else:
            self.tape = files.load(path)
            self.state = "born" if births is not None and path in births else "present"
        self.played: set[int] = set()
        self.recordings: list[Recording] = []
        self.numbers = itertools.count(1)
        self._births = births
        self._indexes: dict[Hashable, Mapping[Hashable, deque[int]]] = {}
        self._lasts: dict[tuple[Hashable, Hashable], int] = {}
        self._lock = threading.Lock()

    def take(
        self, matching: Hashable, key_of: KeyOf, key: Hashable, *, repeats: bool
    ) -> Found | None:
        """Take the next recording of the request with `key`, in recorded order.

        Args:
            matching: Names the way of matching, so that its index is built once.
            key_of: Computes the key of a recorded request.
            key: The key of the request at hand.
            repeats: Whether the last of equal recordings plays again when all were played.
        """
        with self._lock:
            waiting = self._index(matching, key_of).get(key)
            if waiting is None:
                return None
            while waiting and waiting[0] in self.played:
                waiting.popleft()
            if waiting:
                place = waiting.popleft()
                self.played.add(place)
                self._lasts[matching, key] = place
                return Found(place, bool(waiting) or repeats)
            last = self._lasts.get((matching, key))
            return Found(last, more=True) if repeats and last is not None else None

    def played_before(self, matching: Hashable, key: Hashable) -> int | None:
        """Tell which recording of the request with `key` was played last."""
        return self._lasts.get((matching, key))

    def add(self, recording: Recording) -> None:
        """Take in a recording whose request has just started."""
        with self._lock:
            self.recordings.append(recording)

    def forget(self, recording: Recording) -> None:
        """Drop a recording that is not to be kept."""
        with self._lock:
            self.recordings.remove(recording)

    def save(
        self,
        interactions: Sequence[Interaction],
        *,
        drop: Callable[[Interaction], bool] | None,
        check: Callable[[str], None],
    ) -> None:
        """Write `interactions` to the file, merged with what others have added since.

        Args:
            interactions: What is new, in the order in which the requests started.
            drop: Tells which interactions on file give way; None keeps all.
            check: Sees the text that is to be written; what it raises stops the save.
        """
        births = self._births
        files.save(
            self.path,
            interactions,
            drop=drop,
            check=check,
            on_create=None if births is None else lambda: births.add(self.path),
        )

    def _index(self, matching: Hashable, key_of: KeyOf) -> Mapping[Hashable, deque[int]]:
        index = self._indexes.get(matching)
        if index is None:
            built: dict[Hashable, deque[int]] = {}
            for place, interaction in enumerate(self.tape.interactions):
                built.setdefault(key_of(interaction.request), deque()).append(place)
            index = self._indexes[matching] = built
        return index
