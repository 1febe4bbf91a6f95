from __future__ import annotations

from pathlib import Path

import pytest

from aquila_cassette import UsageError
from aquila_cassette.cli.folder import cassettes_in, find, name_of
from tests.cli.conftest import Lay

FOLDER = Path("cassettes")


def test_a_name_is_looked_for_in_the_folder_first_and_then_as_a_path(lay: Lay) -> None:
    inside = lay("chat", "a.b")
    beside = lay("chat", "a.b", folder=".")
    assert find("a.b", FOLDER) == inside
    assert find("a.b.yaml", FOLDER) == inside
    assert find("./a.b.yaml", FOLDER) == beside
    assert find("cassettes/a.b.yaml", FOLDER) == inside
    assert find(str(beside.absolute()), FOLDER) == beside.absolute()


def test_a_cassette_that_ends_in_yml_is_found_by_its_name(lay: Lay) -> None:
    path = lay("chat").rename("cassettes/short.yml")
    assert find("short", FOLDER) == path
    assert find(name_of(path, FOLDER), FOLDER) == path


def test_a_name_that_is_not_there_is_an_error_that_names_the_closest(lay: Lay) -> None:
    lay("chat", "chat live/responds")
    with pytest.raises(UsageError) as caught:
        find("chat live/respond", FOLDER)
    assert str(caught.value) == (
        "There is no cassette 'chat live/respond'.\n"
        "  looked for: cassettes/chat live/respond.yaml\n"
        "Fix: name another, for example the closest: chat live/responds"
    )
    with pytest.raises(UsageError) as caught:
        find("../elsewhere", FOLDER)
    assert str(caught.value) == (
        "There is no cassette '../elsewhere'.\n"
        "  looked for: ../elsewhere\n"
        "Fix: aquila-cassette list shows what there is"
    )


def test_a_folder_is_searched_to_its_ground_and_hidden_files_are_passed_over(lay: Lay) -> None:
    names = ["b", "a/c", "a/b.c", ".hidden", ".git/d"]
    for name in names:
        lay("chat", name)
    Path("cassettes/notes.txt").write_text("no cassette")
    found = [name_of(path, FOLDER) for path in cassettes_in(FOLDER)]
    assert found == ["a/b.c", "a/c", "b"]
    assert list(cassettes_in(FOLDER / "b.yaml")) == [FOLDER / "b.yaml"]
    assert list(cassettes_in(Path("nowhere"))) == []


def test_every_name_that_is_listed_can_be_shown(lay: Lay) -> None:
    for folder in ("cassettes", "elsewhere"):
        for name in ("one", "deep/er/two", "dots.in.it"):
            lay("chat", name, folder=folder)
    for path in cassettes_in(Path()):
        assert find(name_of(path, FOLDER), FOLDER).samefile(path)
