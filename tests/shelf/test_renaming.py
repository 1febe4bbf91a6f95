"""The name of a tape changed in code."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aquila_cassette.shelf.project import Project
from aquila_cassette.shelf.renaming import Renaming, renaming, write
from tests.shelf.tapes import lay

FOLDER = Path("cassettes")
FILE = Path("tests/test_chat.py")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def renamed(code: str | bytes, old: str = "chat.hello", new: str = "talk/hi") -> Renaming:
    lay(FILE, code if isinstance(code, bytes) else dedent(code))
    project = Project((Path(),), FOLDER)
    found = renaming(project, FOLDER / f"{old}.yaml", FOLDER / f"{new}.yaml", FOLDER)
    for edit in found.edits:
        write(edit)
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('aquila_cassette("chat.hello")', 'aquila_cassette("talk/hi")'),
        ("aquila_cassette('chat.hello')", "aquila_cassette('talk/hi')"),
        ('aquila_cassette(r"chat.hello")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette("chat.hello.yaml")', 'aquila_cassette("talk/hi.yaml")'),
        ('aquila_cassette(name="chat.hello")', 'aquila_cassette(name="talk/hi")'),
        (
            'aquila_cassette("chat.hello", mode="none")',
            'aquila_cassette("talk/hi", mode="none")',
        ),
        (
            '@pytest.mark.aquila_cassette("chat.hello")\ndef test(): ...',
            '@pytest.mark.aquila_cassette("talk/hi")\ndef test(): ...',
        ),
        (
            "from aquila_cassette import aquila_cassette as tape\ntape('chat.hello')",
            "from aquila_cassette import aquila_cassette as tape\ntape('talk/hi')",
        ),
        (
            'é = "é" + aquila_cassette("chat.hello") + aquila_cassette("chat.hello")  # 日本',
            'é = "é" + aquila_cassette("talk/hi") + aquila_cassette("talk/hi")  # 日本',
        ),
        (
            'aquila_cassette("chat.hello", cassette_dir="cassettes")',
            'aquila_cassette("talk/hi", cassette_dir="cassettes")',
        ),
    ],
)
def test_a_name_is_changed_in_calls_and_markers(before: str, after: str) -> None:
    found = renamed(before)
    assert FILE.read_text("utf-8") == after
    assert not found.left


@pytest.mark.parametrize(
    "code",
    [
        'aquila_cassette("chat.hello.more")',
        'aquila_cassette("chat")',
        'open_it("chat.hello")',
        'aquila_cassette("x", "chat.hello")',
        'aquila_cassette("chat.hello", cassette_dir="others")',
        'aquila_cassette("chat.hello", cassette_dir=HERE)',
        'aquila_cassette("chat." "hello")',
        'aquila_cassette("chat\\x2ehello")',
        'aquila_cassette("""chat.hello""")',
        'aquila_cassette(f"chat.hello")',
        '"""Use aquila_cassette(\'chat.hello\')."""',
    ],
)
def test_everything_else_stays(code: str) -> None:
    found = renamed(code)
    assert FILE.read_text() == code
    assert found.edits == ()


def test_where_the_name_stands_too_is_told() -> None:
    found = renamed(
        """
        aquila_cassette("chat.hello")
        NAMES = ["chat.hello"]
        aquila_cassette("other")
        """
    )
    lay("README.md", "Open `chat.hello`, see cassettes/chat.hello.yaml")
    assert found.changed == ((FILE, 2),)
    assert found.left == ((FILE, 3),)


def test_line_ends_encoding_and_mode_stay_as_they_were() -> None:
    before = '# coding: latin-1\r\n\x0cx = "é"\r\naquila_cassette("chat.hello")\rlast = 1'
    lay(FILE, "")
    FILE.chmod(0o700)
    renamed(before.encode("latin-1"))
    after = before.replace("chat.hello", "talk/hi").encode("latin-1")
    assert FILE.read_bytes() == after
    assert FILE.stat().st_mode & 0o777 == 0o700
    renamed(b"\xef\xbb\xbfaquila_cassette('chat.hello')\n")
    assert FILE.read_bytes() == b"\xef\xbb\xbfaquila_cassette('talk/hi')\n"


def test_a_quote_in_the_new_name_needs_the_other_quotes() -> None:
    renamed("aquila_cassette('chat.hello')", new="it's")
    assert FILE.read_text() == 'aquila_cassette("it\'s")'


def test_a_yml_file_is_only_meant_with_its_suffix() -> None:
    lay(FILE, 'aquila_cassette("chat")\naquila_cassette("chat.yml")\n')
    found = renaming(Project((Path(),), FOLDER), FOLDER / "chat.yml", FOLDER / "hi.yaml", FOLDER)
    (edit,) = found.edits
    assert edit.new == 'aquila_cassette("chat")\naquila_cassette("hi.yaml")\n'


def test_a_file_that_was_changed_meanwhile_is_not_overwritten() -> None:
    lay(FILE, 'aquila_cassette("chat")\n')
    found = renaming(Project((Path(),), FOLDER), FOLDER / "chat.yaml", FOLDER / "hi.yaml", FOLDER)
    FILE.write_text("something else")
    with pytest.raises(Exception, match="it was changed meanwhile"):
        write(found.edits[0])
    assert FILE.read_text() == "something else"
    assert [one.name for one in FILE.parent.iterdir()] == [FILE.name]
