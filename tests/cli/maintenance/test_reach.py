"""What names of cassettes in code can come to."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aquila_cassette.cli.maintenance.openings import openings
from aquila_cassette.cli.maintenance.project import Project
from aquila_cassette.cli.maintenance.reach import ANYTHING, Reach
from tests.cli.maintenance.tapes import lay

CALL = "aquila_cassette(name)"


def reached(folder: Path, code: str, **others: str) -> list[str]:
    """Give the pattern of each place in the code that opens a cassette."""
    lay(folder / "test_it.py", dedent(code))
    for name, more in others.items():
        lay(folder / f"{name}.py", dedent(more))
    project = Project((folder,), folder / "cassettes")
    reach = Reach(project)
    return [
        reach.pattern(one.name, one.source) if one.name else ANYTHING for one in openings(project)
    ]


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ('"chat.hello"', r"chat\.hello"),
        ('"chat." "hello"', r"chat\.hello"),
        ('"chat" + "/" + who', "chat/.*"),
        ('f"chat/{who}"', "chat/.*"),
        ('f"{who}{what}"', ".*"),
        ('f"chat/{who!r}"', "chat/.*"),
        ('f"n{1}"', "n1"),
        ('"chat/%s-%d" % (who, 1)', r"chat/.*\-.*"),
        ('"chat/{}".format(who)', "chat/.*"),
        ('Path("chat") / who', ".*/.*"),
        ('"a" if who else "b"', "(?:a|b)"),
        ('who or "b"', ".*"),
        ("str(1)", "1"),
        ("who", ".*"),
        ("who()", ".*"),
        ("names[0]", ".*"),
        ("self.name", ".*"),
    ],
)
def test_an_expression_is_followed_as_far_as_it_can_be(
    tmp_path: Path, expression: str, pattern: str
) -> None:
    assert reached(tmp_path, f"aquila_cassette({expression})\n") == [pattern]
    assert reached(tmp_path, f"aquila_cassette(mode='none', name={expression})\n") == [pattern]


FOLLOWED = {
    "a variable": """
        def test(aquila_cassette):
            name = "a"
            name = "b"
            aquila_cassette(name)
    """,
    "a loop": """
        def test(aquila_cassette):
            for number, name in [(1, "a"), (2, "b")]:
                aquila_cassette(name)
    """,
    "a comprehension": """
        def test(aquila_cassette):
            [aquila_cassette(name) for name in ("a", "b")]
    """,
    "a list by its name": """
        NAMES = ["a", "b"]
        def test(aquila_cassette):
            for name in NAMES:
                aquila_cassette(name)
    """,
    "the keys of a dict": """
        NAMES = {"a": 1, "b": 2}
        def test(aquila_cassette):
            for name in NAMES:
                aquila_cassette(name)
    """,
    "a parameter of a test": """
        @pytest.mark.parametrize("name", ["a", pytest.param("b", id="x")])
        def test(aquila_cassette, name):
            aquila_cassette(name)
    """,
    "one of two parameters": """
        @pytest.mark.parametrize(("n", "name"), [(1, "a"), pytest.param(2, "b")])
        def test(aquila_cassette, n, name):
            aquila_cassette(name)
    """,
    "a parameter of a class": """
        @pytest.mark.parametrize("n, name", [(1, "a"), (2, "b")])
        class TestIt:
            def test(self, aquila_cassette, n, name):
                aquila_cassette(name)
    """,
    "a parameter of a module": """
        pytestmark = [pytest.mark.slow, pytest.mark.parametrize("name", ["a", "b"])]
        def test(aquila_cassette, name):
            aquila_cassette(name)
    """,
    "a helper": """
        def opened(n, name="a"):
            return aquila_cassette(name)
        opened(1)
        opened(2, "b")
    """,
    "a helper by keyword": """
        async def opened(*, name):
            return aquila_cassette(name)
        await opened(name="a")
        await opened(name="b")
    """,
    "a method": """
        class Base:
            def opened(self, name):
                return aquila_cassette(name)
            def test(self):
                self.opened("a")
        Base().opened("b")
    """,
    "a function within": """
        def test(aquila_cassette):
            def opened(name):
                return aquila_cassette(name)
            opened("a"), opened("b")
        def elsewhere():
            opened = who()
    """,
    "a constant of a class": """
        class Names:
            FIRST = "a"
        class Others:
            FIRST = "b"
        aquila_cassette(Names.FIRST)
    """,
    "another name for the function": """
        from aquila_cassette import aquila_cassette as cassette
        with cassette("a" if who else "b"): ...
    """,
    "a decorator": """
        @aquila_cassette("a" if who else "b")
        def test(): ...
    """,
    "a marker": """
        @pytest.mark.aquila_cassette("a" if who else "b")
        def test(): ...
    """,
    "the package's own": """
        import aquila_cassette
        assert aquila_cassette
        print(aquila_cassette)
        with aquila_cassette.aquila_cassette("a" if who else "b"): ...
    """,
}


@pytest.mark.parametrize("way", FOLLOWED)
def test_a_name_is_followed_to_where_it_comes_from(tmp_path: Path, way: str) -> None:
    (pattern,) = reached(tmp_path, FOLLOWED[way])
    assert pattern in ("(?:a|b)", "(?:b|a)")


def test_a_name_is_followed_through_other_files(tmp_path: Path) -> None:
    code = "from names import CHAT\naquila_cassette(CHAT)\n"
    assert reached(tmp_path, code, names='CHAT = "chat"\n') == ["chat"]
    code = "def opened(name): return aquila_cassette(name)\n"
    assert reached(tmp_path, code, other='helpers.opened("chat")\n') == ["chat"]


OPEN = {
    "a parameter of a test that a fixture gives": "def test(name): aquila_cassette(name)\n",
    "a fixture's own": "@pytest.fixture\ndef cassette(name): aquila_cassette(name)\n",
    "a helper that is handed on": """
        def opened(name): return aquila_cassette(name)
        opened("a")
        map(opened, names)
    """,
    "a helper that is called with what it is given": """
        def opened(*given, name=None): return aquila_cassette(name)
        opened(**given)
    """,
    "a helper that nobody calls": "def opened(name): return aquila_cassette(name)\n",
    "a lambda": "cassette = lambda name: aquila_cassette(name)\n",
    "parameters made elsewhere": """
        @pytest.mark.parametrize("name", made())
        def test(name): aquila_cassette(name)
    """,
    "a variable that is added to": """
        def test():
            name = "a"
            name += who
            aquila_cassette(name)
    """,
    "a with": """
        def test():
            with who as name: aquila_cassette(name)
    """,
    "a global": """
        def test():
            global name
            aquila_cassette(name)
    """,
    "a recursion": """
        def opened(name): return opened(name) or aquila_cassette(name)
        opened(opened)
    """,
    "arguments unpacked": "aquila_cassette(*names)\n",
    "the function handed on": "def cassette(aquila_cassette): return aquila_cassette\n",
    "the function kept": "class A:\n  def f(self, aquila_cassette): self.cassette = aquila_cassette\n",
    "the fixture asked for": "def f(request): request.getfixturevalue('aquila_cassette')\n",
    "a part of it": "cassette = partial(aquila_cassette, mode='none')\n",
}


@pytest.mark.parametrize("way", OPEN)
def test_what_cannot_be_followed_can_be_anything(tmp_path: Path, way: str) -> None:
    assert ANYTHING in reached(tmp_path, OPEN[way])


def test_what_opens_nothing_is_nothing(tmp_path: Path) -> None:
    code = """
        import aquila_cassette
        from aquila_cassette import MissError
        __all__ = ["aquila_cassette"]
        raise aquila_cassette.MissError

        @pytest.mark.aquila_cassette
        def test(): ...

        @pytest.mark.aquila_cassette(mode="none")
        @pytest.mark.usefixtures("aquila_cassette")
        def test(aquila_cassette): ...
    """
    assert reached(tmp_path, code) == []


def test_code_that_is_no_python_is_passed_over(tmp_path: Path) -> None:
    lay(tmp_path / "broken.py", "def aquila_cassette(:\n")
    lay(tmp_path / "bytes.py", b"aquila_cassette\xff\x00")
    assert reached(tmp_path, 'aquila_cassette("a")') == ["a"]


def test_environments_and_hidden_folders_are_no_part_of_a_project(tmp_path: Path) -> None:
    lay(tmp_path / "env" / "pyvenv.cfg", "")
    for folder in ("env", ".hidden", "node_modules", "cassettes", "src/site-packages"):
        lay(tmp_path / folder / "x.py", 'aquila_cassette("no")')
    assert reached(tmp_path, 'aquila_cassette("a")') == ["a"]
