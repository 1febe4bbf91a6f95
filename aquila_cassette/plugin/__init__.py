"""The pytest plugin: one test runs, its cassettes are its own, and its end is their judge.

Nothing here loads the engine, httpx or yaml: a suite that has the plugin and does not use it starts
as fast as without it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

from aquila_cassette.plugin import cassette_fixture, options
from aquila_cassette.plugin.fixtures import _aquila_test, aquila_cassette, aquila_config
from aquila_cassette.plugin.placeholder_keys import PlaceholderKeys
from aquila_cassette.plugin.run import KEYS, RUN, Run
from aquila_cassette.session.current_owner import set_owner_of_now

__all__ = ["_aquila_test", "aquila_cassette", "aquila_config"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Lend keys to clients that are made where a module is imported, if the suite asks for it."""
    if options.lends_keys(early_config) == "session" and options.only_replays(
        [*options.above(early_config), *options.ini(early_config)]
    ):
        keys = early_config.stash.setdefault(KEYS, PlaceholderKeys())
        keys.lend("models")


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run."""
    config.addinivalue_line(
        "markers",
        "aquila_cassette(name, **options): record or replay the test's HTTP traffic in this "
        "cassette (by default one named after the test).",
    )
    run = Run(config, getattr(config, "workerinput", {}).get("aquila_run"))
    config.stash[RUN] = run
    run.owner_before = set_owner_of_now(run.owner_of_now)
    if not config.pluginmanager.has_plugin("cassetter"):
        config.pluginmanager.register(cassette_fixture, "aquila_cassette_named")
    if options.blocks_network(config):
        from aquila_cassette.plugin.network import block_network

        block_network()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so where a name of ours is taken."""
    if config.pluginmanager.has_plugin("cassetter"):
        return "aquila: the fixture `cassette` is cassetter's here; use `aquila_cassette`"
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    set_owner_of_now(run.owner_before)
    if run.tally.cassettes and not run.is_worker:
        from aquila_cassette.plugin.noted import note_misses

        note_misses(config, run.tally)
    run.close()
    if options.blocks_network(config):
        from aquila_cassette.plugin.network import unblock_network

        unblock_network()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the run know which test runs."""
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
    """Begin a try: it answers for itself alone.

    Keys are lent before fixtures make clients, and our heads stand before those of pytest-httpx.
    """
    run = item.config.stash[RUN]
    run.begin_again()
    run.lend_keys(item)
    if "httpx_mock" in getattr(item, "fixturenames", ()) and "aquila_cassette.api" in sys.modules:
        from aquila_cassette import http as intercept

        intercept.install()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Keep the blocks of wider fixtures from being signed by whichever test comes first."""
    if fixturedef.scope == "function":
        return (yield)
    run = request.config.stash[RUN]
    run.enter_wider_fixture()
    try:
        return (yield)
    finally:
        run.leave_wider_fixture()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed although a request had no recording, or left some unplayed."""
    yield
    owner = item.config.stash[RUN].owner
    if owner is not None:
        from aquila_cassette.session import outcome

        outcome.judge(owner)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Note whether the test has failed so far: its fixtures' cassettes ask for that."""
    report = yield
    run = item.config.stash[RUN]
    xfailed = report.skipped and hasattr(report, "wasxfail")
    run.skipped |= report.skipped and not (xfailed and report.when != "setup")
    owner = run.owner
    if owner is None:
        return report
    if xfailed and call.excinfo is not None and call.excinfo.value is owner.refused:
        # That a cassette could not be replaced is not what the test is expected to fail with.
        del report.wasxfail
        report.outcome = "failed"
    if not report.passed:
        owner.failed = True
        owner.xfailed = report.skipped and xfailed and report.when == "call"
    if report.when == "teardown" and owner.committed:
        from aquila_cassette.session import outcome

        report.aquila_given_up = outcome.given_up(owner)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Judge what the teardown did; put what mode ``all`` recorded in place if all went well."""
    run = item.config.stash[RUN]
    if run.owner is not None:
        run.owner.in_teardown = True
    yield
    owner = run.owner
    if owner is not None and not owner.failed:
        from aquila_cassette.session import outcome

        outcome.judge(owner)
    if owner is not None and (owner.xfailed or not owner.failed):
        owner.commit()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the summary line, and what was asked to be explained."""
    tally = config.stash[RUN].tally
    if not tally.cassettes:
        return
    if config.getoption("--aquila-explain"):
        terminalreporter.section("aquila: options")
        terminalreporter.write_line(f"strongest first: {options.PRECEDENCE}")
        for text in sorted(tally.explained):
            terminalreporter.write_line(text)
    for change in tally.shown_changes():
        terminalreporter.write_line(change)
    for note in (*tally.notes, *tally.not_kept):
        terminalreporter.write_line(note, yellow=True)
    bad = bool(tally.missed or tally.unplayed)
    terminalreporter.write_line(tally.line(), red=bad, green=not bad)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give an xdist worker the number of the run."""
    node.workerinput["aquila_run"] = node.config.stash[RUN].number


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send an xdist worker's counts to the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["aquila_tally"] = session.config.stash[RUN].tally.data()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take an xdist worker's counts."""
    counted = getattr(node, "workeroutput", {}).get("aquila_tally")
    if counted is not None:
        node.config.stash[RUN].tally.merge(counted)
