"""`Owner`: the test or script of a block: what it must replay, what mode `all` replaces; calls `saving`."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from aquila_cassette.errors import UnplayedError, UnplayedWarning
from aquila_cassette.model import Interaction
from aquila_cassette.options import Layer, environment_layer, resolve
from aquila_cassette.session import saving
from aquila_cassette.session.miss import combined
from aquila_cassette.session.saving import Created
from aquila_cassette.session.session import Session

_TEARDOWN = " (teardown)"

Kind = Literal["test", "wider", "block"]
"""A test must replay what it recorded; a wider owner (a class, a module, a package, the session) and
a block outside pytest run in part. A block decides at its own end what is saved."""


class Owner:
    """The owner of blocks: what they recorded and must replay.

    `name` is the pytest node id; without one a block is its own owner. `fix` is the command that
    records again; `above` and `below` are settings stronger and weaker than those of a call.
    `keys` is called when a block that can only replay is opened (True) and closed (False).
    """

    def __init__(
        self,
        name: str | None,
        *,
        fix: str,
        kind: Kind = "test",
        above: Sequence[Layer] = (),
        below: Sequence[Layer] = (),
        root: Path | None = None,
        created: Created | None = None,
        keys: Callable[[bool], None] | None = None,
    ) -> None:
        self.name = name
        self.fix = fix
        self.kind: Kind = kind if name else "block"
        self.above = list(above)
        self.below = list(below)
        self.root = root or Path.cwd()
        self.sessions: list[Session] = []
        self.in_teardown = False
        self.failed = False
        self.xfailed = False
        self._created = created
        self._keys = keys

    @classmethod
    def of_a_block(cls) -> Owner:
        """Make the owner of one block outside pytest."""
        command = shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])
        fix = f"Fix: AQUILA_RECORD=all {command}"
        return cls(None, fix=fix, kind="block", above=environment_layer(os.environ))

    def begin_teardown(self) -> None:
        """Sign what fixtures ask for from now on as such: when the test's part ends, it is not due."""
        self.in_teardown = True
        for session in self.sessions:
            session.signature = self._signature

    @property
    def _signature(self) -> str | None:
        """What is written to ``recorded_by`` now."""
        return f"{self.name}{_TEARDOWN}" if self.name and self.in_teardown else self.name

    @property
    def keeps_old(self) -> bool:
        """Whether mode ``all`` was to replace a cassette of this owner, and has not done so."""
        return any(session.keeps_old for session in self.sessions)

    def open(self, name: str, call: Layer) -> Session:
        """Open a cassette for one block, with the options of its call."""
        session = Session(
            name,
            resolve([*self.above, call, *self.below], os.environ),
            root=self.root,
            fix=self.fix,
            signature=self._signature,
            created=self._created or (),
            recorded_before=self._recorded_in_mode_all,
        )
        session.keeps_old = session.mode == "all"
        self.sessions.append(session)
        if self._keys and session.mode == "none":
            self._keys(True)
        return session

    def close(self, session: Session, error: BaseException | None) -> None:
        """End a block: save, and raise the misses that nobody saw.

        An `error` that leaves the block gets notes instead of being replaced.
        """
        __tracebackhide__ = True
        session.stop()
        if self._keys and session.mode == "none":
            self._keys(False)
        if session.mode != "all":
            saving.save_block(session, self._created, raised=error is not None)
        if self.kind == "block":
            self.end(passed=error is None)
        misses = session.take_swallowed(error)
        if error is None and misses:
            raise combined(misses)
        if error is not None:
            for text in (*map(str, misses), saving.discarded_note(session)):
                if text:
                    error.add_note(text)

    def check(self) -> None:
        """Raise what a test must fail with: swallowed misses, lost good answers, unplayed ones."""
        __tracebackhide__ = True
        if misses := [miss for session in self.sessions for miss in session.take_swallowed()]:
            raise combined(misses)
        self._refuse_losses()
        if any(session.misses for session in self.sessions):
            return
        for session, left in self.unplayed():
            error = self._unplayed_error(session, left)
            if session.options.on_unplayed == "fail":
                raise error
            if session.options.on_unplayed == "warn":
                warnings.warn(UnplayedWarning(str(error)), stacklevel=1)

    def unplayed(self) -> list[tuple[Session, list[tuple[int, Interaction]]]]:
        """Return what this owner once recorded and did not replay now, a row for each cassette.

        It counts in all blocks of a test together. Only a test must replay what it recorded: wider
        owners and scripts run in part. A cassette that mode ``all`` re-records has nothing unplayed.
        """
        rows = []
        for sessions in self._by_path() if self.kind == "test" else ():
            played = set().union(*(session.index.played for session in sessions))
            left = [
                (place + 1, one)
                for place, one in enumerate(sessions[0].index.interactions)
                if place not in played and self._owns_and_is_due(one)
            ]
            if left and all(session.mode != "all" for session in sessions):
                rows.append((sessions[0], left))
        return rows

    def end(self, *, passed: bool) -> None:
        """Let the outcome decide what is saved; see `saving`.

        Mode ``all`` replaces all of this owner's cassettes or none: they may follow from each other.
        """
        for sessions in self._by_path(mode_all=False):
            saving.save_outcome(sessions, self._created, passed=passed)
        if not passed:
            return
        self._refuse_losses()
        for sessions in self._by_path(mode_all=True):
            saving.replace_old(sessions, self._created, self._owns_and_is_due)
        for session in self.sessions:
            session.keeps_old = False

    def _refuse_losses(self) -> None:
        __tracebackhide__ = True
        for sessions in self._by_path(mode_all=True):
            if not any(session.is_open for session in sessions):
                saving.refuse_loss(sessions, self._owns_and_is_due)

    def _recorded_in_mode_all(self, path: Path) -> list[Interaction]:
        sessions = [one for one in self.sessions if one.path == path and one.mode == "all"]
        return [one for session in sessions for one in session.recorded]

    def _by_path(self, *, mode_all: bool | None = None) -> list[list[Session]]:
        grouped: dict[Path, list[Session]] = {}
        for session in self.sessions:
            if mode_all in (None, session.mode == "all"):
                grouped.setdefault(session.path, []).append(session)
        return list(grouped.values())

    def _owns_and_is_due(self, interaction: Interaction) -> bool:
        """Return whether this owner recorded it, and not in a teardown that did not begin yet."""
        by = interaction.recorded_by
        return by is not None and (
            by == self.name or (self.in_teardown and by == f"{self.name}{_TEARDOWN}")
        )

    def _unplayed_error(
        self, session: Session, left: Sequence[tuple[int, Interaction]]
    ) -> UnplayedError:
        facts = [f"cassette: {session.shown_path} (mode {session.mode})"]
        for number, one in left:
            dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
            asked = f"{one.request.method} {one.request.url}"
            facts.append(f"unplayed: interaction {number}, {asked}{dated}")
        count = f"{len(left)} interaction{'s' if len(left) > 1 else ''}"
        return UnplayedError(
            f"{self.name} did not play {count} that it recorded.", facts=facts, fix=self.fix
        )
