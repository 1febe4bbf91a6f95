"""Which file a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquila_cassette.errors import CassetteNameError
from aquila_cassette.importers import find_cassette


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cassettes/chat").mkdir(parents=True)


def lay(*names: str) -> None:
    for name in names:
        Path("cassettes", name).touch()


def where(name: str) -> str:
    return find_cassette(Path("cassettes"), name).name


@pytest.mark.parametrize(
    "file", ["chat.hi.yml", "chat.hi.json", "chat.hi.har", "chat.hi.yaml.gz", "chat.hi"]
)
def test_the_only_file_of_a_name_is_meant_whatever_its_suffix(file: str) -> None:
    lay(file, "other.json")
    assert where("chat.hi") == file
    assert where(file) == file


def test_where_there_is_none_the_usual_one_is_to_be() -> None:
    assert where("chat") == "chat.yaml"  # and not the folder of that name
    assert where("chat.json") == "chat.json.yaml"
    assert where("n" * 250) == f"{'n' * 250}.yaml"


def test_the_usual_one_comes_first() -> None:
    lay("chat.yaml", "chat.json", "chat.har")
    assert where("chat") == "chat.yaml"
    assert where("chat.har") == "chat.har"


def test_of_two_others_one_must_be_named() -> None:
    lay("chat.json", "chat.har")
    with pytest.raises(CassetteNameError) as caught:
        where("chat")
    assert str(caught.value) == (
        "The cassette name 'chat' may mean 2 files.\n"
        "  cassettes/chat.json\n"
        "  cassettes/chat.har\n"
        'Fix: use the name of one, with its suffix: "chat.json"'
    )
    assert where("chat.json") == "chat.json"
