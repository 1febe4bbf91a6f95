"""The hooks of the pytest plugin.

Nothing here loads the engine, httpx or yaml: a suite that has the plugin and does not use it starts
as fast as without it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from aquila_cassette.errors import CassetteError
from aquila_cassette.plugin import command_line as options
from aquila_cassette.plugin import naming, network
from aquila_cassette.plugin.fixtures import (
    CassetteFixture,
    _aquila_test,
    aquila_cassette,
    aquila_config,
)
from aquila_cassette.plugin.placeholder_keys import PlaceholderKeys
from aquila_cassette.plugin.run import KEYS, RUN, Run
from aquila_cassette.plugin.summary import unused_lines
from aquila_cassette.session.current_session import set_owner_finder

__all__ = ["_aquila_test", "aquila_cassette", "aquila_config"]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set placeholder keys for clients made where a module is imported, if the suite asks for it."""
    layers = [*options.above(early_config), *options.ini(early_config)]
    if options.placeholder_keys(early_config) == "session" and options.only_replays(layers):
        early_config.stash.setdefault(KEYS, PlaceholderKeys()).set("models")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "aquila_cassette(name, **options): record or replay the test's HTTP traffic in this "
        "cassette (by default one named after the test).",
    )
    run = Run(config, getattr(config, "workerinput", {}).get("aquila_run"))
    config.stash[RUN] = run
    config.pluginmanager.register(_Reports(run), "aquila_reports")
    run.owner_before = set_owner_finder(run.owner_of_now)
    if not config.pluginmanager.has_plugin("cassetter"):
        config.pluginmanager.register(CassetteFixture(), "aquila_cassette_named")
    if options.blocks_network(config):
        network.block_network()


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.pluginmanager.has_plugin("cassetter"):
        return "aquila: the fixture `cassette` is cassetter's here; use `aquila_cassette`"
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is None:
        return
    set_owner_finder(run.owner_before)
    run.close()
    if options.blocks_network(config):
        network.unblock_network()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    run = item.config.stash[RUN]
    run.begin(item)
    try:
        result = yield
    except BaseException:
        run.end(whole=False)
        raise
    run.end()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Set keys before fixtures make clients, and patch before pytest-httpx does."""
    run = item.config.stash[RUN]
    run.set_up(item)
    if "httpx_mock" in getattr(item, "fixturenames", ()) and "aquila_cassette.api" in sys.modules:
        from aquila_cassette import http

        http.install()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Keep the blocks of wider fixtures from being signed by whichever test comes first."""
    if fixturedef.scope == "function":
        return (yield)
    run = request.config.stash[RUN]
    run.wider_fixtures += 1
    try:
        return (yield)
    finally:
        run.wider_fixtures -= 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed although a request had no matching interaction, or left some unplayed."""
    yield
    if (owner := item.config.stash[RUN].owner) is not None:
        owner.check()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Note whether the test has failed so far, for the cassettes of its fixtures."""
    report = yield
    run = item.config.stash[RUN]
    xfailed = report.skipped and hasattr(report, "wasxfail")
    run.skipped |= report.skipped and not (xfailed and report.when != "setup")
    owner = run.owner
    if owner is None:
        return report
    if xfailed and call.excinfo is not None and isinstance(call.excinfo.value, CassetteError):
        # That a cassette could not be replaced is not what the test is expected to fail with.
        del report.wasxfail
        report.outcome = "failed"
    if not report.passed:
        owner.failed = True
        owner.xfailed = report.skipped and xfailed and report.when == "call"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Check what the teardown did; then the test's outcome decides what is saved."""
    run = item.config.stash[RUN]
    if run.owner is not None:
        run.owner.begin_teardown()
    passed = False
    try:
        yield
        if run.owner is not None:
            if not run.owner.failed:
                run.owner.check()
            passed = run.owner.xfailed or not run.owner.failed
    finally:
        if run.owner is not None:
            run.owner.end(passed=passed)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    run = config.stash[RUN]
    tally = run.tally
    if not tally.cassettes:
        return
    if config.getoption("--aquila-explain"):
        terminalreporter.section("aquila: options")
        terminalreporter.write_line(f"strongest first: {options.PRECEDENCE}")
        for text in sorted(tally.explained):
            terminalreporter.write_line(text)
    for change in tally.shown_changes():
        terminalreporter.write_line(change)
    for line in (*tally.notes, *unused_lines(run.unused or {})):
        terminalreporter.write_line(line, yellow=True)
    bad = bool(tally.missed or tally.unplayed)
    terminalreporter.write_line(tally.line(), red=bad, green=not bad)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.config.stash[RUN].usage.tests.add(naming.node_id(item))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    if items:
        items[0].config.stash[RUN].usage.is_partial = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send an xdist worker's counts to the controller; find what no test used."""
    run = session.config.stash[RUN]
    run.finish(session)
    if run.is_worker:
        counts = {"tally": dict(vars(run.tally)), "usage": dict(vars(run.usage))}
        session.config.workeroutput["aquila"] = counts  # type: ignore[attr-defined]


class _Reports:
    """Notes what was collected, and how tests end: pytest passes no configuration to these hooks."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.passed:
            self._run.usage.modules.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._run.usage.report(report)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["aquila_run"] = node.config.stash[RUN].number


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    run = node.config.stash[RUN]
    output = getattr(node, "workeroutput", {}).get("aquila")
    if output is None:
        run.usage.is_partial = True
    else:
        run.tally.merge(output["tally"])
        run.usage.merge(output["usage"])
