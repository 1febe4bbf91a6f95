"""A pytest plugin for suites written for pytest-recording or pytest-vcr: they run on our engine.

``pytest -p aquila_cassette.vcr_compat`` answers their marks, fixtures, hook and options; see
docs/from-vcrpy.md. vcrpy is loaded when the first cassette is opened.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from typing import Any

import pytest

from aquila_cassette.vcr_compat import hooks, options
from aquila_cassette.vcr_compat.suite import SUITE, Suite

__all__: list[str] = []

_MARKS = (
    "vcr(*names, **options): record or replay the test's HTTP traffic; options are vcrpy's.",
    "default_cassette(name): the name of the test's cassette.",
    "block_network(allowed_hosts=[...]): refuse connections that no recording cassette makes.",
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options, where this is loaded after the installed plugins (by a conftest)."""
    if pluginmanager.has_plugin("aquila_cassette"):
        _stand_in(parser, pluginmanager)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    """Declare them, where it is loaded before these (``-p``): now it is known who else is there."""
    manager = early_config.pluginmanager
    _stand_in(parser, manager)
    if not manager.has_plugin("aquila_cassette"):
        manager.import_plugin("aquila_cassette.plugin")


def _stand_in(parser: pytest.Parser, manager: pytest.PytestPluginManager) -> None:
    options.refuse_company(manager)
    manager.add_hookspecs(hooks)
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run, with the fixtures that the suite was written for."""
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    kind = options.kind_of(config)
    config.stash[SUITE] = Suite(config, kind, strict=bool(config.getoption("vcr_strict")))
    of_kind = f"{__name__}.of_{kind.replace('-', '_')}"
    config.pluginmanager.register(import_module(of_kind), "aquila_vcr_fixtures")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which suite this is taken for."""
    suite = config.stash[SUITE]
    strict = ", strict" if suite.strict else ""
    return f"aquila: @pytest.mark.vcr is answered as by {suite.kind}{strict}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the suite know which test runs."""
    suite = item.config.stash[SUITE]
    suite.begin(item)
    try:
        return (yield)
    finally:
        suite.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note, or fail for, a miss that the test was never told of."""
    yield
    suite = item.config.stash[SUITE]
    if not suite.decks:
        return
    misses = suite.swallowed()
    if not misses:
        return
    from aquila_cassette.session.miss import combined

    if suite.strict:
        raise combined(misses)
    for miss in misses:
        suite.note(f"aquila: {item.nodeid} swallowed a miss: {miss.method} {miss.url}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note whether the test has failed so far: its fixtures' cassettes ask for that."""
    report = yield
    suite = item.config.stash[SUITE]
    if report.outcome == "failed":
        suite.failed = True
    return report
