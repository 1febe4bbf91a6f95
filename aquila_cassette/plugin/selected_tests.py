"""Run the tests that `aquila-cassette record` selected, and send it their outcomes.

`aquila-cassette record` loads this plugin with ``-p``. It passes files, not tests, to pytest: that
runs nothing at all if one of the tests that it is given is gone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.plugin.naming import scope_name, suite_id
from aquila_cassette.plugin.run import RUN
from aquila_cassette.plugin.summary import outcome_of
from aquila_cassette.redaction import Redaction

SELECTED = "AQUILA_CASSETTE_SELECTED"
"""The variable that names a JSON file with the node ids of the tests to run."""

EVENTS = "AQUILA_CASSETTE_EVENTS"
"""The variable that names a file descriptor to write to: one JSON value a line."""


def pytest_configure(config: pytest.Config) -> None:
    if SELECTED not in os.environ:
        return
    selected = frozenset(json.loads(Path(os.environ[SELECTED]).read_text("utf-8")))
    config.pluginmanager.register(_Selection(selected), "aquila_selected")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(
            _Reporter(config, int(os.environ.pop(EVENTS))), "aquila_reporter"
        )


class _Selection:
    def __init__(self, selected: frozenset[str]) -> None:
        self._selected = selected

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        left = [item for item in items if not self._has(item)]
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if self._has(item)]

    def _has(self, item: pytest.Item) -> bool:
        """Return whether a test is to run, itself or because of its class, module or package."""
        owners = [suite_id(item.nodeid, item.config), *map(scope_name, item.listchain()[:-1])]
        return not self._selected.isdisjoint(owners)


class _Reporter:
    def __init__(self, config: pytest.Config, descriptor: int) -> None:
        self._config = config
        self._events = os.fdopen(descriptor, "w", encoding="utf-8")
        self._ends: dict[str, tuple[str, str]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._report(broken=report.nodeid, why=_why(report))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._report(found=[suite_id(item.nodeid, item.config) for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        self._report(found=[suite_id(one, self._config) for one in ids])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = suite_id(report.nodeid, self._config)
        if report.failed:
            if self._ends.get(test, ("",))[0] != "failed":
                self._ends[test] = ("failed", _why(report))
        elif report.skipped:
            self._ends.setdefault(test, (outcome_of(report), _why(report)))
        if report.when == "teardown":
            outcome, why = self._ends.pop(test, ("passed", ""))
            self._report(test=test, outcome=outcome, why=why)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._report(unchanged=session.config.stash[RUN].tally.unchanged)
        self._report(ended=int(exitstatus))

    def _report(self, **event: Any) -> None:
        print(json.dumps(event), file=self._events, flush=True)


def _why(report: pytest.CollectReport | pytest.TestReport) -> str:
    """Return why it did not pass: the exception's message, or the reason to skip it; no secrets."""
    # Here, where a conftest may have set keys: providers repeat one that they refuse.
    return Redaction().text(_message(report))


def _message(report: pytest.CollectReport | pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return f"xfail: {report.wasxfail}".rstrip(": ")
    shown = report.longrepr
    if isinstance(shown, tuple):
        return shown[2].removeprefix("Skipped: ")
    crash = getattr(shown, "reprcrash", None)
    return str(crash.message if crash is not None else shown or "")
