"""The name of a cassette changed in code."""

from __future__ import annotations

import ast
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.cli.maintenance.project import Project
from aquila_cassette.cli.maintenance.renaming import Renaming, renaming, write
from tests.cli.maintenance.tapes import lay

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
            "from aquila_cassette import aquila_cassette as cassette\ntape('chat.hello')",
            "from aquila_cassette import aquila_cassette as cassette\ntape('talk/hi')",
        ),
        (
            'é = "é" + aquila_cassette("chat.hello") + aquila_cassette("chat.hello")  # 日本',
            'é = "é" + aquila_cassette("talk/hi") + aquila_cassette("talk/hi")  # 日本',
        ),
        (
            'aquila_cassette("chat.hello", cassette_dir="cassettes")',
            'aquila_cassette("talk/hi", cassette_dir="cassettes")',
        ),
        ('aquila_cassette("chat" ".hello")', 'aquila_cassette("talk/hi")'),
        (
            'aquila_cassette("chat." \'hello\', mode="none")',
            'aquila_cassette("talk/hi", mode="none")',
        ),
        ('aquila_cassette("chat\\x2ehello")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette("""chat.hello""")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette(f"chat.hello")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette("chat" f".hello")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette("chat" + ".hello")', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette(("chat") + (".hel" "lo"))', 'aquila_cassette("talk/hi")'),
        ('aquila_cassette(name="chat" ".hello")', 'aquila_cassette(name="talk/hi")'),
        (
            'aquila_cassette(\n    "chat"\n    ".hello",\n)  # ours',
            'aquila_cassette(\n    "talk/hi",\n)  # ours',
        ),
        (
            'é = ("é", aquila_cassette((\n  "chat"\n\n  ".hello")))',
            'é = ("é", aquila_cassette((\n  "talk/hi")))',
        ),
        (
            '@pytest.mark.aquila_cassette("chat." "hello")\ndef test(): ...',
            '@pytest.mark.aquila_cassette("talk/hi")\ndef test(): ...',
        ),
        (
            'TAPE = "chat" ".hello"\ndef test():\n    aquila_cassette(TAPE)',
            'TAPE = "talk/hi"\ndef test():\n    aquila_cassette(TAPE)',
        ),
        (
            'TAPE: str = "chat.hello"\naquila_cassette(TAPE)\naquila_cassette(name=TAPE)',
            'TAPE: str = "talk/hi"\naquila_cassette(TAPE)\naquila_cassette(name=TAPE)',
        ),
        (
            'def test():\n    name = "chat.hello"\n    aquila_cassette(name)',
            'def test():\n    name = "talk/hi"\n    aquila_cassette(name)',
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
        'aquila_cassette("chat." "world")',
        'aquila_cassette(b"chat.hello")',
        'aquila_cassette(f"chat.{n}.more")',
        'TAPE = "chat"\naquila_cassette(TAPE)\n',
        '"""Use aquila_cassette(\'chat.hello\')."""',
    ],
)
def test_everything_else_stays(code: str) -> None:
    found = renamed(code)
    assert FILE.read_text() == code
    assert found.edits == ()


BY_HAND = {
    "a comment between its parts": ('aquila_cassette(\n    "chat"  # ours\n    ".hello")', [2]),
    "a part that is made": ('n = input()\naquila_cassette(f"chat.{n}")', [2]),
    "a part that may be it": ('for n in ["hello", "bye"]:\n    aquila_cassette(f"chat.{n}")', [2]),
    "a template": ('aquila_cassette("chat.%s" % n)', [1]),
    "one of two": ('aquila_cassette("chat.hello" if x else "y")', [1]),
    "one of several": (
        '@pytest.mark.parametrize("n", ["chat.hello", "x"])\ndef test(n): aquila_cassette(n)',
        [2],
    ),
    "a name that is used otherwise, too": (
        'TAPE = "chat.hello"\naquila_cassette(TAPE)\nprint(TAPE)',
        [2],
    ),
    "a name that is bound twice": (
        'TAPE = "chat.hello"\naquila_cassette(TAPE)\nTAPE = "x"\n',
        [2],
    ),
    "a name that is deleted": ('TAPE = "chat.hello"\naquila_cassette(TAPE)\ndel TAPE\n', [2]),
    "a name of two": ('A = TAPE = "chat.hello"\naquila_cassette(TAPE)\n', [2]),
    "a name that another call takes elsewhere": (
        'TAPE = "chat.hello"\naquila_cassette(TAPE)\naquila_cassette(TAPE, cassette_dir="x")',
        [2],
    ),
    "a folder that cannot be told": ('aquila_cassette("chat." "hello", cassette_dir=HERE)', [1]),
}


@pytest.mark.parametrize("how", BY_HAND)
def test_what_cannot_be_changed_safely_is_told(how: str) -> None:
    code, lines = BY_HAND[how]
    found = renamed(code)
    assert FILE.read_text() == code
    assert found.by_hand == tuple((FILE, line) for line in lines)
    assert not set(found.left) & set(found.by_hand)


def test_a_name_that_another_file_takes_is_not_changed() -> None:
    lay("tests/test_more.py", "from tests.test_chat import TAPE\n")
    found = renamed('TAPE = "chat.hello"\naquila_cassette(TAPE)\n')
    assert (found.edits, found.by_hand) == ((), ((FILE, 2),))
    assert found.left == ((FILE, 1),)


def test_what_is_made_when_it_runs_may_be_it_and_is_told_apart() -> None:
    found = renamed("def test(request, aquila_cassette): aquila_cassette(request.node.name)\n")
    assert (found.edits, found.by_hand, found.doubt) == ((), (), ((FILE, 1),))
    assert renamed('aquila_cassette("chat.world")\n').doubt == ()


PARTS = st.sampled_from(['"chat" ".hello"', '"chat" + ".hello"', "'chat.hello'", 'f"chat.hello"'])
GAPS = st.sampled_from(["", " ", "\n", "\n    ", "  # mine\n"])


@given(PARTS, GAPS, GAPS, st.booleans(), st.sampled_from(["", "name="]))
@settings(max_examples=40, deadline=None)
def test_each_call_is_changed_or_told_and_the_rest_of_the_code_stays(
    parts: str, before: str, between: str, inside: bool, keyword: str
) -> None:
    if inside:
        parts = f"({parts})"
    parts = parts.replace(" ", f" {between}", 1)
    code = f"a = 1  # é\nwith aquila_cassette({keyword}{before}{parts}):  # ours\n    é = 'chat'\n"
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.chdir(folder)
        found = renamed(code.encode())
        after = FILE.read_text("utf-8")
    assert bool(found.edits) != bool(found.by_hand)
    if found.by_hand:
        assert after == code
        assert "# mine" in between
        return
    head, literal, tail = after.partition("talk/hi")
    assert literal
    (call,) = [node for node in ast.walk(ast.parse(after)) if isinstance(node, ast.Call)]
    (name,) = [*call.args, *(one.value for one in call.keywords)]
    assert ast.literal_eval(name) == "talk/hi"
    assert head.startswith("a = 1  # é\nwith aquila_cassette(")
    assert tail.endswith("):  # ours\n    é = 'chat'\n")


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
