"""Name things after a pytest item: the default cassette, the node id, the command that runs it."""

from __future__ import annotations

import inspect
import os
import shlex

import pytest

from aquila_cassette.errors import UsageError


def node_id(test: str) -> str:
    """Return the node id of a test without the group that pytest-xdist's loadgroup appends."""
    rest, _, group = test.rpartition("@")
    return rest if rest and not any(part in group for part in ("[", "]", "::")) else test


def default_name(item: pytest.Item) -> str:
    """Name the cassette of a test: ``<module path>/<Class.test[param]>``, safe as file names."""
    from aquila_cassette.storage.names import name_of_test

    return name_of_test(node_id(item.nodeid))


def rerecord_line(item: pytest.Item) -> str:
    _, _, inside = node_id(item.nodeid).partition("::")
    module = os.path.relpath(item.path, item.config.invocation_params.dir)
    target = f"{module.replace(os.sep, '/')}::{inside}" if inside else module
    return f"Fix: pytest {shlex.quote(target)} --aquila-record=all"


def uses_cassettes(item: pytest.Item) -> bool:
    """Return whether a test has the marker, or asks for a fixture of ours."""
    asked = getattr(item, "fixturenames", ())
    if "aquila_cassette" in asked or item.get_closest_marker("aquila_cassette") is not None:
        return True
    return "cassette" in asked and not item.config.pluginmanager.has_plugin("cassetter")


def refuse_cassetters_fixture(item: pytest.Item) -> None:
    """Fail a test that asks for `cassette` where that is cassetter's, and its mark is missing.

    Such a fixture is None and records nothing: the test would pass, with the network behind it.
    """
    function = getattr(item, "function", lambda: None)
    is_marked = item.get_closest_marker("vcr") is not None
    if not is_marked and "cassette" in inspect.signature(function).parameters:
        raise UsageError(
            f"{item.nodeid} asks for the fixture `cassette`, which is cassetter's here.",
            facts=["without @pytest.mark.vcr it is None and records nothing"],
            fix="Fix: ask for aquila_cassette, or uninstall cassetter",
        )
