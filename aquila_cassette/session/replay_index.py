"""The cassette of one block: what it found when it was opened, and what of that it played."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import NamedTuple

from aquila_cassette import importers
from aquila_cassette.model import Interaction, Request
from aquila_cassette.session.created_this_run import CreatedThisRun
from aquila_cassette.session.modes import CassetteState

__all__ = ["Found", "ReplayIndex"]


class Found(NamedTuple):
    """Where on the cassette an answer is (from 0), and whether another one to the same follows."""

    place: int
    more: bool


class ReplayIndex:
    """What a block can play, in recorded order; lookup is by key, not by scan.

    Args:
        interactions: What is on the cassette.
        state: Whether there was a file, and whether this run made it.
        key_of: Computes the key of a recorded request.
        reader: Which test plays it: of equal recordings, its own come before those of others.
        foreign: Whose format the file has; empty for ours.
    """

    def __init__(
        self,
        interactions: Sequence[Interaction],
        state: CassetteState,
        key_of: Callable[[Request], Hashable],
        *,
        reader: str | None = None,
        foreign: str = "",
    ) -> None:
        self.foreign = foreign
        self.interactions = tuple(interactions)
        self.state: CassetteState = state
        self.played: set[int] = set()
        self._key_of = key_of
        self._reader = reader
        self._waiting: dict[Hashable, deque[int]] | None = None
        self._last: dict[Hashable, int] = {}
        self._lock = threading.RLock()

    @classmethod
    def of_file(
        cls,
        path: Path,
        created: CreatedThisRun | None,
        key_of: Callable[[Request], Hashable],
        *,
        reader: str | None = None,
    ) -> ReplayIndex:
        """Load the cassette at `path`, if there is one.

        Raises:
            CassetteFormatError: The file is there and is not a cassette.
        """
        if not path.exists():
            return cls((), "absent", key_of, reader=reader)
        state: CassetteState = "new" if created is not None and path in created else "present"
        tape = importers.load(path)
        return cls(tape.interactions, state, key_of, reader=reader, foreign=tape.foreign)

    def take(self, key: Hashable, *, repeats: bool) -> Found | None:
        """Take the next recording of the request with `key`.

        Args:
            key: The key of the request at hand.
            repeats: Whether the last of equal recordings plays again when all were played.
        """
        with self._lock:
            waiting = self._index().get(key)
            if waiting is None:
                return None
            if waiting:
                place = waiting.popleft()
                self.played.add(place)
                self._last[key] = place
                return Found(place, bool(waiting) or repeats)
            return Found(self._last[key], more=True) if repeats else None

    def played_last(self, key: Hashable) -> int | None:
        """Tell which recording of the request with `key` was played last."""
        return self._last.get(key)

    def _index(self) -> dict[Hashable, deque[int]]:
        if self._waiting is None:
            self._waiting = {}
            for place, interaction in sorted(enumerate(self.interactions), key=self._of_others):
                self._waiting.setdefault(self._key_of(interaction.request), deque()).append(place)
        return self._waiting

    def _of_others(self, numbered: tuple[int, Interaction]) -> bool:
        return self._reader is not None and numbered[1].recorded_by != self._reader
