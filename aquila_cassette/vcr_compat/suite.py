"""What the compatibility plugin knows of a run: which suite it is of, which test runs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Literal

import pytest

from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN

if TYPE_CHECKING:
    from aquila_cassette.errors import MissError
    from aquila_cassette.vcr_compat.session import Deck

__all__ = ["SUITE", "Kind", "Suite"]

Kind = Literal["pytest-recording", "pytest-vcr"]
"""Which plugin a suite was written for."""

SUITE: pytest.StashKey[Suite] = pytest.StashKey()

_RERECORD = {"pytest-recording": "--record-mode=rewrite", "pytest-vcr": "--vcr-record=all"}


class Suite:
    """One run.

    Args:
        config: pytest's.
        kind: The plugin that the suite was written for.
        strict: Whether a body that differs and a miss that was swallowed fail a test.
    """

    def __init__(self, config: pytest.Config, kind: Kind, *, strict: bool) -> None:
        self.kind: Kind = kind
        self.strict = strict
        self.item: pytest.Item | None = None
        self.failed = False
        self.decks: list[Deck] = []
        self._config = config

    def begin(self, item: pytest.Item) -> None:
        """Note that `item` runs from now on."""
        self.item = item
        self.failed = False
        self.decks = []

    def end(self) -> None:
        """Note that it is over."""
        self.item = None
        self.decks = []

    def rerecord(self, item: pytest.Item | None) -> str:
        """Write the last line of an error: the command that records again."""
        flag = _RERECORD[self.kind]
        if item is None:
            return f"Fix: pytest {flag}"
        return naming.rerecord_line(item).replace("--aquila-record=all", flag)

    def swallowed(self) -> list[MissError]:
        """List the misses that the running test was never told of: somebody in between was."""
        misses = [miss for deck in self.decks for miss in deck.take_swallowed()]
        code = _code(self.item)
        return [miss for miss in misses if not _came_by(miss, code)]

    def note(self, text: str) -> None:
        """Say something at the end of the run, whichever process says it."""
        self._config.stash[RUN].tally.notes.append(text)

    def ended(self, deck: Deck) -> None:
        """Count what a cassette did, and note what vcrpy would have passed over."""
        self._config.stash[RUN].count(deck.owner)
        for request in deck.other_body:
            self.note(
                f"aquila: {deck.owner.name or 'a wider fixture'} got the answer to another body: "
                f"{request.method} {request.url}"
            )


def _code(item: pytest.Item | None) -> object:
    function = getattr(item, "function", None)
    return getattr(inspect.unwrap(function), "__code__", None) if function else None


def _came_by(error: BaseException, code: object) -> bool:
    """Tell whether an exception, where it was caught, had reached the function with `code`."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return True
        trace = trace.tb_next
    return False
