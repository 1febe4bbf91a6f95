"""`Suite`: the plugin that a suite was written for, its running test, and what that test missed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

from aquila_cassette.model import Request
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.session.session import Session

Kind = Literal["pytest-recording", "pytest-vcr"]
"""The plugin that a suite was written for."""

SUITE: pytest.StashKey[Suite] = pytest.StashKey()


class Suite:
    """One run; `strict` fails tests for bodies that differ and for swallowed misses."""

    item: pytest.Item

    def __init__(self, config: pytest.Config, kind: Kind, *, strict: bool) -> None:
        self.kind = kind
        self.strict = strict
        self.failed = False
        self.sessions: list[Session] = []
        self._config = config

    def begin(self, item: pytest.Item) -> None:
        self.item = item
        self.failed = False
        self.sessions = []

    def rerecord(self, _mode: str) -> str:
        flag = "--vcr-record=all" if self.kind == "pytest-vcr" else "--record-mode=rewrite"
        return f"{naming.command_of(self.item)} {flag}"

    def report_swallowed_misses(self) -> None:
        """Fail the test for misses that did not reach it, or note them."""
        misses = [miss for session in self.sessions for miss in session.take_swallowed()]
        function = inspect.unwrap(getattr(self.item, "function", lambda: None))
        code = getattr(function, "__code__", None)
        misses = [miss for miss in misses if not _reached(miss, code)]
        if misses and self.strict:
            from aquila_cassette.session.miss import combined

            raise combined(misses)
        for miss in misses:
            self._note(f"{self.item.nodeid} swallowed a miss: {miss.method} {miss.url}")

    def count(self, owner: Owner, other_body: list[Request]) -> None:
        """Count what a block did, and note the bodies that vcrpy would have passed over."""
        self._config.stash[RUN].count(owner)
        for request in other_body:
            self._note(
                f"{owner.name} got the answer to another body: {request.method} {request.url}"
            )

    def _note(self, text: str) -> None:
        self._config.stash[RUN].tally.notes.append(f"aquila: {text}")


def _reached(error: BaseException, code: object) -> bool:
    """Return whether an exception, where it was caught, had reached the function with `code`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return trace is not None


def use_for_test(request: pytest.FixtureRequest, cassette: Any) -> Iterator[Any]:
    """Open a cassette for as long as a fixture lives, and close it as the test ended."""
    yield cassette.__enter__()
    # The test's own exception does not come by here; its report says whether there was one.
    error = Exception("the test failed") if request.config.stash[SUITE].failed else None
    cassette.__exit__(type(error) if error else None, error, None)
