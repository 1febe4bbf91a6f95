"""The pytest plugin: its options and fixtures, and a `Run` for each pytest process.

Nothing here loads the engine, httpx or yaml: a suite that has the plugin and does not use it starts
as fast as without it.
"""

from __future__ import annotations

import pytest

from aquila_cassette.plugin import command_line as options
from aquila_cassette.plugin import sweeps
from aquila_cassette.plugin.fixtures import (
    CassetteFixture,
    _aquila_test,
    aquila_cassette,
    aquila_config,
    aquila_view,
)
from aquila_cassette.plugin.run import RUN, Run
from aquila_cassette.session.current_session import owner_finders

__all__ = ["_aquila_test", "aquila_cassette", "aquila_config", "aquila_view"]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set placeholder keys for clients made where a module is imported, if the suite asks for it."""
    if options.placeholder_keys(early_config) == "session":
        from aquila_cassette.dialects.providers import KEYS

        KEYS.switch("models", on=True)
        early_config.add_cleanup(lambda: KEYS.switch("models", on=False))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "aquila_cassette(name, **options): record or replay the test's HTTP traffic in this "
        "cassette (by default one named after the test).",
    )
    for marker, does in sweeps.MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {does}")
    config.pluginmanager.register(sweeps, "aquila_sweeps")
    run = Run(config, getattr(config, "workerinput", {}).get("aquila_run"))
    config.stash[RUN] = run
    config.pluginmanager.register(run, "aquila_run")
    config.pluginmanager.register(run.wider, "aquila_wider")
    owner_finders.append(run.owner_of_now)
    if not config.pluginmanager.has_plugin("cassetter"):
        config.pluginmanager.register(CassetteFixture(), "aquila_cassette_named")
    if options.blocks_network(config):
        from aquila_cassette.http import connections, install

        install()
        connections.watch(connections.refuse)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is None:
        return
    owner_finders.pop()
    run.close()
    if options.blocks_network(config):
        from aquila_cassette.http import connections

        connections.unwatch(connections.refuse)
