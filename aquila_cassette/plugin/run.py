"""A pytest run: the owner of the running test, what its outcome decides, the counts."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.errors import AquilaError, CassetteError
from aquila_cassette.plugin import command_line as options
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.placeholder_keys import PlaceholderKeys
from aquila_cassette.plugin.summary import (
    Tally,
    Unused,
    Usage,
    is_complete,
    merge,
    note,
    unused_lines,
)

if TYPE_CHECKING:
    from aquila_cassette.options import Layer
    from aquila_cassette.session.owner import Owner

RUN: pytest.StashKey[Run] = pytest.StashKey()

KEYS: pytest.StashKey[PlaceholderKeys] = pytest.StashKey()  # there before the run


class Run:
    """One pytest process, and its hooks. The engine is loaded when a test opens a cassette.

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
        self._skipped = False
        self._wider_fixtures = 0  # that are being set up: no single test owns their requests
        self._wider_owners: list[Owner] = []
        self._item: pytest.Item | None = None
        self._shared_folder = Path(tempfile.gettempdir(), f"aquila-cassette-run-{self.number}")
        self._has_keys = False

    # Owners.

    def owner_of_now(self) -> Owner | None:
        """Return who owns a block opened now: the test, or a wider fixture's block itself."""
        if self._item is None or self._wider_fixtures:
            self._wider_owners.append(self._make_owner(None))
            return self._wider_owners[-1]
        if self.owner is None:
            self.owner = self._make_owner(self._item)
        return self.owner

    def _make_owner(self, item: pytest.Item | None) -> Owner:
        from aquila_cassette.session.owner import Owner
        from aquila_cassette.storage.files import Created

        has_keys = options.placeholder_keys(self.config) != "false"
        return Owner(
            naming.node_id(item.nodeid) if item else None,
            fix=naming.rerecord_line(item) if item else "Fix: pytest --aquila-record=all",
            above=options.above(self.config),
            below=self._below(item) if item else options.ini(self.config),
            root=self.config.rootpath,
            created=Created(self._shared_folder),
            keys=self.keys.switch_for_block if has_keys else None,
        )

    def _below(self, item: pytest.Item) -> list[Layer]:
        """Return the settings of a test that are weaker than those of a call."""
        from aquila_cassette.options import Layer

        marker = item.get_closest_marker("aquila_cassette")
        marked = [Layer("@pytest.mark.aquila_cassette", marker.kwargs)] if marker else []
        return [*marked, Layer("aquila_config", self.settings), *options.ini(self.config)]

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
            self.keys.switch("models", on=needs_keys)

    def count(self, owner: Owner) -> None:
        self.tally.add(owner)
        self.usage.add(owner)

    # A test, from its set-up to its outcome.

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._item = item
        self.settings = {}
        is_whole = False
        try:
            result = yield
            is_whole = True
            return result
        finally:
            self._end(item, is_whole)

    def _end(self, item: pytest.Item, is_whole: bool) -> None:
        """Count what a test did, whole if it ran to its end."""
        self._switch_keys(False)
        self.keys.restore()
        owner = self.owner
        if owner is not None:
            if not is_whole:  # interrupted: its teardown did not run
                with suppress(AquilaError):
                    owner.end(passed=False)
            self.count(owner)
        given_up = owner is not None and owner.keeps_old
        if is_whole and not (self._skipped or given_up):
            self.tally.ran.append(naming.node_id(item.nodeid))
        self._item = self.owner = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Set keys before fixtures make clients, and patch before pytest-httpx does."""
        if self.owner is not None:  # of an earlier try of this test
            self.count(self.owner)
            self.owner = None
        self._skipped = False
        self.set_keys(item)
        is_mocked = "httpx_mock" in getattr(item, "fixturenames", ())
        if is_mocked and "aquila_cassette.api" in sys.modules:
            from aquila_cassette import http

            http.install()
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        """Keep the blocks of wider fixtures from being signed by whichever test comes first."""
        is_wider = fixturedef.scope != "function"
        self._wider_fixtures += is_wider
        try:
            return (yield)
        finally:
            self._wider_fixtures -= is_wider

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Fail a test that passed although it missed, or left an interaction unplayed."""
        yield
        if self.owner is not None:
            self.owner.check()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Note whether the test has failed so far, for the cassettes of its fixtures."""
        report = yield
        xfailed = report.skipped and hasattr(report, "wasxfail") and report.when != "setup"
        self._skipped |= report.skipped and not xfailed
        if xfailed and call.excinfo is not None and isinstance(call.excinfo.value, CassetteError):
            # That a cassette could not be replaced is not what the test is expected to fail with.
            del report.wasxfail
            report.outcome = "failed"
        if self.owner is not None and not report.passed:
            self.owner.failed = True
            self.owner.xfailed = xfailed
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Check what the teardown did; then the test's outcome decides what is saved."""
        owner = self.owner
        if owner is not None:
            owner.begin_teardown()
        passed = False
        try:
            yield
            owner = self.owner
            if owner is not None:
                if not owner.failed:
                    owner.check()
                passed = owner.xfailed or not owner.failed
        finally:
            if self.owner is not None:
                self.owner.end(passed=passed)

    # The run as a whole.

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self.usage.tests.add(naming.node_id(item.nodeid))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.usage.is_partial |= bool(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.passed:
            self.usage.modules.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.usage.report(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send an xdist worker's counts to the controller; find what no test used."""
        for owner in self._wider_owners:
            self.usage.add(owner)
        if self.is_worker:
            counts = {"tally": dict(vars(self.tally)), "usage": dict(vars(self.usage))}
            self.config.workeroutput["aquila"] = counts  # type: ignore[attr-defined]
        elif is_complete(self.config, session, self.usage):
            self.unused = self.usage.unused(self.config.rootpath)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["aquila_run"] = self.number

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {}).get("aquila")
        if output is None:
            self.usage.is_partial = True
        else:
            merge(self.tally, output["tally"])
            merge(self.usage, output["usage"])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        tally = self.tally
        if not tally.cassettes:
            return
        if self.config.getoption("--aquila-explain"):
            terminalreporter.section("aquila: options")
            terminalreporter.write_line(f"strongest first: {options.PRECEDENCE}")
            for text in sorted(tally.explained):
                terminalreporter.write_line(text)
        for change in tally.shown_changes():
            terminalreporter.write_line(change)
        for line in (*tally.notes, *unused_lines(self.unused or {})):
            terminalreporter.write_line(line, yellow=True)
        bad = bool(tally.missed or tally.unplayed)
        terminalreporter.write_line(tally.line(), red=bad, green=not bad)

    def close(self) -> None:
        self.keys.end()
        if not self.is_worker:
            note(self.config, self.tally, self.usage, self.unused)
            shutil.rmtree(self._shared_folder, ignore_errors=True)
