"""A pytest plugin for ``aquila-cassette check``: what was collected, as JSON; it runs no test."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.plugin import naming

__all__ = ["Census", "pytest_addoption", "pytest_configure"]

_OPTION = "--aquila-census"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where the JSON goes."""
    parser.addoption(_OPTION, metavar="FILE", help="write what was collected to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to note."""
    target = config.getoption(_OPTION)
    if target:
        config.pluginmanager.register(Census(Path(target)), "aquila_census_notes")


class Census:
    """Notes what is collected.

    Args:
        target: The file to write it to.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._tests: dict[str, tuple[str | None, int | None, bool]] = {}
        self._reports: dict[str, str] = {}
        self._files: set[str] = set()
        self._rules: list[dict[str, Any]] = []
        self._numbers: dict[object, int | None] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note a test, before anybody deselects it."""
        self._tests[naming.node_id(item)] = (_cassette(item), self._rule(item), _is_marked(item))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what failed or was skipped."""
        self._reports[report.nodeid] = report.outcome
        if report.outcome == "passed" and "::" not in report.nodeid:
            self._files.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write all that."""
        unsure = [node for node, outcome in self._reports.items() if outcome != "passed"]
        data = {
            "root": str(session.config.rootpath),
            "tests": [[test, *known] for test, known in self._tests.items()],
            "files": sorted(
                node for node in self._files if node and (session.config.rootpath / node).is_file()
            ),
            "unsure": unsure,
            "rules": self._rules,
        }
        self._target.write_text(json.dumps(data), "utf-8")

    def _rule(self, item: pytest.Item) -> int | None:
        """Give the number of the rules that a test's marker and `aquila_config` add up to."""
        marker = item.get_closest_marker("aquila_cassette")
        given = [marker.kwargs.get("redact") if marker else None, _configured(item)]
        redact = [one for one in given if one is not None]
        if not redact:
            return None
        key = tuple(map(id, redact))
        if key not in self._numbers:
            self._numbers[key] = self._noted(redact)
        return self._numbers[key]

    def _noted(self, redact: list[Any]) -> int | None:
        from aquila_cassette.errors import UsageError
        from aquila_cassette.redaction import Redaction

        rules = Redaction()
        try:
            for one in redact:
                rules = rules | Redaction.of(one)
        except UsageError:  # its test will say so
            return None
        self._rules.append(
            {
                "names": list(rules.names),
                "patterns": [_pattern(one) for one in rules.patterns],
                "keep_headers": list(rules.keep_headers),
                "allow": list(rules.allow),
            }
        )
        return len(self._rules) - 1


def _cassette(item: pytest.Item) -> str | None:
    """Give the name of the cassette that a test's marker or its fixture opens."""
    marker = item.get_closest_marker("aquila_cassette")
    if marker is not None:
        name = marker.args[0] if marker.args else naming.default_name(item)
        return name if isinstance(name, str) else None
    ours = item.config.pluginmanager.has_plugin("aquila_cassette_named")
    if ours and "cassette" in getattr(item, "fixturenames", ()):
        return naming.default_name(item)
    return None


def _is_marked(item: pytest.Item) -> bool:
    """Tell whether all parameters of a test come from marks: none from a fixture or a hook."""
    given: set[str] = set()
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs.get("argnames", "")
        given.update(names.replace(",", " ").split() if isinstance(names, str) else names)
    spec = getattr(item, "callspec", None)
    return spec is None or given.issuperset(spec.params)


_configs: dict[object, Any] = {}


def _configured(item: pytest.Item) -> Any:
    """Give ``redact`` of the `aquila_config` in force, where it can be asked for without a test.

    pytest offers no way to ask while it collects; where this one fails, nothing is known.
    """
    try:
        manager = item.session._fixturemanager
        found = manager.getfixturedefs("aquila_config", item)
        function = found[-1].func if found else None
        if function is None or inspect.isgeneratorfunction(function):
            return None
        if function not in _configs:
            asks = inspect.signature(function).parameters
            _configs[function] = None if asks else function()
        config = _configs[function]
        return config.get("redact") if isinstance(config, dict) else None
    except Exception:
        return None


def _pattern(pattern: Any) -> list[Any]:
    flags = 0
    if isinstance(pattern, re.Pattern):
        pattern, flags = pattern.pattern, pattern.flags
    raw = isinstance(pattern, bytes)
    return [
        pattern.decode("latin-1") if raw else pattern,
        flags & ~re.UNICODE if raw else flags,
        raw,
    ]
