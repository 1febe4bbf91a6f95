"""``mv``: cassettes moved, and nothing lost, whatever is in the way."""

from pathlib import Path

import pytest

from aquila_cassette.cli.move import renamed, run
from aquila_cassette.cli.scrub import rewrite
from aquila_cassette.errors import CassetteSaveError
from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text

GOOD = text()
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
    old = lay("cassettes/chat.hello.yaml", GOOD)
    old.chmod(0o640)
    code = lay("tests/test_chat.py", CODE)
    ran = cli("mv", "chat.hello", "talk/hi", "--code")
    moved = "cassettes/chat.hello.yaml moved to cassettes/talk/hi.yaml\n"
    assert (ran.code, ran.out) == (0, DIFFERENCE + moved)
    assert ran.err == "The old name is still in tests/test_chat.py:1.\n"
    assert 'aquila_cassette("talk/hi")' in code.read_text()
    new = Path("cassettes/talk/hi.yaml")
    assert (old.exists(), new.read_text(), new.stat().st_mode & 0o777) == (False, GOOD, 0o640)


def test_what_was_killed_half_way_can_be_repeated(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = lay("cassettes/chat.hello.yaml", GOOD)
    code = [lay(f"tests/test_{name}.py", CODE) for name in "ab"]
    for way in ("replace", "rename"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Path, way, lambda *_: exec("raise KeyboardInterrupt"))
            run("chat.hello", "talk/hi", Path("cassettes"), code=True)
        assert old.read_text() == GOOD
    assert cli("mv", "chat.hello", "talk/hi", "--code").code == 0
    assert all('aquila_cassette("talk/hi")' in path.read_text() for path in code)


def test_nothing_is_overwritten_and_no_code_changes_then(cli: Cli) -> None:
    lay("cassettes/chat.hello.yaml", GOOD)
    other = lay("cassettes/talk/hi.yaml", "another")
    code = lay("tests/test_chat.py", CODE)
    assert cli("mv", "chat.hello", "talk/hi", "--code").refusal == (
        "There is a file at cassettes/talk/hi.yaml already; it is not overwritten.\n"
        "  to move: cassettes/chat.hello.yaml\n"
        "Fix: choose another name, or move that one away first\n"
    )
    assert (other.read_text(), code.read_text()) == ("another", CODE)
    assert cli("mv", "talk/hi", "talk/hi").code == 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('aquila_cassette("a.b")', 'aquila_cassette("hi")'),
        ("aquila_cassette('a.b', mode='none')", "aquila_cassette('hi', mode='none')"),
        ('@mark.aquila_cassette("a.b")\nclass C: ...', '@mark.aquila_cassette("hi")\nclass C: ...'),
        ('x = "é"; aquila_cassette(name="a.b.yaml")', 'x = "é"; aquila_cassette(name="hi.yaml")'),
        ('"\f"\r\naquila_cassette("a.b")\r\n', '"\f"\r\naquila_cassette("hi")\r\n'),
        ('[aquila_cassette("a.b"), aquila_cassette("a.b")]',
         '[aquila_cassette("hi"), aquila_cassette("hi")]'),
        *((code, code) for code in (
            'aquila_cassette("a" ".b")',
            'aquila_cassette("a\\x2eb")',
            'NAME = "a.b"\naquila_cassette(NAME)',
            'aquila_cassette(f"a.{b}")',
            'other("a.b")',
            'aquila_cassette("a.b.c")',
            "no python at all (",
        )),
    ],
)  # fmt: skip
def test_only_a_name_written_as_one_string_is_changed(code: str, expected: str) -> None:
    assert renamed(code, "a.b", "hi") == expected


def test_a_cassette_that_was_changed_is_not_written() -> None:
    path = lay("a.yaml", GOOD)
    with pytest.raises(CassetteSaveError) as caught:
        rewrite(path, b"what was looked at", GOOD.encode(), [chat()])
    assert str(caught.value) == (
        "a.yaml was changed in the meantime; it is left as it is.\nFix: run the command again"
    )
    assert path.read_text() == GOOD


def test_without_code_it_changes_none_and_says_where_the_name_is(cli: Cli) -> None:
    lay("cassettes/chat.hello.yaml", GOOD)
    code = lay("tests/test_chat.py", CODE)
    ran = cli("mv", "cassettes/chat.hello.yaml", "hi")
    assert ran.out == "cassettes/chat.hello.yaml moved to cassettes/hi.yaml\n"
    assert ran.err == "The old name is still in tests/test_chat.py:1, tests/test_chat.py:5.\n"
    assert code.read_text() == CODE
