"""The owners of fixtures of a class, a module, a package or the session (wider than one test)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.plugin import naming
from aquila_cassette.plugin.summary import Tally
from aquila_cassette.session.current_session import real_disk

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.session.session import Session

Make = Callable[[pytest.Collector, pytest.FixtureRequest], "Owner"]


class WiderOwners:
    """Which wider owner is in force: while a fixture of its scope is set up or torn down.

    A class or module with the marker has a cassette of its own for that time, which covers
    ``setup_class`` and ``setup_module``.
    """

    def __init__(self, make: Make, tally: Tally) -> None:
        self.owners: dict[str, Owner] = {}
        self._make = make
        self._tally = tally
        self._active: list[tuple[pytest.Collector, pytest.FixtureRequest]] = []
        self._marked: dict[pytest.Collector, Session] = {}

    def owner_of_now(self) -> Owner | None:
        """Return the owner whose fixture is being set up or torn down; None outside of those."""
        return self._owner_of(*self._active[-1]) if self._active else None

    def _owner_of(self, node: pytest.Collector, request: pytest.FixtureRequest) -> Owner:
        name = naming.scope_name(node)
        if name not in self.owners:
            self.owners[name] = self._make(node, request)
        return self.owners[name]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        node = request.node
        if fixturedef.scope == "function" or isinstance(node, pytest.Item):
            return (yield)
        # Of the finalizers the last one runs first: its teardown is between these two.
        fixturedef.addfinalizer(partial(self._leave, node))
        try:
            self._enter(node, request)
            return (yield)
        finally:
            self._leave(node)
            fixturedef.addfinalizer(partial(self._enter, node, request))

    def _enter(self, node: pytest.Collector, request: pytest.FixtureRequest) -> None:
        is_inside = any(node is other for other, _ in self._active)
        self._active.append((node, request))
        if is_inside or node.get_closest_marker("aquila_cassette") is None:
            return
        from aquila_cassette import http
        from aquila_cassette.options import Layer
        from aquila_cassette.session import current_session

        http.install()
        if node not in self._marked:
            name = naming.marked_name(node)
            self._marked[node] = self._owner_of(node, request).open(name, Layer("the marker", {}))
        current_session.enter(self._marked[node])

    def _leave(self, node: pytest.Collector) -> None:
        self._active.pop()
        if node in self._marked and all(node is not other for other, _ in self._active):
            from aquila_cassette.session import current_session

            current_session.leave(self._marked[node])

    def check_misses(self) -> None:
        """Raise the misses of wider blocks that the test swallowed."""
        __tracebackhide__ = True
        if misses := [one for owner in self.owners.values() for one in owner.take_swallowed()]:
            from aquila_cassette.session.miss import combined

            raise combined(misses)

    def end(self, nextitem: pytest.Item | None, *, passed: bool) -> None:
        """Let the outcome of the scopes that `nextitem` is not in decide what is saved."""
        __tracebackhide__ = True
        if not self.owners:
            return
        following = nextitem.listchain() if nextitem is not None else []
        going_on = {naming.scope_name(node) for node in following[:-1]}
        try:
            for node in [one for one in self._marked if one not in following]:
                self._close(node)
        finally:
            for name, owner in self.owners.items():
                if name not in going_on and owner.is_undecided:
                    is_good = passed and not self._tally.has_failed(name)
                    if not is_good:
                        owner.outcome = "failed"
                    with real_disk():
                        owner.end(passed=is_good, is_whole=self._tally.is_whole(name))

    def _close(self, node: pytest.Collector) -> None:
        __tracebackhide__ = True
        session = self._marked.pop(node)
        owner = self.owners[naming.scope_name(node)]
        owner.close(session, None)
        if not (session.played or session.recorded or session.discarded or session.misses):
            owner.sessions.remove(session)  # it had nothing to do
