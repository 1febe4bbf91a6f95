"""Who opens the cassettes: the test that runs, with what its suite and its run say."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from aquila_cassette import http as intercept
from aquila_cassette.options import Layer, resolve
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN
from aquila_cassette.session.owner import Owner
from aquila_cassette.vcr_compat.files import Files
from aquila_cassette.vcr_compat.secrets import Secrets
from aquila_cassette.vcr_compat.session import Deck
from aquila_cassette.vcr_compat.suite import SUITE

if TYPE_CHECKING:
    from aquila_cassette.vcr_compat.tape import CassetteData

__all__ = ["Seat"]

_MODES = {RecordMode.NONE: "none", RecordMode.ONCE: "once", RecordMode.ALL: "all"}
# Of our own options, those that vcrpy has no word for.
_OF_OURS = ("ignore_json", "redact", "speed", "background")


class Seat:
    """Opens cassettes for the tests of a run.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def take(self, tape: CassetteData, *, anew: bool, said: Iterable[str]) -> None:
        """Put our engine under a cassette.

        Args:
            cassette: vcrpy's.
            anew: Whether it is recorded from nothing.
            said: What the suite itself puts in the place of secrets.
        """
        intercept.install()
        suite, run = self._config.stash[SUITE], self._config.stash[RUN]
        item = suite.item
        above = {name: run.settings[name] for name in _OF_OURS if name in run.settings}
        owner = Owner(
            naming.node_id(item) if item is not None else None,
            fix=suite.rerecord(item),
            above=[Layer("aquila_config", above)],
            root=self._config.rootpath,
        )
        mode = "all" if anew else _MODES.get(tape.record_mode, "new_episodes")
        call: dict[str, Any] = {"mode": mode, "match_on": ("body",), "repeats": None}
        resolved = resolve([*owner.above, Layer("the mark vcr", call)], os.environ)
        redact = resolved.options.redact
        deck = Deck(tape, resolved, owner, secrets=Secrets(redact, said), strict=suite.strict)
        if isinstance(tape._persister, Files):
            tape._persister.redact = redact
        suite.decks.append(deck)
        deck.at_end = lambda: suite.ended(deck)
