"""A pytest plugin for suites written for pytest-recording or pytest-vcr: they run on our engine.

``pytest -p aquila_cassette.vcr_compat`` declares their marks, fixtures, hook and options; see
docs/from-vcrpy.md. vcrpy itself comes with the extra ``vcr``.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.vcr_compat.suite import SUITE, Kind, Suite

_MARKS = (
    "vcr(*names, **options): record or replay the test's HTTP traffic; options are vcrpy's.",
    "default_cassette(name): the name of the test's cassette.",
    "block_network(allowed_hosts=[...]): refuse connections that no recording cassette makes.",
)
_MODES = ("none", "once", "new_episodes", "all", "any")
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--record-mode", {
        "choices": (*_MODES, "rewrite"),
        "help": "record mode of @pytest.mark.vcr (pytest-recording; default: none)",
    }),
    ("--block-network", {
        "action": "store_true",
        "help": "refuse every connection that no recording cassette makes (pytest-recording)",
    }),
    ("--allowed-hosts", {
        "metavar": "REGEXES",
        "help": "hosts that --block-network allows, separated by commas (pytest-recording)",
    }),
    ("--disable-recording", {
        "action": "store_true",
        "help": "neither record nor replay (pytest-recording)",
    }),
    ("--vcr-record", {
        "choices": _MODES,
        "help": "record mode of @pytest.mark.vcr (pytest-vcr; default: once)",
    }),
    ("--vcr-record-mode", {
        "dest": "deprecated_vcr_record",
        "choices": _MODES,
        "help": "the same (pytest-vcr, deprecated)",
    }),
    ("--disable-vcr", {
        "action": "store_true",
        "help": "neither record nor replay (pytest-vcr)",
    }),
    ("--vcr-strict", {
        "action": "store_true",
        "help": "fail tests for bodies that differ from the recorded ones and for swallowed misses",
    }),
)  # fmt: skip
_OTHER_PLUGINS = {"recording": "pytest-recording", "vcr": "pytest-vcr", "cassetter": "cassetter"}
_OPTIONS_OF_PYTEST_VCR = ("vcr_record", "deprecated_vcr_record", "disable_vcr")


class _Hooks:
    @staticmethod
    def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
        """Register matchers, serializers or a persister at the `vcr.VCR` of the next test."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    # Here, where a conftest loads this plugin, after the installed ones.
    if pluginmanager.has_plugin("aquila_cassette"):
        _declare(parser, pluginmanager)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> None:
    # Here, where -p loads it, before the installed ones: now it is known which these are.
    manager = early_config.pluginmanager
    _declare(parser, manager)
    if not manager.has_plugin("aquila_cassette"):
        manager.import_plugin("aquila_cassette.plugin")


def _declare(parser: pytest.Parser, manager: pytest.PytestPluginManager) -> None:
    if find_spec("vcr") is None:
        error = UsageError(
            "aquila_cassette.vcr_compat needs vcrpy, which is not installed.",
            fix='Fix: pip install "aquila-cassette[vcr]"',
        )
        raise pytest.UsageError(str(error))
    others = [name for name in _OTHER_PLUGINS if manager.has_plugin(name)]
    if others:
        names = " and ".join(_OTHER_PLUGINS[name] for name in others)
        blocked = " ".join(f"-p no:{name}" for name in others)
        error = UsageError(
            f"aquila_cassette.vcr_compat and {names} cannot both be in force.",
            facts=["both own the mark `vcr` and its options"],
            fix=f"Fix: pytest -p aquila_cassette.vcr_compat {blocked}",
        )
        raise pytest.UsageError(str(error))
    manager.add_hookspecs(_Hooks)
    group = parser.getgroup("aquila-vcr", "aquila_cassette for suites written for vcrpy")
    for name, settings in _OPTIONS:
        group.addoption(name, **settings)
    parser.addini("vcr_suite", "what the suite was written for: pytest-recording or pytest-vcr")


def _kind_of(config: pytest.Config) -> Kind:
    named = config.getini("vcr_suite")
    if named == "pytest-recording" or named == "pytest-vcr":
        return "pytest-vcr" if named == "pytest-vcr" else "pytest-recording"
    if named:
        error = UsageError(
            f"vcr_suite = {named} names no plugin.",
            fix="Fix: write pytest-recording or pytest-vcr",
        )
        raise pytest.UsageError(str(error))
    if any(config.getoption(name) for name in _OPTIONS_OF_PYTEST_VCR):
        return "pytest-vcr"
    manager = config.pluginmanager
    only_vcr_blocked = manager.is_blocked("vcr") and not manager.is_blocked("recording")
    return "pytest-vcr" if only_vcr_blocked else "pytest-recording"


def pytest_configure(config: pytest.Config) -> None:
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    kind = _kind_of(config)
    config.stash[SUITE] = Suite(config, kind, strict=bool(config.getoption("vcr_strict")))
    fixtures = import_module(f"{__name__}.{kind.replace('-', '_')}")
    config.pluginmanager.register(fixtures, "aquila_vcr_fixtures")


def pytest_report_header(config: pytest.Config) -> str:
    suite = config.stash[SUITE]
    strict = ", strict" if suite.strict else ""
    return f"aquila: @pytest.mark.vcr is answered as by {suite.kind}{strict}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    suite = item.config.stash[SUITE]
    suite.begin(item)
    try:
        return (yield)
    finally:
        suite.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    suite = item.config.stash[SUITE]
    if suite.sessions:
        suite.report_swallowed_misses(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.outcome == "failed":
        item.config.stash[SUITE].failed = True
    return report
