"""Where an option may be set, and which place wins."""

import subprocess
import sys

import pytest

from tests.plugin.conftest import Suite


def test_the_strongest_place_wins(
    suite: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
@pytest.fixture
def aquila_config():
    return {"ignore_hosts": ["metrics.example"], "cassette_dir": "recordings", "mode": "all",
            "on_unplayed": "fail", "speed": 4, "redact": ["x-mine"]}

@pytest.mark.aquila_cassette("y", mode="all", on_unplayed="fail", speed=3, ignore_hosts=["a"])
def test_a(aquila_cassette):
    with aquila_cassette("x", mode="all", on_unplayed="fail", speed=2) as opened:
        options = opened._session.options
    assert opened.path.parent.name == "recordings"
    assert (options.mode, options.speed, options.on_unplayed) == ("none", 2.0, "warn")
    assert (options.ignore_hosts, options.redact.names) == (("a",), ("x-mine",))
"""
    monkeypatch.setenv("AQUILA_RECORD", "all")
    monkeypatch.setenv("AQUILA_ON_UNPLAYED", "warn")
    with (pytester.path / "pyproject.toml").open("a") as settings:
        settings.write("\naquila_cassette_dir = 'elsewhere'\n")
    suite(source, "--aquila-record=none").assert_outcomes(passed=1)
    suite(
        "def test_a(cassette): assert (cassette.path.parent.parent.name, cassette.mode) == "
        "('elsewhere', 'all')\n"
    ).assert_outcomes(passed=1)


def test_a_suite_that_does_not_use_the_plugin_loads_neither_httpx_nor_yaml_nor_vcr(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("def test_a(): pass")
    # Other plugins of this environment import httpx themselves.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pytest", "-p", "aquila_cassette.plugin"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "aquila_cassette.plugin.command_line" in loaded
    assert not loaded & {"httpx", "httpx2", "yaml", "vcr", "anyio", "filelock", "rich", "typer"}
    ours = {name for name in loaded if name.startswith("aquila_cassette")}
    assert not any(name.startswith("aquila_cassette.storage") for name in ours)


def test_a_blocked_network_refuses_what_no_recording_cassette_asks_for(suite: Suite) -> None:
    source = """
from aquila_cassette import NetworkBlockedError

def test_blocked():
    with pytest.raises(NetworkBlockedError) as caught:
        httpx.get("http://192.0.2.1:9/")
    assert str(caught.value).splitlines() == [
        "A connection to 192.0.2.1 was refused, since the network is blocked.",
        "  blocked by: aquila_block_network",
        'Fix: open a cassette around it: with aquila_cassette("name"): ...',
    ]

def test_loopback(cassette): assert get("/a") == "/a"
"""
    suite(source, "--aquila-block-network").assert_outcomes(passed=2)
