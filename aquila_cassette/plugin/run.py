"""What the plugin knows of a run: which test runs, who answers for its blocks, what was counted."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.plugin import naming, options
from aquila_cassette.plugin.placeholder_keys import PlaceholderKeys
from aquila_cassette.plugin.summary import Tally

if TYPE_CHECKING:
    from aquila_cassette.options import Layer
    from aquila_cassette.session.created_this_run import CreatedThisRun
    from aquila_cassette.session.owner import Owner

__all__ = ["KEYS", "RUN", "Run"]

RUN: pytest.StashKey[Run] = pytest.StashKey()

KEYS: pytest.StashKey[PlaceholderKeys] = pytest.StashKey()
"""The keys that this process lends; there before the run is, which begins after the conftests."""


class Run:
    """One pytest process. The engine is loaded when a test opens its first cassette.

    Args:
        config: pytest's.
        number: Names the whole run, the same in all of its processes.
    """

    def __init__(self, config: pytest.Config, number: str | None) -> None:
        self.config = config
        self.tally = Tally()
        self.number = number or os.urandom(16).hex()
        self.is_worker = number is not None
        self.settings: Mapping[str, Any] = {}
        self.skipped = False
        self.owner_before: Callable[[], Owner | None] = lambda: None
        self._item: pytest.Item | None = None
        self._owner: Owner | None = None
        self._created: CreatedThisRun | None = None
        self._in_wider_fixture = 0
        self.keys = config.stash.setdefault(KEYS, PlaceholderKeys())
        self._lent = False

    @property
    def owner(self) -> Owner | None:
        """Who answers for the running test; None while it has not opened a cassette."""
        return self._owner

    def owner_of_now(self) -> Owner | None:
        """Give who answers for a block opened now: the test, or a wider fixture's block itself."""
        if self._item is None or self._in_wider_fixture:
            return self._make_owner(None)
        if self._owner is None:
            self._owner = self._make_owner(self._item)
        return self._owner

    def begin(self, item: pytest.Item) -> None:
        """Note that `item` runs from now on."""
        self._item = item
        self._owner = None
        self.skipped = False
        self.settings = {}

    def lend_keys(self, item: pytest.Item) -> None:
        """Lend placeholder keys to a test that replays, as far as its mode is known by now."""
        lends = (
            options.lends_keys(self.config) != "false"
            and naming.uses_cassettes(item)
            and options.only_replays([*options.above(self.config), *self._below(item)])
        )
        if lends != self._lent:
            self._lent = lends
            (self.keys.lend if lends else self.keys.take_back)("models")

    def begin_again(self) -> None:
        """Note that the item is set up; if that is not for the first time, count what it did."""
        if self._owner is not None:
            self.tally.add(self._owner)
            self._owner = None
        self.skipped = False

    def end(self, *, whole: bool = True) -> None:
        """Note that the item is over, and count what it did.

        Args:
            whole: Whether it ran to its end.
        """
        if self._lent:
            self._lent = False
            self.keys.take_back("models")
        self.keys.sweep()
        owner = self._owner
        if owner is not None:
            self.tally.add(owner)
        in_vain = owner is not None and owner.recorded_in_vain
        if self._item is not None and whole and not (self.skipped or in_vain):
            self.tally.ran.append(naming.node_id(self._item))
        self._item = self._owner = None

    def enter_wider_fixture(self) -> None:
        """Note that a fixture of wider scope is being set up: its requests are no single test's."""
        self._in_wider_fixture += 1

    def leave_wider_fixture(self) -> None:
        """Note that it is set up."""
        self._in_wider_fixture -= 1

    def close(self) -> None:
        """Give back the keys, and clean up what the processes of this run shared."""
        self.keys.end()
        if not self.is_worker:
            shutil.rmtree(self._shared_folder, ignore_errors=True)

    @property
    def _shared_folder(self) -> Path:
        return Path(tempfile.gettempdir()) / f"aquila-cassette-run-{self.number}"

    def _make_owner(self, item: pytest.Item | None) -> Owner:
        from aquila_cassette.session.created_this_run import CreatedThisRun
        from aquila_cassette.session.owner import Owner

        above, ini = options.above(self.config), options.ini(self.config)
        root = self.config.rootpath
        keys = None if options.lends_keys(self.config) == "false" else self.keys
        if item is None:
            rerecord = "Fix: pytest --aquila-record=all"
            return Owner(None, rerecord=rerecord, above=above, below=ini, root=root, keys=keys)
        if self._created is None:
            self._created = CreatedThisRun(self._shared_folder)
        return Owner(
            naming.node_id(item),
            rerecord=naming.rerecord_line(item),
            above=above,
            below=self._below(item),
            root=root,
            created=self._created,
            keys=keys,
        )

    def _below(self, item: pytest.Item) -> list[Layer]:
        """Give the settings of a test that are weaker than those of a call."""
        from aquila_cassette.options import Layer

        below = [Layer("aquila_config", self.settings), *options.ini(self.config)]
        marker = item.get_closest_marker("aquila_cassette")
        if marker is not None:
            below.insert(0, Layer("@pytest.mark.aquila_cassette", marker.kwargs))
        return below
