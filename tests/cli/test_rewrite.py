"""Cassettes moved and removed: nothing is lost, whatever is in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aquila_cassette.cli.rewrite import move, remove, rewrite
from aquila_cassette.errors import CassetteSaveError, UsageError
from tests.cli.samples import chat, lay, text

GOOD = text()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_cassette_moves_with_its_bytes_and_into_folders_that_are_made() -> None:
    old = lay("a.yaml", GOOD)
    old.chmod(0o640)
    move(old, Path("sub/er/b.yaml"))
    assert not old.exists()
    assert Path("sub/er/b.yaml").read_text() == GOOD
    assert Path("sub/er/b.yaml").stat().st_mode & 0o777 == 0o640


def test_what_stands_at_the_new_place_is_never_overwritten() -> None:
    old, new = lay("a.yaml", GOOD), lay("b.yaml", "another")
    with pytest.raises(UsageError) as caught:
        move(old, new)
    assert str(caught.value) == (
        "There is a file at b.yaml already; it is not overwritten.\n"
        "  to move: a.yaml\n"
        "Fix: choose another name, or move that one away first"
    )
    assert (old.read_text(), new.read_text()) == (GOOD, "another")


def test_of_a_link_the_link_moves_and_still_leads_there() -> None:
    lay("real/a.yaml", GOOD)
    Path("a.yaml").symlink_to("real/a.yaml")
    move(Path("a.yaml"), Path("sub/b.yaml"))
    assert not os.path.lexists("a.yaml")
    assert Path("sub/b.yaml").readlink() == Path("../real/a.yaml")
    assert Path("sub/b.yaml").read_text() == GOOD


def test_a_cassette_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(CassetteSaveError) as caught:
        move(Path("a.yaml"), Path("b.yaml"))
    assert str(caught.value).startswith("b.yaml could not be written: no such file or directory.")


def test_a_cassette_that_was_changed_is_not_removed() -> None:
    path = lay("a.yaml", GOOD)
    with pytest.raises(CassetteSaveError) as caught:
        remove(path, b"what was looked at")
    assert str(caught.value) == (
        "a.yaml was changed in the meantime; it is left as it is.\nFix: run the command again"
    )
    assert path.read_text() == GOOD
    remove(path, GOOD.encode())
    assert not path.exists()


def test_of_a_link_the_link_is_removed() -> None:
    real = lay("real/a.yaml", GOOD)
    Path("a.yaml").symlink_to(real)
    remove(Path("a.yaml"), GOOD.encode())
    assert not os.path.lexists("a.yaml")
    assert real.read_text() == GOOD


def test_what_would_not_read_back_is_not_written() -> None:
    path = lay("a.yaml", GOOD)
    for new in ("version: 1\n", text(chat(sent=b"{}"))):
        with pytest.raises(CassetteSaveError, match="so that it reads back"):
            rewrite(path, GOOD.encode(), new.encode(), [chat()])
    assert path.read_text() == GOOD
    assert list(Path().iterdir()) == [path]
