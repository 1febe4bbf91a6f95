"""Every kind of block through every kind of run: what we print leads to green, and nothing is lost.

Each block asks for two paths below its prompt. A test of another module shares the cassette.
"""

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from aquila_cassette import importers
from tests.servers import Connection, RawServer, Request, answers

ASKING = """
import os, httpx, warnings

def address(number):
    return os.environ["SERVER"] + "/" + os.environ["PROMPT"] + "/" + str(number)

def ask(number):
    # Without the certificates, whose loading takes longer than all else.
    return httpx.get(address(number), verify=False).raise_for_status().text

def begin(client, number):
    return client.send(client.build_request("GET", address(number)), stream=True)

def in_child(work):
    with warnings.catch_warnings(action="ignore"):
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0

def both():
    ask(1), ask(2)
"""
CONFTEST = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    if item.get_closest_marker("rerun") is None:
        return None
    for last in (False, True):  # as pytest-rerunfailures does
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if last or not any(report.failed for report in reports):
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
HEAD = """
import httpx, unittest, pytest
from hypothesis import given, settings, strategies
from aquila_cassette import aquila_cassette as block
from asking import ask, begin, both, in_child
"""
OTHER = """
from aquila_cassette import aquila_cassette
import httpx, os

def test_other():
    with aquila_cassette("x"):
        assert httpx.get(os.environ["SERVER"] + "/other", verify=False).text
"""
WIDER = """
@pytest.fixture(scope={!r})
def answers():
    with block("x"):
        both()

class TestIt:
    def test_one(self, answers): pass
    def test_two(self, answers): pass
"""

KINDS = {
    "function": """
        def test_one(aquila_cassette):
            with aquila_cassette("x"):
                both()
        """,
    "assertion_after_the_block": """
        def test_one(aquila_cassette):
            with aquila_cassette("x"):
                ask(1)
            with aquila_cassette("x"):
                ask(2)
            assert True
        """,
    "decorator": """
        @block("x")
        def test_one(): both()
        """,
    "async_block": """
        @pytest.mark.asyncio
        async def test_one():
            async with block("x"):
                both()
        """,
    "fixture_cassette": """
        def test_one(cassette): both()
        """,
    "marker_on_a_function": """
        @pytest.mark.aquila_cassette("x")
        def test_one(): both()
        """,
    "marker_on_a_class": """
        @pytest.mark.aquila_cassette("x")
        class TestIt:
            @classmethod
            def setup_class(cls): ask(1)

            @classmethod
            def teardown_class(cls): ask(3)

            def test_one(self): ask(2)
            def test_two(self): pass
        """,
    "marker_on_a_unittest_class": """
        @pytest.mark.aquila_cassette
        class TestIt(unittest.TestCase):
            @classmethod
            def setUpClass(cls): ask(1)

            def test_one(self): ask(2)
            def test_two(self): pass
        """,
    "marker_on_a_module": """
        pytestmark = pytest.mark.aquila_cassette

        def setup_module(): ask(1)
        def test_one(): ask(2)

        class TestIt:
            @classmethod
            def setup_class(cls): ask(1)
            def test_two(self): pass
        """,
    **{f"fixture_of_a_{one}": WIDER.format(one) for one in ("class", "module", "package")},
    "fixture_of_the_session": WIDER.format("session"),
    "fixture_of_a_function": """
        @pytest.fixture
        def answers():
            with block("x"):
                yield ask(1)

        def test_one(answers): ask(2)
        def test_two(): pass
        """,
    "fixture_of_a_module_around_its_tests": """
        @pytest.fixture(scope="module")
        def answers():
            with block("x"):
                yield ask(1)

        def test_one(answers): ask(2)
        def test_two(answers): pass
        """,
    "unittest_set_up": """
        class TestIt(unittest.TestCase):
            def setUp(self):
                with block("x"):
                    ask(1)

            def test_one(self):
                with block("x"):
                    ask(2)
        """,
    "unittest_enter_context": """
        class TestIt(unittest.TestCase):
            def setUp(self): self.enterContext(block("x"))
            def test_one(self): both()
            def test_two(self): pass
        """,
    "unittest_set_up_class": """
        class TestIt(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.enterClassContext(block("x"))
                ask(1)

            def test_one(self): ask(2)
            def test_two(self): pass
        """,
    "hypothesis": """
        @settings(derandomize=True, max_examples=5, deadline=None, database=None)
        @given(n=strategies.integers(1, 2))
        def test_one(aquila_cassette, n):
            with aquila_cassette("x"):
                ask(n)
        """,
    "subtests": """
        def test_one(subtests):
            with block("x"):
                for n in (1, 2):
                    with subtests.test(n=n):
                        ask(n)
        """,
    "unittest_subtest": """
        class TestIt(unittest.TestCase):
            def test_one(self):
                with block("x"):
                    for n in (1, 2):
                        with self.subTest(n=n):
                            ask(n)
        """,
    "parametrized": """
        @pytest.mark.parametrize("n", [1, 2])
        def test_one(n):
            with block("x"):
                ask(n)
        """,
    "forked_child": """
        def test_one():
            with block("x"):
                ask(1)
                in_child(lambda: in_child(lambda: ask(2)))
        """,
    "stream_read_after_its_block": """
        @block("x")
        def start(client, number): return begin(client, number)

        def test_one():
            with httpx.Client(verify=False) as client:
                for number in (1, 2):
                    response = start(client, number)
                    response.read()
                    response.raise_for_status()
        """,
    "rerun": """
        @pytest.mark.rerun
        def test_one(cassette): both()
        """,
}

# Others make the file that their failed test had nothing good for: to it, that is any old cassette.
NOTHING_TO_KEEP = ("marker_on_a_class", "parametrized")


OUTSIDE_HEAD = """
import unittest
from aquila_cassette import aquila_cassette as block
from asking import ask, both, in_child
"""
OUTSIDE = {
    "script": (
        "it.py",
        """
        for number in (1, 2):
            with block("x"):
                ask(number)
        """,
    ),
    "script_with_functions": (
        "it.py",
        """
        @block("x")
        def one(): ask(1)

        def two():
            with block("x"):
                in_child(lambda: ask(2))

        one(), two()
        """,
    ),
    "unittest": (
        "-m unittest",
        """
        class TestIt(unittest.TestCase):
            def setUp(self): self.enterContext(block("x"))
            def test_one(self): ask(1)
            def test_two(self): both()
        """,
    ),
    "unittest_set_up_class": (
        "-m unittest it",
        """
        class TestIt(unittest.TestCase):
            @classmethod
            def setUpClass(cls): cls.enterClassContext(block("x"))

            def test_one(self): ask(1)
            def test_two(self): ask(2)
        """,
    ),
}  # the arguments of python, and the code


class Project:
    """A suite in a folder, the server that it asks, and what it says to run."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self._monkeypatch = monkeypatch
        self.failing: set[str] = set()  # paths that are answered with 401
        self.asked: list[str] = []
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(asking=ASKING)
        pytester.makepyprojecttoml(
            "[tool.pytest.ini_options]\nfilterwarnings = ['error', 'ignore:No request came']\nmarkers = ['rerun']\n"
            "asyncio_default_fixture_loop_scope = 'function'\n"
        )
        monkeypatch.syspath_prepend(pytester.path)

    def answer(self, connection: Connection, request: Request) -> None:
        self.asked.append(request.path)
        status = 401 if request.path in self.failing else 200
        answers(request.path.encode(), status)(connection, request)

    def run(self, *arguments: str, green: bool = True, prompt: str = "") -> pytest.RunResult:
        if prompt:
            self._monkeypatch.setenv("PROMPT", prompt)
        self.asked.clear()
        # xdist's controller does not end inside the process of another run.
        in_process = "-n" not in arguments
        run = self.pytester.runpytest if in_process else self.pytester.runpytest_subprocess
        result = run("-p", "no:cassetter", *arguments)
        assert (result.ret == 0) == green, "should be green" if green else "should be red"
        return result

    def replay(self, *arguments: str) -> None:
        self.run("--aquila-record=none", *arguments)
        assert self.asked == []

    def follow_commands(self, result: pytest.RunResult) -> None:
        """Run each command that was printed, as it was printed."""
        found = re.findall(
            r"^(?:E +)?Fix: (?:.* run: )?pytest (.+)$", result.stdout.str(), re.MULTILINE
        )
        assert found
        for command in dict.fromkeys(found):
            self.run(*shlex.split(command))

    def paths(self) -> Counter[tuple[str, str, int | None]]:
        """Count what is on file: cassette, path, status."""
        return Counter(
            (file.stem, "/" + one.request.url.split("/", 3)[3], one.response.status)
            for file in Path(self.pytester.path, "cassettes").rglob("*.yaml")
            for one in importers.load(file).interactions
        )


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    project = Project(pytester, monkeypatch)
    with RawServer(project.answer) as server:
        monkeypatch.setenv("SERVER", server.url)
        yield project


def write(project: Project, kind: str, cassette: str = "x") -> None:
    folder = project.pytester.path / ("pkg" if kind == "fixture_of_a_package" else "")
    folder.mkdir(exist_ok=True)
    if folder.name == "pkg":
        (folder / "__init__.py").touch()
    source = (HEAD + dedent(KINDS[kind])).replace('"x"', f'"{cassette}"')
    (folder / f"test_{kind}.py").write_text(source, "utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_run_prints_leads_to_green_and_loses_nothing(project: Project, kind: str) -> None:
    write(project, kind)
    project.pytester.makepyfile(test_other=OTHER)
    other = ("x", "/other", 200)

    project.failing = {"/old/2"}
    project.run(prompt="old", green=False)
    assert {status for _, _, status in project.paths()} == {200}
    project.failing = set()
    if kind in NOTHING_TO_KEEP:
        project.follow_commands(project.run(green=False))
    else:
        project.run()
    assert "/old/2" in project.asked, "what failed is recorded the next time"
    project.replay()

    project.follow_commands(project.run(prompt="new", green=False))
    project.replay()
    assert project.paths()[other] == 1

    project.failing = {"/new/2"}
    before = project.paths()
    project.run("--aquila-record=all", green=False)
    assert project.paths() >= before, "only an owner that passed replaces what it had"
    project.failing = set()
    project.replay()

    project.run("--aquila-record=all")
    assert {path for _, path, _ in project.paths()} >= {"/other", "/new/1", "/new/2"}
    assert not [path for _, path, _ in project.paths() if path.startswith("/old/")]
    project.replay("-k", "one")
    project.run("--aquila-record=all", "-k", "one")
    project.replay()
    assert max(project.paths().values()) == 1


def test_all_kinds_in_workers_and_in_any_order(project: Project) -> None:
    for kind in KINDS:
        write(project, kind, cassette=kind)

    project.run("-n", "2", prompt="old")
    recorded = project.paths()
    project.replay("--random-order", "--random-order-seed=1")
    project.replay("-n", "2")

    project.run("-n", "2", "--aquila-record=all", prompt="new")
    replaced = {(name, path.replace("/old/", "/new/"), status) for name, path, status in recorded}
    assert set(project.paths()) == replaced
    project.replay("--random-order", "--random-order-seed=2")

    project.run(prompt="newer", green=False)
    project.run("--lf", "--aquila-record=all")
    # To --lf a test of which only subtests failed has passed.
    project.run("test_unittest_subtest.py", "--aquila-record=all")
    project.replay()
    project.run("--random-order", "--random-order-seed=3", "--aquila-record=all", prompt="newest")
    project.replay()


@pytest.mark.parametrize("kind", OUTSIDE)
def test_outside_pytest_what_is_printed_leads_to_green_and_loses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    arguments, code = OUTSIDE[kind]
    source = OUTSIDE_HEAD + dedent(code)
    project.pytester.makepyfile(it=source, test_it=source, other=OTHER + "\ntest_other()")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv(
        "PYTHONPATH", f"{Path(__file__).parents[2]}{os.pathsep}{project.pytester.path}"
    )
    again = f"python {arguments}"

    def run(
        command: str, *, prompt: str = "", mode: str = "once", green: bool | None = True
    ) -> list[str]:
        """Run a command, and return the commands that it prints."""
        if prompt:
            monkeypatch.setenv("PROMPT", prompt)
        monkeypatch.setenv("AQUILA_RECORD", mode)
        project.asked.clear()
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert green in (None, done.returncode == 0), done.stdout + done.stderr
        assert mode != "none" or project.asked == []
        return re.findall(r"^Fix: (.+)$", done.stdout + done.stderr, re.MULTILINE)

    def repair() -> None:
        for command in dict.fromkeys(run(again, green=None)):
            run(command)
        run(again, mode="none")

    project.failing = {"/old/2"}
    run(again, prompt="old", green=False)
    assert {status for _, _, status in project.paths()} <= {200}
    project.failing = set()
    repair()
    run("python other.py", mode="new_episodes")
    monkeypatch.setenv("PROMPT", "new")
    repair()

    project.failing = {"/new/2"}
    before = project.paths()
    run(again, mode="all", green=False)
    assert project.paths() >= before, "only an owner that passed replaces what it had"
    project.failing = set()
    run(again, mode="all")
    run(again, mode="none")
    run("python other.py", mode="none")
