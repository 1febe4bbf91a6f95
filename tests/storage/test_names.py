"""Which file a cassette name means, and which names are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.errors import CassetteNameError
from aquila_cassette.storage.names import cassette_path, display_path, name_of_test

FOLDER = Path("cassettes")
USE = "Fix: use letters, digits, '_', '-', '.', and '/' for a folder inside that one"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("chat", "chat.yaml"),
        ("a/b.c/日本", "a/b.c/日本.yaml"),
        ("console", "console.yaml"),
    ],
)
def test_a_name_is_a_file_in_the_folder(name: str, file: str) -> None:
    assert cassette_path(FOLDER, name) == FOLDER / file


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("/etc/passwd", ""),
        ("../secrets", ".."),
        ("a//b", ""),
        ("a\\b", "a\\b"),
        ("a\ud800", "a\ud800"),
        ("a /b", "a "),
        ("NUL", "NUL"),
        ("a/con.b", "con.b"),
        ("n" * 251, "n" * 251),
    ],
    ids=range(9),
)
def test_a_name_that_is_not_portable_or_leaves_the_folder_is_refused(name: str, part: str) -> None:
    with pytest.raises(CassetteNameError) as caught:
        cassette_path(FOLDER, name)
    assert str(caught.value) == (
        f"The cassette name {name!r} cannot be used: {part!r} is no portable file name.\n"
        f"  folder: cassettes\n{USE}"
    )


def test_links_are_followed_but_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "alias").symlink_to("sub")
    (tmp_path / "real" / "out").symlink_to(tmp_path)
    (tmp_path / "cassettes").symlink_to("real")
    folder = tmp_path / "cassettes"
    assert cassette_path(folder, "alias/a") == folder / "alias" / "a.yaml"
    with pytest.raises(CassetteNameError) as caught:
        cassette_path(folder, "out/a")
    assert str(caught.value) == (
        "The cassette name 'out/a' cannot be used: it leads out of the cassette folder, to "
        f"{str(tmp_path.resolve() / 'a.yaml')!r}.\n  folder: {folder}\n{USE}"
    )


def part(text: str) -> str:
    """Return what `text` becomes in the name of a test's cassette."""
    return name_of_test(f"a.py::{text}").removeprefix("a/")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("TestChat.test_reply[a/b:c]", "TestChat.test_reply[a-b-c]"),
        ("""<>?%*:|"'/\\""", "-----------"),
        ("test_é[日本]", "test_é[日本]"),
        ("a\nb\ud800c", "a-b-c"),
        ("test.", "test-"),
        ("", "-"),
        ("nul", "-nul"),
    ],
)
def test_part_of_a_test_id_becomes_part_of_a_name(text: str, name: str) -> None:
    assert part(text) == name


def test_names_that_had_to_be_cut_stay_two() -> None:
    assert part("x" * 200 + "1") != part("x" * 200 + "2")
    assert len(part("é" * 200).encode()) <= 120


@given(st.text(st.characters()))
def test_every_text_is_safe_as_a_name(text: str) -> None:
    assert cassette_path(FOLDER, part(text)).parent == FOLDER


def test_a_path_is_shown_from_the_working_directory(tmp_path: Path) -> None:
    assert display_path(Path.cwd() / "cassettes" / "a.yaml") == "cassettes/a.yaml"
    assert display_path(tmp_path / "a.yaml") == str(tmp_path / "a.yaml")
