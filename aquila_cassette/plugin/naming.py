"""Name things after a pytest item: its node id, the command that runs it, which cassette its marker names."""

from __future__ import annotations

import inspect
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.session.current_session import SESSION
from aquila_cassette.suite import find_suite

# Without them a command runs other plugins: vcrpy's own, say, which keeps the secrets.
_NEEDED_PLUGIN = re.compile(
    r"aquila_cassette\.(?:plugin|vcr_compat)|no:(?:recording|vcr|cassetter)"
)


@cache
def suite_of(folder: Path, config: pytest.Config) -> tuple[Path, str | None]:
    """Return the folder of the suite that has tests in a folder, and the cassette folder that it sets.

    It is pytest's rootdir where the command line names that, or the configuration.
    """
    option = config.option
    is_named = option.inifilename or option.rootdir or option.override_ini
    base, setting = (None, None) if is_named else find_suite(folder)
    return (base, setting) if base else (config.rootpath, config.getini("aquila_cassette_dir"))


def node_id(test: str) -> str:
    """Return the node id of a test without the group that pytest-xdist's loadgroup appends."""
    rest, _, group = test.rpartition("@")
    return rest if rest and not any(part in group for part in ("[", "]", "::")) else test


def suite_id(test: str, config: pytest.Config) -> str:
    """Return a node id seen from its suite's folder, whatever rootdir pytest has."""
    file, separator, inside = node_id(test).partition("::")
    path = config.rootpath / file
    base, _ = suite_of(path.parent, config)
    if base == config.rootpath or not path.is_relative_to(base):
        return node_id(test)
    return f"{path.relative_to(base).as_posix()}{separator}{inside}"


def marker_of(node: pytest.Item | pytest.Collector) -> pytest.Mark | None:
    """Return the marker of a test, class or module; in a sweep it has a fault too (see `sweeps`)."""
    return node.get_closest_marker("aquila_fault") or node.get_closest_marker("aquila_cassette")


def marked_name(node: pytest.Item | pytest.Collector) -> str:
    """Return the name that the marker of a test, class or module gives its cassette."""
    from aquila_cassette.storage.names import name_of_test

    marker = marker_of(node)
    if marker is not None and marker.args:
        name: str = marker.args[0]  # what is none is refused where it is opened
        return name
    if isinstance(node, pytest.Module):
        return name_of_test(f"{suite_id(node.nodeid, node.config)}::x").removesuffix("/x")
    return name_of_test(suite_id(node.nodeid, node.config))


def refuse_shared_name(test: str, name: str, tests: Iterable[str]) -> None:
    """Refuse to record a test whose parameters give its cassette the name of another test's."""
    from aquila_cassette.storage.names import name_of_test

    function, bracket, _ = test.partition("[")
    if not bracket or name != name_of_test(test):
        return
    like = (one for one in tests if one.startswith(f"{function}[") and one != test)
    if shared := sorted(one for one in like if name_of_test(one) == name):
        raise UsageError(
            f"Several tests would record into the cassette {name!r}.",
            facts=sorted([test, *shared]),
            fix="Fix: give the parameters ids that differ in letters or digits: "
            "parametrize(..., ids=[...])",
        )


def scope_name(node: object) -> str:
    """Name the owner of fixtures of a class, module, package (its folder) or the session."""
    if isinstance(node, (pytest.Class, pytest.Module)):
        return suite_id(node.nodeid, node.config)
    if isinstance(node, pytest.Package):
        folder = node.path if node.path.is_dir() else node.path.parent
        base, _ = suite_of(folder, node.config)
        name = os.path.relpath(folder, base).replace(os.sep, "/")
        return SESSION if name == "." else name
    return SESSION


def command_of(node: pytest.Item | pytest.Collector) -> str:
    """Return the command that runs a test, class or module with the plugins of this run."""
    _, _, inside = node_id(node.nodeid).partition("::")
    path = node.path.parent if node.path.name == "__init__.py" and not inside else node.path
    module = os.path.relpath(path, node.config.invocation_params.dir)
    target = f"{module.replace(os.sep, '/')}::{inside}" if inside else module
    plugins = [f"-p {one}" for one in _plugins_of_the_command_line(node.config)]
    return " ".join(["pytest", *plugins, shlex.quote(target)])


def _plugins_of_the_command_line(config: pytest.Config) -> Iterator[str]:
    """Yield what this run loads or blocks with -p, and needs, and has from no configuration."""
    configured = [*config.getini("addopts"), *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    for one in dict.fromkeys(config.option.plugins):
        if _NEEDED_PLUGIN.fullmatch(one) and not {one, f"-p{one}"}.intersection(configured):
            yield one


def uses_cassettes(item: pytest.Item) -> bool:
    """Return whether a test has the marker, asks for a fixture of ours, or opens a block itself."""
    asked = getattr(item, "fixturenames", ())
    if "aquila_cassette" in asked or marker_of(item) is not None:
        return True
    if "cassette" in asked and not item.config.pluginmanager.has_plugin("cassetter"):
        return True
    # Its own code names our function, or is decorated with it: a client of its fixtures needs a key.
    function = getattr(item, "function", None)
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    within = getattr(function, "__globals__", {})
    named = [within.get("__name__")]
    for one in map(within.get, names):
        named.append(getattr(one, "__module__", None) or getattr(one, "__name__", None))
    return "aquila_cassette" in named or "aquila_cassette.api" in named


def refuse_cassetters_fixture(item: pytest.Item) -> None:
    """Fail a test that asks for `cassette` where that is cassetter's: unmarked, it records nothing."""
    asked = {*inspect.signature(getattr(item, "function", bool)).parameters}
    asked.update(*(marker.args for marker in item.iter_markers("usefixtures")))
    if "cassette" in asked and item.get_closest_marker("vcr") is None:
        raise UsageError(
            f"{item.nodeid} asks for the fixture `cassette`, which is cassetter's here.",
            facts=["without @pytest.mark.vcr it is None and records nothing"],
            fix="Fix: ask for aquila_cassette, or uninstall cassetter",
        )
