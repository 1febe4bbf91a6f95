"""Commands look into the folder that the suite's own configuration names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aquila_cassette.suite import folder_of_the_suite
from tests.cli.conftest import CASSETTES, Cli

SAYS = 'aquila_cassette_dir = "recordings"'
INI = "aquila_cassette_dir = recordings"

FILES = {
    "pytest.toml": f"[pytest]\n{SAYS}\n",
    ".pytest.toml": f"[pytest]\n{SAYS}\n",
    "pytest.ini": f"[pytest]\n{INI}\n",
    ".pytest.ini": f"[pytest]\n{INI}\n",
    "pyproject.toml": f"[tool.pytest.ini_options]\n{SAYS}\n",
    "tox.ini": f"[pytest]\n{INI}\n",
    "setup.cfg": f"[tool:pytest]\n{INI}\n",
}


@pytest.fixture(autouse=True)
def _cassette(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    shutil.copy(CASSETTES / "plain.yaml", tmp_path / "recordings" / "one.yaml")


def test_a_folder_below_has_the_file_above(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pytest.ini").write_text(FILES["pytest.ini"])
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir("tests")
    Path("pyproject.toml").write_text("[project]\nname = 'a'\n")  # says nothing to pytest
    assert cli("show", "one").out.splitlines()[1].startswith("../recordings/one.yaml, ")


def test_the_first_file_that_is_for_pytest_decides_alone(cli: Cli) -> None:
    Path("pytest.ini").write_text("")
    Path("pyproject.toml").write_text(FILES["pyproject.toml"])
    assert cli("show", "one").code == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("pyproject.toml", "[tool.pytest"), ("tox.ini", "aquila_cassette_dir = recordings"),
     ("setup.cfg", "[tool:pytest]\naquila_cassette_dir ="), ("tox.ini", "\udcff")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_or_says_nothing_of_a_folder_is_passed_over(
    name: str, text: str, cli: Cli
) -> None:
    Path(name).write_text(text, errors="surrogateescape")
    ran = cli("list", "--json")
    assert (ran.code, ran.out, ran.err) == (0, "[]\n", "")


@pytest.mark.parametrize("name", ["pytest.toml", "pyproject.toml", "setup.cfg"])
def test_the_folder_is_the_one_that_pytest_reads_there(
    name: str, pytester: pytest.Pytester, tmp_path: Path
) -> None:
    # What is first imported while a test has `pytester` (pydantic by typer, yaml) is taken out of
    # sys.modules at its end; half of it comes twice then. So no command and no pytest runs in here.
    shutil.copytree(tmp_path / "recordings", "recordings")
    assert folder_of_the_suite() == Path("cassettes")
    Path(name).write_text(FILES[name])
    assert folder_of_the_suite() == Path("recordings")
    pytester.makepyfile("""
        def test_one(cassette):
            print(f"in {cassette.path.parent.parent.name}")
    """)
    alone = ("-p", "no:cassetter", "-p", "no:cacheprovider", "-p", "no:asyncio")
    pytester.runpytest_subprocess("-s", *alone).stdout.fnmatch_lines(["*in recordings*"])
