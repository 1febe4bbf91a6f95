"""A pytest run: the owner of the running test, what its outcome decides, the counts."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.errors import AquilaError, CassetteError, OverwriteError, UnplayedError
from aquila_cassette.plugin import command_line as options
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.misses import on_one_screen, section
from aquila_cassette.plugin.summary import (
    Tally,
    Unused,
    given_names,
    is_complete,
    merge,
    not_changed,
    note,
    outcome_of,
    unused_lines,
)
from aquila_cassette.plugin.wider import WiderOwners
from aquila_cassette.session.current_session import SESSION, leave, real_disk

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Owner

RUN: pytest.StashKey[Run] = pytest.StashKey()


class Run:
    """One pytest process, and its hooks. The engine is loaded when a test opens a cassette.

    `number` names the run, the same in all of its processes; None in the main one.
    """

    def __init__(self, config: pytest.Config, number: str | None) -> None:
        self.config = config
        self.tally = Tally(given=given_names(config))
        self.unused: Unused | None = None  # known after a complete run
        self.is_worker = number is not None
        self.number = number or os.urandom(16).hex()
        self.owner: Owner | None = None  # of the running test, once it has opened a cassette
        self.settings: Mapping[str, Any] = {}
        self._skipped = False
        self.wider = WiderOwners(self._make_wider_owner, self.tally)
        self._block_owners: list[Owner] = []  # of blocks outside every test
        self._item: pytest.Item | None = None
        self._shared_folder = Path(tempfile.gettempdir(), f"aquila-cassette-run-{self.number}")
        self._has_keys = False

    # Owners.

    def owner_of_now(self) -> Owner | None:
        """Return who owns a block opened now: a wider fixture's class or module, else the test."""
        if wider := self.wider.owner_of_now():
            return wider
        item = self._item
        if item is None:
            from aquila_cassette.session.owner import BlockOwner

            owner = self._make_owner(None, None, "pytest", {}, kind=BlockOwner)
            self._block_owners.append(owner)
            return owner
        if self.owner is None:
            name, command = naming.suite_id(item.nodeid, self.config), naming.command_of(item)
            self.owner = self._make_owner(item, name, command, self.settings)
        return self.owner

    def _make_wider_owner(self, node: pytest.Collector, request: pytest.FixtureRequest) -> Owner:
        """Make the owner of a class, module or package; a session fixture's is named by its test."""
        settings: Mapping[str, Any] = {}
        if request.fixturename != "aquila_config":
            with suppress(pytest.fail.Exception):  # it has a narrower scope
                settings = request.getfixturevalue("aquila_config")
        name = naming.scope_name(node)
        asked_by = self._item if name == SESSION and self._item is not None else node
        command = naming.command_of(asked_by)
        noted_as = naming.suite_id(asked_by.nodeid, self.config) if asked_by is self._item else name
        return self._make_owner(
            node, name, command, settings, noted_as=noted_as, is_test=False, is_shared=True
        )

    @cached_property
    def _missed_before(self) -> Mapping[str, Any]:
        cache = getattr(self.config, "cache", None)  # none under -p no:cacheprovider
        return cache.get("aquila/misses", {}) if cache is not None else {}

    def _make_owner(
        self,
        node: pytest.Item | pytest.Collector | None,
        name: str | None,
        command: str,
        settings: Mapping[str, Any],
        kind: type[Owner] | None = None,
        **how: Any,
    ) -> Owner:
        """Make an owner with the settings of its marker, its `aquila_config` and the ini file."""
        from aquila_cassette.options import Layer
        from aquila_cassette.session.owner import Owner
        from aquila_cassette.session.run_folder import RunFolder

        marker = node and naming.marker_of(node)
        marked = [Layer("@pytest.mark.aquila_cassette", marker.kwargs)] if marker else []
        case = sys.modules.get("unittest")
        cls = getattr(self._item, "cls", None)
        path = node.path if node else self.config.rootpath
        root, folder = naming.suite_of(path if path.is_dir() else path.parent, self.config)
        # What is noted of a complete run is about one suite, the one in pytest's rootdir.
        self.tally.is_partial |= root != self.config.rootpath
        return (kind or Owner)(
            name,
            lambda mode: f"{command} --aquila-record={mode}",
            above=options.above(self.config),
            below=[
                *marked,
                Layer("aquila_config", settings),
                *options.ini(self.config),
                Layer("ini aquila_cassette_dir", {"cassette_dir": folder or None}),
            ],
            root=root,
            run=RunFolder(self._shared_folder),
            sets_keys=options.placeholder_keys(self.config) != "false",
            was_edited=(how.get("noted_as") or name or "") in self._missed_before,
            # unittest ends what it entered after it caught the test's exception.
            defers_misses=bool(case and cls and issubclass(cls, case.TestCase)),
            **how,
        )

    def _switch_keys(self, needs_keys: bool) -> None:
        """Set placeholder keys for a test that uses cassettes, or take them away again."""
        needs_keys = needs_keys and options.placeholder_keys(self.config) != "false"
        if needs_keys != self._has_keys:
            from aquila_cassette.dialects.providers import KEYS

            self._has_keys = needs_keys
            KEYS.switch("models", on=needs_keys)

    def count(self, owner: Owner) -> None:
        self.tally.add(owner, self.config.rootpath)

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
        if (keys := sys.modules.get("aquila_cassette.dialects.providers")) is not None:
            keys.KEYS.restore()  # what the test's monkeypatch put back
        owner = self.owner
        if owner is not None:
            if not is_whole:  # interrupted: its teardown did not run
                with suppress(AquilaError):
                    owner.end(passed=False)
            for session in owner.sessions:
                leave(session)  # if nobody did
            self.count(owner)
        given_up = owner is not None and owner.keeps_old
        if is_whole and not (self._skipped or given_up):
            self.tally.ran.append(naming.suite_id(item.nodeid, self.config))
        self._item = self.owner = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Set keys before fixtures make clients, and patch before pytest-httpx does."""
        if self.owner is not None:  # of an earlier try of this test
            if self.owner.succeeded:
                self.count(self.owner)
            else:
                self.owner.withdraw()
            self.owner = None
        self._skipped = False
        self._switch_keys(naming.uses_cassettes(item))
        if "pyfakefs" in sys.modules and naming.uses_cassettes(item):
            import aquila_cassette.api  # noqa: F401 - what is imported on its fake disk is lost
        is_mocked = "httpx_mock" in getattr(item, "fixturenames", ())
        if is_mocked and "aquila_cassette.api" in sys.modules:
            from aquila_cassette import http

            http.install()
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Fail a test that passed although it missed, or left an interaction unplayed."""
        __tracebackhide__ = True
        yield
        if self.owner is not None:
            with real_disk():
                self.owner.check()
        self.wider.check_misses()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Note whether the test has failed so far, for the cassettes of its fixtures."""
        error = call.excinfo.value if call.excinfo is not None else None
        if error is not None:
            # What is reported here is not reported once more when the block of a fixture ends.
            owners = filter(None, (self.owner, *self.wider.owners.values()))
            if misses := [miss for owner in owners for miss in owner.take_swallowed(error)]:
                from aquila_cassette.session.miss import combined

                error.add_note(str(combined(misses)))
            is_loaded = "aquila_cassette.session.miss" in sys.modules
            if is_loaded and call.excinfo and not self.config.getoption("fulltrace", default=False):
                call.excinfo = on_one_screen(call.excinfo)
        report = yield
        if isinstance(error, (UnplayedError, OverwriteError)):
            report.longrepr = _without_traceback(call.excinfo)
        outcome = outcome_of(report)
        self._skipped |= outcome == "skipped"
        if outcome == "xfailed" and isinstance(error, CassetteError):
            # That a cassette could not be replaced is not what the test is expected to fail with.
            del report.wasxfail
            report.outcome = "failed"
        if self.owner is not None and not report.passed:
            self.owner.outcome = outcome
            faulty = [session for session in self.owner.sessions if session.options.faults]
            if made := [str(one) for session in faulty for one in session.attempts.made]:
                report.sections.append(
                    ("aquila: the attempts of its blocks with faults", "\n".join(made))
                )
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> Generator[None, None, None]:
        """Check what the teardown did; then the outcome decides what is saved.

        That of the test, then those of the classes and modules that are over with it.
        """
        __tracebackhide__ = True
        if self.owner is not None:
            self.owner.begin_teardown()
        passed = is_torn_down = False
        try:
            yield
            is_torn_down = True
            owner = self.owner
            if owner is not None:
                if owner.outcome == "passed":
                    with real_disk():
                        owner.check()
                passed = owner.succeeded
        finally:
            try:
                if self.owner is not None:
                    with real_disk():
                        self.owner.end(passed=passed)
            finally:
                self.wider.end(nextitem, passed=is_torn_down)

    # The run as a whole.

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self.tally.tests.add(naming.suite_id(item.nodeid, self.config))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what `aquila-cassette record` did not select: a test, its class, module or package."""
        if (file := self.config.getoption("--aquila-select")) is None:
            return
        selected = set(json.loads(Path(file).read_text("utf-8")))
        left, kept = list[pytest.Item](), list[pytest.Item]()
        for item in items:
            owners = map(naming.scope_name, item.listchain()[:-1])
            test = naming.suite_id(item.nodeid, self.config)
            (left if selected.isdisjoint([test, *owners]) else kept).append(item)
        self.config.hook.pytest_deselected(items=left)
        items[:] = kept

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.tally.is_partial |= bool(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.passed:
            self.tally.modules.add(naming.suite_id(report.nodeid, self.config))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.tally.report(report, naming.suite_id(report.nodeid, self.config))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send an xdist worker's counts to the controller; find what no test used."""
        was_stopped = session.exitstatus not in (0, 1)
        with suppress(AquilaError):
            self.wider.end(None, passed=not was_stopped)
        for owner in (*self.wider.owners.values(), *self._block_owners):
            self.count(owner)
            if owner.name and not owner.keeps_old:
                self.tally.ran.append(owner.name)
        if self.is_worker:
            self.config.workeroutput["aquila"] = dict(vars(self.tally))  # type: ignore[attr-defined]
            return
        self._settle(session, was_stopped=was_stopped)
        if is_complete(self.config, session, self.tally):
            self.unused = self.tally.unused(self.config.rootpath)

    def _settle(self, session: pytest.Session, *, was_stopped: bool) -> None:
        """Decide once more for each wider owner, now that all tests of all processes are over."""
        if not self._shared_folder.exists():
            return
        from aquila_cassette.session import saving
        from aquila_cassette.session.run_folder import RunFolder

        folder = RunFolder(self._shared_folder)
        complete = is_complete(self.config, session, self.tally)
        for name in sorted({change.owner for change in folder.changes()}):
            is_whole = self.tally.is_whole(name, is_complete=complete)
            passed = not self.tally.has_failed(name) and (is_whole or not was_stopped)
            for path in saving.settle(folder, name, passed=passed, is_whole=is_whole):
                self.tally.notes.append(not_changed(path, f"{name} failed"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["aquila_run"] = self.number

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {}).get("aquila")
        if output is None:
            self.tally.is_partial = True
        else:
            merge(self.tally, output)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        tally = self.tally
        if not tally.cassettes:
            return
        if lines := section(tally.misses):
            terminalreporter.section("aquila: misses")
            for line in lines:
                terminalreporter.write_line(line)
        for line in (*dict.fromkeys(tally.notes), *unused_lines(self.unused or {})):
            terminalreporter.write_line(line, yellow=True)
        bad = bool(tally.missed or tally.unplayed)
        terminalreporter.write_line(tally.line(), red=bad, green=not bad)

    def close(self) -> None:
        if not self.is_worker:
            note(self.config, self.tally, self.unused)
            shutil.rmtree(self._shared_folder, ignore_errors=True)


def _without_traceback(raised: Any) -> Any:
    """Return the text of an error that a check of ours raised: no line of the user's is in it."""
    shown = raised.getrepr(style="short")
    entry = shown.reprtraceback.reprentries[-1]
    entry.lines = [f"E   {line}" for line in raised.exconly().splitlines()]
    entry.reprfileloc = entry.reprlocals = None
    shown.reprtraceback.reprentries = [entry]
    return shown
