"""The state of a pytest run: the running test, its owner, the counts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.errors import AquilaError
from aquila_cassette.plugin import command_line as options
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.placeholder_keys import PlaceholderKeys
from aquila_cassette.plugin.summary import Tally, Unused, Usage, is_complete, note

if TYPE_CHECKING:
    from aquila_cassette.options import Layer
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.session.saving import Created

RUN: pytest.StashKey[Run] = pytest.StashKey()

KEYS: pytest.StashKey[PlaceholderKeys] = pytest.StashKey()  # there before the run


class Run:
    """One pytest process. The engine is loaded when a test opens its first cassette.

    `number` names the run, the same in all of its processes; None in the main one.
    """

    def __init__(self, config: pytest.Config, number: str | None) -> None:
        self.config = config
        self.tally = Tally()
        self.usage = Usage()
        self.unused: Unused | None = None  # known after a complete run
        self.is_worker = number is not None
        self.number = number or os.urandom(16).hex()
        self.keys = config.stash.setdefault(KEYS, PlaceholderKeys())
        self.owner_before: Callable[[], Owner | None] = lambda: None
        self.owner: Owner | None = None  # of the running test, once it has opened a cassette
        self.settings: Mapping[str, Any] = {}
        self.skipped = False
        self.wider_fixtures = 0  # that are being set up: no single test owns their requests
        self._wider_owners: list[Owner] = []
        self._item: pytest.Item | None = None
        self._created: Created | None = None
        self._shared_folder = Path(tempfile.gettempdir(), f"aquila-cassette-run-{self.number}")
        self._has_keys = False

    def owner_of_now(self) -> Owner | None:
        """Return who owns a block opened now: the test, or a wider fixture's block itself."""
        if self._item is None or self.wider_fixtures:
            self._wider_owners.append(self._make_owner(None))
            return self._wider_owners[-1]
        if self.owner is None:
            self.owner = self._make_owner(self._item)
        return self.owner

    def begin(self, item: pytest.Item) -> None:
        self._item = item
        self.owner = None
        self.skipped = False
        self.settings = {}

    def set_up(self, item: pytest.Item) -> None:
        """Note that the item is set up; if it is tried again, count what it did before."""
        if self.owner is not None:
            self.count(self.owner)
            self.owner = None
        self.skipped = False
        self.set_keys(item)

    def set_keys(self, item: pytest.Item) -> None:
        """Set placeholder keys for a test that replays, as far as its mode is known by now."""
        self._switch_keys(
            options.placeholder_keys(self.config) != "false"
            and naming.uses_cassettes(item)
            and options.only_replays([*options.above(self.config), *self._below(item)])
        )

    def _switch_keys(self, needs_keys: bool) -> None:
        if needs_keys != self._has_keys:
            self._has_keys = needs_keys
            (self.keys.set if needs_keys else self.keys.unset)("models")

    def count(self, owner: Owner) -> None:
        self.tally.add(owner)
        self.usage.add(owner)

    def end(self, *, whole: bool = True) -> None:
        """Note that the item is over, `whole` if it ran to its end, and count what it did."""
        self._switch_keys(False)
        self.keys.restore()
        owner = self.owner
        if owner is not None:
            if not whole:  # interrupted: its teardown did not run
                with suppress(AquilaError):
                    owner.end(passed=False)
            self.count(owner)
        given_up = owner is not None and owner.keeps_old
        if self._item is not None and whole and not (self.skipped or given_up):
            self.tally.ran.append(naming.node_id(self._item))
        self._item = self.owner = None

    def finish(self, session: pytest.Session) -> None:
        """Note at the end of this process what no test used, if its run was complete."""
        for owner in self._wider_owners:
            self.usage.add(owner)
        if not self.is_worker and is_complete(self.config, session, self.usage):
            self.unused = self.usage.unused(self.config.rootpath)

    def close(self) -> None:
        self.keys.end()
        if not self.is_worker:
            note(self.config, self.tally, self.usage, self.unused)
            shutil.rmtree(self._shared_folder, ignore_errors=True)

    def _make_owner(self, item: pytest.Item | None) -> Owner:
        from aquila_cassette.session.owner import Owner
        from aquila_cassette.session.saving import Created

        if item is not None and self._created is None:
            self._created = Created(self._shared_folder)
        has_keys = options.placeholder_keys(self.config) != "false"
        return Owner(
            naming.node_id(item) if item else None,
            fix=naming.rerecord_line(item) if item else "Fix: pytest --aquila-record=all",
            above=options.above(self.config),
            below=self._below(item) if item else options.ini(self.config),
            root=self.config.rootpath,
            created=self._created if item else None,
            keys=self.keys.switch_for_block if has_keys else None,
        )

    def _below(self, item: pytest.Item) -> list[Layer]:
        """Return the settings of a test that are weaker than those of a call."""
        from aquila_cassette.options import Layer

        marker = item.get_closest_marker("aquila_cassette")
        marked = [Layer("@pytest.mark.aquila_cassette", marker.kwargs)] if marker else []
        return [*marked, Layer("aquila_config", self.settings), *options.ini(self.config)]
