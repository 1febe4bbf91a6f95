"""Whose recordings and replays these are: a test's, or a block's of its own outside pytest."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aquila_cassette.errors import CassetteError
from aquila_cassette.options import Layer, Resolved, environment_layer, resolve
from aquila_cassette.session.created_this_run import recorded_since

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction
    from aquila_cassette.session.created_this_run import CreatedThisRun
    from aquila_cassette.session.session import Session

__all__ = ["Keys", "Owner"]


class Keys(Protocol):
    """Who lends placeholder keys while a block can only replay."""

    def opened(self) -> None:
        """Note that such a block is open."""

    def closed(self) -> None:
        """Note that it is closed."""


_TEARDOWN = " (teardown)"


class Owner:
    """Who answers for what was recorded and what must be played.

    Args:
        name: The pytest node id that is written to ``recorded_by``; None for a block that answers
            for itself.
        rerecord: The whole last line of an error: the command that records again.
        above: Settings stronger than those of a call, the strongest first.
        below: Settings weaker than those of a call, the strongest first.
        root: The folder that a relative cassette folder is taken from.
        created: Which cassettes were made in this run; None where there is no run.
        keys: Who is told of the blocks of mode ``none``.
    """

    def __init__(
        self,
        name: str | None,
        *,
        rerecord: str,
        above: Sequence[Layer] = (),
        below: Sequence[Layer] = (),
        root: Path | None = None,
        created: CreatedThisRun | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.name = name
        self.in_teardown = False
        self.failed = False
        self.xfailed = False
        self.committed = False
        self.refused: CassetteError | None = None
        self.rerecord = rerecord
        self.above = list(above)
        self.below = list(below)
        self.root = root or Path.cwd()
        self.cassettes: list[Session] = []
        self._since = time.monotonic()
        self.created = created
        self.keys = keys

    @property
    def signature(self) -> str | None:
        """What is written to ``recorded_by`` now.

        What a fixture's teardown asks for is signed as such: when the test's own part is over, it
        is not due yet.
        """
        return f"{self.name}{_TEARDOWN}" if self.name and self.in_teardown else self.name

    @property
    def recorded_in_vain(self) -> bool:
        """Whether a block of mode ``all`` did not replace what it was to replace."""
        anew = [cassette for cassette in self.cassettes if cassette.mode == "all"]
        return any(cassette.keeps_old or cassette.discarded for cassette in anew)

    def owns(self, interaction: Interaction) -> bool:
        """Tell whether this owner recorded `interaction`."""
        by = interaction.recorded_by
        return by is not None and by.removesuffix(_TEARDOWN) == self.name

    @classmethod
    def of_a_block(cls) -> Owner:
        """Make the owner of one block that stands outside pytest."""
        command = shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])
        return cls(
            None,
            rerecord=f"Fix: AQUILA_RECORD=all {command}",
            above=environment_layer(os.environ),
        )

    def resolve(self, call: Layer) -> Resolved:
        """Resolve the options of one call: those above, the call's own, those below.

        Raises:
            UsageError: One of them cannot be meant.
        """
        return resolve([*self.above, call, *self.below], os.environ)

    def unplayed(self) -> list[tuple[Session, list[tuple[int, Interaction]]]]:
        """List what this owner recorded once and did not play, a row for each cassette.

        A test answers for what it recorded itself, in all of its blocks together; a block outside
        pytest for the whole cassette. A cassette that is being recorded anew owes nothing.
        """
        rows = []
        for cassettes in self._by_path():
            first = cassettes[0]
            if any(cassette.mode == "all" for cassette in cassettes):
                continue
            played = set().union(*(cassette.index.played for cassette in cassettes))
            left = [
                (place + 1, interaction)
                for place, interaction in enumerate(first.index.interactions)
                if place not in played and self._owes(interaction)
            ]
            if left:
                rows.append((first, left))
        return rows

    def refuse_losses(self) -> None:
        """Look whether what was on file may give way to what mode ``all`` recorded so far.

        Raises:
            OverwriteError: Failures would take the place of good answers.
        """
        with self._noting_refusal():
            for anew in self._anew():
                if not any(cassette.is_open for cassette in anew):
                    anew[-1].refuse_loss(self._gives_way_now)

    def commit(self) -> None:
        """Put what mode ``all`` recorded in the place of what this owner had on file before.

        It is all of it, or nothing: a test's cassettes may follow from each other. Recordings of nobody
        (made outside pytest) give way where they answer the same request. A cassette stays as it was
        where something of it was given up since a block raised.

        Raises:
            OverwriteError: Failures would take the place of good answers.
            CassetteSaveError: The file could not be written.
            SecretLeakError: What would have been written still holds a known secret.
        """
        self.refuse_losses()
        with self._noting_refusal():
            for anew in self._anew():
                if not any(cassette.discarded for cassette in anew):
                    anew[-1].save_instead(self._gives_way)
        self.committed = True

    def recorded_anew(self, path: Path) -> list[Interaction]:
        """List what blocks of mode ``all`` have recorded for `path` and not saved yet."""
        return [one for cassette in self._anew_at(path) for one in cassette.recorded]

    def answers_anew(self, path: Path) -> list[Interaction]:
        """List what came of all that blocks of mode ``all`` have asked for `path`, kept or not."""
        return [one for cassette in self._anew_at(path) for one in cassette.answers]

    @contextmanager
    def _noting_refusal(self) -> Iterator[None]:
        try:
            yield
        except CassetteError as error:
            self.refused = error
            raise

    def _anew_at(self, path: Path) -> list[Session]:
        return [one for one in self.cassettes if one.path == path and one.mode == "all"]

    def _anew(self) -> list[list[Session]]:
        """List the blocks of mode ``all``, those of one file together."""
        grouped = (
            [cassette for cassette in cassettes if cassette.mode == "all"]
            for cassettes in self._by_path()
        )
        return [anew for anew in grouped if anew]

    def _by_path(self) -> list[list[Session]]:
        grouped: dict[Path, list[Session]] = {}
        for cassette in self.cassettes:
            grouped.setdefault(cassette.path, []).append(cassette)
        return list(grouped.values())

    def _gives_way(self, old: Interaction, answered_again: bool) -> bool:
        if self.owns(old):
            return True
        if self.name is None:
            return answered_again or not recorded_since(old, self._since)
        return old.recorded_by is None and answered_again

    def _gives_way_now(self, old: Interaction, answered_again: bool) -> bool:
        return self._is_due(old) and self._gives_way(old, answered_again)

    def _owes(self, interaction: Interaction) -> bool:
        if self.name is None:
            return True
        return self._is_due(interaction) and self.owns(interaction)

    def _is_due(self, interaction: Interaction) -> bool:
        by = interaction.recorded_by or ""
        return self.in_teardown or self.name is None or not by.endswith(_TEARDOWN)
