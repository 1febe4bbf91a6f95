"""``mv``: another name for a cassette, and for it in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text

CODE = """\
NAMES = ["chat.hello"]


def test_reply(aquila_cassette):
    with aquila_cassette("chat.hello"):
        ...
"""
DIFFERENCE = """\
--- tests/test_chat.py
+++ tests/test_chat.py
@@ -4,3 +4,3 @@
 def test_reply(aquila_cassette):
-    with aquila_cassette("chat.hello"):
+    with aquila_cassette("talk/hi"):
         ...
"""


def test_a_cassette_gets_another_name_and_so_it_does_in_the_code(cli: Cli) -> None:
    lay("cassettes/chat.hello.yaml", text())
    lay("tests/test_chat.py", CODE)
    moved = "cassettes/chat.hello.yaml would be moved to cassettes/talk/hi.yaml\n"
    ran = cli("mv", "chat.hello", "talk/hi", "--code", "--dry-run")
    assert (ran.code, ran.out) == (0, DIFFERENCE + moved)
    assert Path("tests/test_chat.py").read_text() == CODE
    assert Path("cassettes/chat.hello.yaml").read_text() == text()
    ran = cli("mv", "chat.hello", "talk/hi", "--code")
    assert (ran.code, ran.out) == (0, DIFFERENCE + moved.replace("would be ", ""))
    assert ran.err == "The old name is still in tests/test_chat.py:1.\n"
    assert 'aquila_cassette("talk/hi")' in Path("tests/test_chat.py").read_text()
    assert not Path("cassettes/chat.hello.yaml").exists()
    assert Path("cassettes/talk/hi.yaml").read_text() == text()


def test_without_being_told_to_it_changes_no_code_and_says_where_the_name_stands(
    cli: Cli,
) -> None:
    lay("cassettes/chat.hello.yaml", text())
    lay("tests/test_chat.py", CODE)
    ran = cli("mv", "cassettes/chat.hello.yaml", "talk/hi.yaml")
    assert ran.out == "cassettes/chat.hello.yaml moved to cassettes/talk/hi.yaml\n"
    assert ran.err == "The old name is still in tests/test_chat.py:1, tests/test_chat.py:5.\n"
    assert Path("tests/test_chat.py").read_text() == CODE


def test_nothing_is_overwritten_and_no_code_changes_then(cli: Cli) -> None:
    lay("cassettes/chat.hello.yaml", text())
    lay("cassettes/talk/hi.yaml", "another")
    lay("tests/test_chat.py", CODE)
    ran = cli("mv", "chat.hello", "talk/hi", "--code")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "There is a file at cassettes/talk/hi.yaml already; it is not overwritten.\n"
        "  to move: cassettes/chat.hello.yaml\n"
        "Fix: choose another name, or move that one away first\n"
    )
    assert Path("cassettes/talk/hi.yaml").read_text() == "another"
    assert Path("tests/test_chat.py").read_text() == CODE
    assert cli("mv", "talk/hi", "talk/hi").code == 2


def test_a_test_whose_own_name_the_cassette_had_is_told_of(cli: Cli) -> None:
    lay("cassettes/tests/test_chat/test_reply.yaml", text(chat()))
    ran = cli("mv", "tests/test_chat/test_reply", "hi")
    assert ran.err == (
        "tests/test_chat.py::test_reply opens it by its own name (the fixture cassette): "
        'add @pytest.mark.aquila_cassette("hi")\n'
    )


def test_a_damaged_tape_moves_too(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"\xff")
    assert cli("mv", "bad", "worse").code == 0
    assert Path("cassettes/worse.yaml").read_bytes() == b"\xff"


def test_a_cassette_that_lies_elsewhere_is_not_moved(cli: Cli) -> None:
    real = lay("elsewhere/chat.yaml", text())
    Path("cassettes").mkdir()
    Path("cassettes/far").symlink_to("../elsewhere")
    for new in ("hi", "far/hi"):
        ran = cli("mv", "cassettes/far/chat.yaml", new)
        assert (ran.code, ran.out) == (2, "")
        assert "out" in ran.err
    assert real.exists()
    assert [path.name for path in real.parent.iterdir()] == ["chat.yaml"]


def test_code_that_a_link_leads_to_elsewhere_is_left(cli: Cli, tmp_path: Path) -> None:
    code = 'aquila_cassette("chat")\n'
    real = lay(tmp_path / "theirs.py", code)
    lay("work/cassettes/chat.yaml", text())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("work")
        Path("conftest.py").symlink_to("../theirs.py")
        ran = cli("mv", "chat", "hi", "--code")
    assert (ran.code, real.read_text()) == (0, code)
