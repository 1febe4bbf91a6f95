"""The cassette folder of a test does not depend on how pytest is called; commands find it from below."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.suite import folder_of_the_suite
from tests.servers import RawServer

SOURCE = """
import httpx, pytest
from aquila_cassette import aquila_cassette as block
@pytest.fixture(scope="module")
def module():
    with block("module"): return httpx.get({url!r} + "/module").text
def test_x(cassette, module): assert httpx.get({url!r} + "/x").text == "/x"
def test_named(aquila_cassette):
    with aquila_cassette("shared.name"): httpx.get({url!r} + "/" + __name__)
"""
PLAIN = ("-p", "no:cassetter", "-p", "no:asyncio")
INI = "[tool.pytest.ini_options]\n"


def write(path: str, text: str = "") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"pkg_a/pyproject.toml": INI}, "pkg_a/cassettes"),
        ({"pkg_a/pyproject.toml": INI, "tox.ini": "[pytest]\n"}, "pkg_a/cassettes"),
        ({"pkg_a/pyproject.toml": f"{INI}aquila_cassette_dir = 'tapes'"}, "pkg_a/tapes"),
        ({"pytest.ini": "", "pkg_a/pyproject.toml": "[project]\n"}, "cassettes"),
        ({"pytest.ini": "[pytest]\naquila_cassette_dir = tapes", ".git/x": ""}, "tapes"),
        ({"pkg_a/setup.cfg": "", ".git/x": ""}, "pkg_a/cassettes"),
        ({".git/x": ""}, "cassettes"),
        ({"pytest.toml": "[pytest]\naquila_cassette_dir = 'tapes'"}, "tapes"),
        ({"setup.cfg": "[tool:pytest]\naquila_cassette_dir = tapes"}, "tapes"),
        ({"pytest.ini": "", "pyproject.toml": f"{INI}aquila_cassette_dir = 'tapes'"}, "cassettes"),
    ],
)
def test_however_pytest_is_called_a_test_has_one_folder(
    files: dict[str, str],
    folder: str,
    pytester: pytest.Pytester,
    server: RawServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path, text in files.items():
        write(path, text)
    for package in ("pkg_a", "pkg_b"):
        write(f"{package}/tests/test_{package}.py", SOURCE.format(url=server.url))
    ways = [(".", "pkg_a", "pkg_b"), (".", "pkg_a/tests/test_pkg_a.py"), ("pkg_a",),
            ("pkg_a/tests",), ("pkg_b", "../pkg_a/tests")]  # fmt: skip
    top = Path.cwd()
    for number, (here, *arguments) in enumerate(ways):
        monkeypatch.chdir(top / here)
        mode = "--aquila-record=none" if number else "--aquila-record=once"
        ran = pytester.runpytest(*PLAIN, "-p", "no:cacheprovider", mode, *arguments)
        assert ran.ret == 0, ran.stdout.str()
        ran.stdout.no_fnmatch_line("*unplayed (*")
    monkeypatch.chdir(top / "pkg_a/tests")
    assert folder_of_the_suite().resolve() == top / folder
    found = [path.relative_to(top / folder).as_posix() for path in (top / folder).rglob("*.yaml")]
    within = "" if folder.startswith("pkg_a") else "pkg_a/"
    assert {f"{within}tests/test_pkg_a/test_x.yaml", "module.yaml", "shared.name.yaml"} <= set(
        found
    )


def test_without_any_sign_cassettes_that_are_there_are_found(
    pytester: pytest.Pytester, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("tests/test_a.py", SOURCE.format(url=server.url))
    for here, mode in ((".", "once"), ("tests", "none")):
        monkeypatch.chdir(pytester.path / here)
        ran = pytester.runpytest(*PLAIN, f"--aquila-record={mode}")
        assert ran.ret == 0, ran.stdout.str()
    ran = pytester.runpytest(*PLAIN, "--aquila-record=none", "--rootdir=.")
    ran.assert_outcomes(failed=1, errors=1)  # the command line says where


def test_where_pyfakefs_has_replaced_the_disk_it_is_paused_while_ours_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paused: list[str] = []

    @contextmanager
    def pause(patcher: object) -> Iterator[None]:
        paused.append("paused")
        yield

    for is_patching in (True, False):
        patcher = SimpleNamespace(PATCHER=SimpleNamespace(is_patching=is_patching))
        fake = SimpleNamespace(Patcher=patcher, Pause=pause)
        monkeypatch.setitem(sys.modules, "pyfakefs.fake_filesystem_unittest", fake)
        with aquila_cassette("x", mode="once", cassette_dir=tmp_path):
            pass
    assert paused == ["paused", "paused"]  # as the block begins and ends
