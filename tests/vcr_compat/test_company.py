"""Other plugins with it, and the ways to load it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

_OWNERS = {"recording": "pytest-recording", "vcr": "pytest-vcr"}


def _install(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Install a plugin of that name, which owns what its namesake owns."""
    info = pytester.mkdir(f"fake_{name}-1.dist-info")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fake-{name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = fake_{name}\n")
    option = "--record-mode" if name == "recording" else "--vcr-record"
    module = (
        "class Hooks:\n    def pytest_recording_configure(self, config, vcr): pass\n"
        "def pytest_addhooks(pluginmanager): pluginmanager.add_hookspecs(Hooks)\n"
        f"def pytest_addoption(parser): parser.addoption({option!r})\n"
    )
    (pytester.path / f"fake_{name}.py").write_text(module)
    monkeypatch.syspath_prepend(str(pytester.path))


@pytest.mark.parametrize("name", _OWNERS)
def test_with_the_plugin_that_it_replaces_it_is_refused_with_a_fix(
    suite: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _install(pytester, monkeypatch, name)
    result = suite("def test_one(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"ERROR: aquila_cassette.vcr_compat and {_OWNERS[name]} both own the mark `vcr` and *",
            f"Fix: pytest -p aquila_cassette.vcr_compat -p no:{name}",
        ]
    )
    suite(None, "-p", f"no:{name}").assert_outcomes(passed=1)


def test_a_conftest_may_load_it(pytester: pytest.Pytester, server: RawServer) -> None:
    pytester.makeconftest('pytest_plugins = ["aquila_cassette.vcr_compat"]')
    pytester.makepyfile(
        f"""
import httpx, pytest

@pytest.mark.vcr
def test_one(vcr):
    httpx.get({server.url!r})
    assert len(vcr) == 1
"""
    )
    plain = ("-p", "no:cassetter", "-p", "no:cacheprovider", "-p", "no:asyncio")
    pytester.runpytest("--record-mode=once", *plain).assert_outcomes(passed=1)


def test_several_processes_count_together(suite: Suite, pytester: pytest.Pytester) -> None:
    source = """
@pytest.mark.vcr
@pytest.mark.parametrize("n", range(4))
def test_it(n): post("/ask", content=str(n * FACTOR))
"""
    suite(source.replace("FACTOR", "1"), "--record-mode=once").assert_outcomes(passed=4)
    suite(source.replace("FACTOR", "5"))
    # xdist's controller does not end inside the process of another run.
    result = pytester.runpytest_subprocess(
        *("-p", "aquila_cassette.vcr_compat", "-p", "no:cassetter", "-p", "no:asyncio", "-n", "2")
    )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["aquila: 4 replayed, 0 recorded, 0 missed, 0 unplayed"])
    told = [line for line in result.outlines if "another body" in line]
    assert len(told) == 3


def test_without_vcrpy_only_what_needs_it_is_refused(pytester: pytest.Pytester) -> None:
    """Block `vcr` in a process of its own: the package, its plugin and its CLI work."""
    pytester.makepyfile(test_one="def test_one(aquila_cassette): pass")
    program = """
import sys
sys.modules["vcr"] = None
import aquila_cassette.cli
import pytest
if pytest.main(["-q", "-p", "no:cassetter"]) == 0:
    print(pytest.main(["-p", "no:cassetter", "-p", "aquila_cassette.vcr_compat"]))
"""
    result = pytester.run(sys.executable, "-c", program)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 passed*", "4"])
    result.stderr.fnmatch_lines(
        [
            "ERROR: aquila_cassette.vcr_compat needs vcrpy, which is not installed.",
            'Fix: pip install "aquila-cassette[[]vcr]"',
        ]
    )
