"""What the compatibility plugin knows of a run: which suite it is, and which test runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

Kind = Literal["pytest-recording", "pytest-vcr"]
"""The plugin that a suite was written for."""

SUITE: pytest.StashKey[Suite] = pytest.StashKey()

_RERECORD = {"pytest-recording": "--record-mode=rewrite", "pytest-vcr": "--vcr-record=all"}


class Suite:
    """One run; `strict` fails tests for bodies that differ and for swallowed misses."""

    def __init__(self, config: pytest.Config, kind: Kind, *, strict: bool) -> None:
        self.kind: Kind = kind
        self.strict = strict
        self.item: pytest.Item | None = None
        self.failed = False
        self.sessions: list[Session] = []
        self._config = config

    def begin(self, item: pytest.Item) -> None:
        self.item = item
        self.failed = False
        self.sessions = []

    def end(self) -> None:
        self.item = None
        self.sessions = []

    def rerecord(self, item: pytest.Item | None) -> str:
        """Return the last line of an error: the command that records again."""
        flag = _RERECORD[self.kind]
        if item is None:
            return f"Fix: pytest {flag}"
        return naming.rerecord_line(item).replace("--aquila-record=all", flag)

    def report_swallowed_misses(self, item: pytest.Item) -> None:
        """Fail the test for misses that did not reach it, or note them."""
        from aquila_cassette.session.miss import combined

        misses = [miss for session in self.sessions for miss in session.take_swallowed()]
        function = getattr(item, "function", None)
        code = getattr(inspect.unwrap(function), "__code__", None) if function else None
        misses = [miss for miss in misses if not _reached(miss, code)]
        if misses and self.strict:
            raise combined(misses)
        for miss in misses:
            self._note(f"aquila: {item.nodeid} swallowed a miss: {miss.method} {miss.url}")

    def count(self, session: Any) -> None:
        """Count what a session did, and note the bodies that vcrpy would have passed over."""
        self._config.stash[RUN].count(session.owner)
        for request in session.other_body:
            self._note(
                f"aquila: {session.owner.name or 'a wider fixture'} got the answer to another "
                f"body: {request.method} {request.url}"
            )

    def _note(self, text: str) -> None:
        self._config.stash[RUN].tally.notes.append(text)


def _reached(error: BaseException, code: object) -> bool:
    """Return whether an exception, where it was caught, had reached the function with `code`."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return True
        trace = trace.tb_next
    return False


class _TestFailed(Exception):  # noqa: N818 - it stands for the test's exception, never raised
    pass


def use_for_test(request: pytest.FixtureRequest, cassette: Any) -> Iterator[Any]:
    """Open a cassette for as long as a fixture lives, and close it as the test ended."""
    value = cassette.__enter__()
    yield value
    # The test's own exception does not come by here; its report says whether there was one.
    error = _TestFailed() if request.config.stash[SUITE].failed else None
    cassette.__exit__(type(error) if error else None, error, None)
