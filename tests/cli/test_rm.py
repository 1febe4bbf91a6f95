from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.maintenance.tapes import chat, lay, text
from tests.cli.terminal import on_a_terminal

GONE = text(chat(recorded_by="tests/test_chat.py::test_gone"))
LISTED = (
    "cassettes/deep/lost.yaml  1 interaction  629 B  2026-11-20  by tests/test_chat.py::test_gone\n"
    "cassettes/lost.yaml       1 interaction  629 B  2026-11-20  by tests/test_chat.py::test_gone\n"
)


@pytest.fixture
def shelf() -> list[Path]:
    """Two orphans, a cassette in use, and a damaged one; the first two are given."""
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter\n")
    lay("tests/test_chat.py", "def test_reply(): ...\n")
    lay("cassettes/used.yaml", text())
    lay("cassettes/bad.yaml", b"")
    return [lay("cassettes/deep/lost.yaml", GONE), lay("cassettes/lost.yaml", GONE)]


def left() -> list[str]:
    return sorted(path.name for path in Path("cassettes").rglob("*.yaml"))


def test_orphans_are_listed_and_removed(cli: Cli, shelf: list[Path]) -> None:
    ran = cli("rm", "--orphans", "--yes")
    assert (ran.code, ran.err) == (0, "2 cassettes removed.\n")
    assert ran.out == LISTED
    assert left() == ["bad.yaml", "used.yaml"]
    ran = cli("rm", "--orphans")
    assert (ran.code, ran.out, ran.err) == (0, "", "No orphans among 2 cassettes.\n")


def test_where_nobody_can_be_asked_nothing_is_removed(cli: Cli, shelf: list[Path]) -> None:
    ran = cli("rm", "--orphans")
    assert (ran.code, ran.out) == (2, LISTED)
    assert ran.err == (
        "2 cassettes would be removed, and nobody can be asked.\n"
        "Look at the list, then: aquila-cassette rm --orphans --yes\n"
    )
    ran = cli("rm", "--orphans", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (1, LISTED, "")
    assert all(path.exists() for path in shelf)


@pytest.mark.parametrize("typed", ["n\n", "\n"])
def test_who_does_not_say_yes_keeps_them(shelf: list[Path], typed: str) -> None:
    shown = on_a_terminal("rm", "--orphans", typed=typed, NO_COLOR="1")
    assert "Remove 2 cassettes? [y/N]: " in shown
    assert shown.endswith("Nothing was removed.\n")
    assert all(path.exists() for path in shelf)


def test_who_says_yes_is_rid_of_them(shelf: list[Path]) -> None:
    shown = on_a_terminal("rm", "--orphans", "lost", typed="y\n", NO_COLOR="1")
    assert "Remove 1 cassette? [y/N]: " in shown
    assert shown.endswith("1 cassette removed.\n")
    assert [path.exists() for path in shelf] == [True, False]


def test_where_no_test_is_found_no_tape_is_called_an_orphan(cli: Cli, shelf: list[Path]) -> None:
    Path("tests/test_chat.py").unlink()
    for _ in range(2):
        ran = cli("rm", "--orphans", "--yes")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.endswith(
            "It cannot be told which cassettes no test uses: pytest collected no test.\n"
            "Run it where the tests are. What pytest says: python -m pytest --collect-only -q\n"
        )
        lay("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    assert all(path.exists() for path in shelf)


def test_what_is_in_doubt_is_not_removed(cli: Cli, shelf: list[Path]) -> None:
    lay("conftest.py", "def opened(request, aquila_cassette): aquila_cassette(request.param)\n")
    ran = cli("rm", "--orphans", "--yes")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "Perhaps no test uses cassettes/deep/lost.yaml, cassettes/lost.yaml. It cannot be told: "
        "conftest.py:1 opens a cassette whose name is made when it runs.\n"
        "No orphans among 4 cassettes.\n"
    )
    assert all(path.exists() for path in shelf)


def test_nothing_else_is_removed(cli: Cli, shelf: list[Path]) -> None:
    ran = cli("rm", "lost", "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "rm removes what no test uses, and nothing else.\n"
        "Ask for that: aquila-cassette rm --orphans\n"
    )
    assert all(path.exists() for path in shelf)


def test_of_a_link_the_link_goes_and_what_it_leads_to_stays(cli: Cli, shelf: list[Path]) -> None:
    for path in shelf:
        path.unlink()
    real = lay("elsewhere/real.yaml", GONE)
    Path("cassettes/lost.yaml").symlink_to("../elsewhere/real.yaml")
    ran = cli("rm", "--orphans", "--yes")
    assert ran.code == 0
    assert ran.err == (
        "cassettes/lost.yaml is a link: elsewhere/real.yaml, to which it leads, stays.\n"
        "1 cassette removed.\n"
    )
    assert not Path("cassettes/lost.yaml").is_symlink()
    assert real.read_text() == GONE


def test_a_tape_that_lies_elsewhere_is_not_removed(cli: Cli, shelf: list[Path]) -> None:
    real = lay("elsewhere/far.yaml", GONE)
    Path("cassettes/far").symlink_to("../elsewhere")
    ran = cli("rm", "--orphans", "--yes", "cassettes/far/far.yaml", "lost")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "cassettes/far/far.yaml leads out of the folder that it is in; it is not removed.\n"
        "  to: elsewhere/far.yaml\n"
        "Leave it out, or name that folder: aquila-cassette rm --orphans elsewhere\n"
    )
    assert real.exists()
    assert all(path.exists() for path in shelf)


def test_exactly_the_orphans_are_removed(cli: Cli, shelf: list[Path]) -> None:
    """Each way in which somebody may use a cassette keeps it, and one without any goes."""
    lay(
        "tests/test_use.py",
        "import pytest\n"
        "NAMES = ['listed']\n"
        "def test_called(aquila_cassette):\n"
        "    with aquila_cassette('called'): ...\n"
        "@pytest.mark.aquila_cassette('marked')\n"
        "def test_marked(): ...\n"
        "def test_own(cassette): ...\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_each(aquila_cassette, n):\n"
        "    with aquila_cassette(f'each.{n}'): ...\n",
    )
    lay("notes.md", "See cassettes/noted.yaml.\n")
    kept = {
        *("called", "marked", "tests/test_use/test_own", "each.1", "each.2", "listed", "noted"),
        *("used", "bad"),
    }
    for name in kept - {"used", "bad"}:
        lay(f"cassettes/{name}.yaml", GONE)
    lay("cassettes/each.yaml", GONE)
    bytes_before = {name: Path(f"cassettes/{name}.yaml").read_bytes() for name in kept}
    ran = cli("rm", "--orphans", "--yes")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "cassettes/deep/lost.yaml",
        "cassettes/each.yaml",
        "cassettes/lost.yaml",
    ]
    assert ran.err == "3 cassettes removed.\n"
    assert {name: Path(f"cassettes/{name}.yaml").read_bytes() for name in kept} == bytes_before
    files = [path for path in Path("cassettes").rglob("*") if path.is_file()]
    assert len(files) == len(kept)
