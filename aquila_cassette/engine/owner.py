"""Whose recordings and replays these are: a test's, or a block's of its own outside pytest."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.engine.options import Layer, Resolved, environment_layer, resolve
from aquila_cassette.engine.reel import Reel

if TYPE_CHECKING:
    from aquila_cassette.cassette.model import Interaction
    from aquila_cassette.engine.births import Births
    from aquila_cassette.engine.deck import Cassette

__all__ = ["Owner"]

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
        births: Which cassettes were made in this run; None where there is no run.
    """

    def __init__(
        self,
        name: str | None,
        *,
        rerecord: str,
        above: Sequence[Layer] = (),
        below: Sequence[Layer] = (),
        root: Path | None = None,
        births: Births | None = None,
    ) -> None:
        self.name = name
        self.in_teardown = False
        self.failed = False
        self.rerecord = rerecord
        self.above = list(above)
        self.below = list(below)
        self.root = root or Path.cwd()
        self.cassettes: list[Cassette] = []
        self._births = births
        self._reels: dict[Path, Reel] = {}

    @property
    def signature(self) -> str | None:
        """What is written to ``recorded_by`` now.

        What a fixture's teardown asks for is signed as such: when the test's own part is over, it
        is not due yet.
        """
        return f"{self.name}{_TEARDOWN}" if self.name and self.in_teardown else self.name

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
            rerecord=f"Re-record: AQUILA_RECORD=all {command}",
            above=environment_layer(os.environ),
        )

    def resolve(self, call: Layer) -> Resolved:
        """Resolve the options of one call: those above, the call's own, those below.

        Raises:
            UsageError: One of them cannot be meant.
        """
        return resolve([*self.above, call, *self.below], os.environ)

    def reel(self, path: Path) -> Reel:
        """Give the tape at `path` as this owner sees it; the same one every time.

        Raises:
            CassetteFormatError: The file is not a cassette.
        """
        reel = self._reels.get(path)
        if reel is None:
            reel = self._reels[path] = Reel(path, self._births)
        return reel

    def unplayed(self) -> list[tuple[Cassette, list[tuple[int, Interaction]]]]:
        """List what this owner recorded once and did not play, a row for each cassette.

        A test answers for what it recorded itself; a block outside pytest for the whole tape. A
        tape that is being recorded anew, or whose every block raised, owes nothing.
        """
        rows = []
        for path, reel in self._reels.items():
            opened = [cassette for cassette in self.cassettes if cassette.path == path]
            if not opened or any(cassette.mode == "all" for cassette in opened):
                continue
            left = [
                (place + 1, interaction)
                for place, interaction in enumerate(reel.tape.interactions)
                if place not in reel.played and self._owes(interaction)
            ]
            if left:
                rows.append((opened[-1], left))
        return rows

    def _owes(self, interaction: Interaction) -> bool:
        if self.name is None:
            return True
        due = self.in_teardown or not (interaction.recorded_by or "").endswith(_TEARDOWN)
        return due and self.owns(interaction)

    def commit(self) -> None:
        """Put what mode ``all`` recorded in the place of what this owner had on file before."""
        for reel in self._reels.values():
            replacing = [
                cassette
                for cassette in self.cassettes
                if cassette.path == reel.path and cassette.mode == "all"
            ]
            if replacing:
                replacing[-1].save_replacing()
