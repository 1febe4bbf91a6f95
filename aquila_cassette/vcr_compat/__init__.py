"""The plugin for suites written for pytest-recording or pytest-vcr.

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
from aquila_cassette.vcr_compat.vcr_suite import SUITE, Kind, Suite

_MARKS = (
    "vcr(*names, **options): record or replay the test's HTTP traffic; options are vcrpy's.",
    "default_cassette(name): the name of the test's cassette.",
    "block_network(allowed_hosts=[...]): refuse connections that no recording cassette makes.",
)
_MODES = ("none", "once", "new_episodes", "all", "any")
_OTHER_PLUGINS = {"recording": "pytest-recording", "vcr": "pytest-vcr", "cassetter": "cassetter"}


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
        raise _usage_error(
            "aquila_cassette.vcr_compat needs vcrpy, which is not installed.",
            fix='Fix: pip install "aquila-cassette[vcr]"',
        )
    others = [name for name in _OTHER_PLUGINS if manager.has_plugin(name)]
    if others:
        names = " and ".join(_OTHER_PLUGINS[name] for name in others)
        blocked = " ".join(f"-p no:{name}" for name in others)
        raise _usage_error(
            f"aquila_cassette.vcr_compat and {names} both own the mark `vcr` and its options.",
            fix=f"Fix: pytest -p aquila_cassette.vcr_compat {blocked}",
        )
    manager.add_hookspecs(_Hooks)
    group = parser.getgroup("aquila-vcr", "aquila_cassette for suites written for vcrpy")
    add = group.addoption
    mode, blocked, off = "record mode of the mark vcr", "refuse connections", "do not use cassettes"
    add("--record-mode", choices=(*_MODES, "rewrite"), help=f"{mode} (pytest-recording)")
    add("--block-network", action="store_true", help=f"{blocked} (pytest-recording)")
    add("--allowed-hosts", metavar="REGEXES", help="hosts to allow nevertheless, with commas")
    add("--disable-recording", action="store_true", help=f"{off} (pytest-recording)")
    add("--vcr-record", "--vcr-record-mode", choices=_MODES, help=f"{mode} (pytest-vcr)")
    add("--disable-vcr", action="store_true", help=f"{off} (pytest-vcr)")
    add("--vcr-strict", action="store_true", help="fail for other bodies and swallowed misses")
    parser.addini("vcr_suite", "what the suite was written for: pytest-recording or pytest-vcr")


def _kind_of(config: pytest.Config) -> Kind:
    is_blocked, options = config.pluginmanager.is_blocked, config.option
    only_vcr_is_blocked = is_blocked("vcr") and not is_blocked("recording")
    is_vcr = options.vcr_record or options.disable_vcr or only_vcr_is_blocked
    kind: Kind = config.getini("vcr_suite") or ("pytest-vcr" if is_vcr else "pytest-recording")
    return kind


def _usage_error(what: str, *, fix: str) -> pytest.UsageError:
    return pytest.UsageError(str(UsageError(what, fix=fix)))


def pytest_configure(config: pytest.Config) -> None:
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    kind = _kind_of(config)
    config.stash[SUITE] = Suite(config, kind, strict=config.option.vcr_strict)
    fixtures = import_module(f"{__name__}.{kind.replace('-', '_')}")
    config.pluginmanager.register(fixtures, "aquila_vcr_fixtures")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[SUITE].begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    item.config.stash[SUITE].report_swallowed_misses()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    item.config.stash[SUITE].failed |= report.outcome == "failed"
    return report
