"""Owners outside pytest, each in a process of its own: scripts, plain unittest, notebooks."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import RawServer, says_path

Run = Callable[..., str]


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(says_path) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, server: RawServer) -> Run:
    """Write a file of code (`get`, `block` are there) and run it; return what it wrote."""
    head = (
        "import sys, unittest, urllib.request\n"
        "from aquila_cassette import aquila_cassette as block\n"
        f"def get(path): return urllib.request.urlopen({server.url!r} + path).read().decode()\n"
    )
    package = str(Path(__file__).parents[2])
    environment = {name: os.environ[name] for name in os.environ if name != "CI"}

    def run(code: str, *command: str, passes: bool = True, **variables: str) -> str:
        (tmp_path / "it.py").write_text(head + code, "utf-8")
        done = subprocess.run(
            [sys.executable, *(command or ["it.py"])],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": package, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is passes, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def on_file(folder: Path, name: str = "x") -> list[str]:
    """Return what is on file: by whom, and the path that was asked for."""
    path = folder / f"cassettes/{name}.yaml"
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    by = re.findall(r"recorded_by: (\S+)", text)
    return [
        " ".join(pair)
        for pair in zip(by, re.findall(r"url: http://[^/]+/(\S+)", text), strict=True)
    ]


def test_functions_of_a_script_replace_their_own_and_one_with_arguments_drops_nothing(
    run: Run, tmp_path: Path
) -> None:
    code = """
def one():
    with block("x"): get("/1")
@block("x")
def two(path="/2"): get(path)
class Three:
    def ask(self):
        with block("x"): get("/3")
two(*sys.argv[1:])
{}one(), Three().ask()
"""
    run(code.format(""))
    everything = ["it.py::two 2", "it.py::one 1", "it.py::Three.ask 3"]
    assert on_file(tmp_path) == everything
    run(code.format("#"), AQUILA_RECORD="all")
    assert on_file(tmp_path) == everything
    run(code.format("#"), "it.py", "/other", AQUILA_RECORD="all")
    assert on_file(tmp_path) == [*everything, "it.py::two other"]
    run(code.format(""), AQUILA_RECORD="none")


UNITTEST = """
def setUpModule():
    unittest.enterModuleContext(block("module"))
    get("/module")
class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(block("class"))
        get("/class")
    def setUp(self):
        self.enterContext(block("x"))
        get("/setup")
    def test_one(self):
        assert get("/1") == "/1"
    def test_two(self):
        with self.subTest():
            assert get("/2") == "/2"
        {}
"""


def test_tests_of_plain_unittest_own_what_setup_and_they_ask(run: Run, tmp_path: Path) -> None:
    command = "-m", "unittest", "it"
    one, two = "it.py::TestA::test_one", "it.py::TestA::test_two"
    run(UNITTEST.format("assert False"), *command, passes=False)
    run(UNITTEST.format(""), *command)
    everything = [f"{one} setup", f"{one} 1", f"{two} 2"]
    assert on_file(tmp_path) == everything
    assert on_file(tmp_path, "class") == ["it.py::TestA class"]
    assert on_file(tmp_path, "module") == ["it.py module"]
    run(UNITTEST.format(""), *command, AQUILA_RECORD="none")
    drifted = UNITTEST.format("get('/new')")
    fix = run(drifted, *command, passes=False)
    assert re.search(r"Fix: AQUILA_RECORD=new_episodes python\S* -m unittest it\n", fix)
    run(drifted, *command, AQUILA_RECORD="all")
    assert on_file(tmp_path) == [
        f"{one} setup",
        f"{one} 1",
        f"{two} setup",
        f"{two} 2",
        f"{two} new",
    ]
    run(drifted, "-m", "unittest", "it.TestA.test_one", AQUILA_RECORD="all")
    run(drifted, *command, AQUILA_RECORD="none")


def test_the_outcome_of_a_test_of_plain_unittest_decides_what_is_saved(
    run: Run, tmp_path: Path
) -> None:
    code = """
class TestA(unittest.TestCase):
    def test_expected(self):
        with self.assertRaises(Exception), block("expected"): get("/status/404")
    @unittest.expectedFailure
    def test_xfails(self):
        with block("xfails"): get("/status/404")
    def test_fails(self):
        self.enterContext(block("fails"))
        try: get("/status/401")
        except Exception: pass
        self.assertTrue({0})
    def test_later(self):
        with block("later"): get("/later")
        self.assertTrue({0})
class TestB(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(block("class"))
        try: get("/status/401")
        except Exception: pass
    def test_it(self):
        self.assertTrue({0})
"""
    command = "-m", "unittest", "it"
    run(code.format(False), *command, passes=False)
    assert {path.stem for path in tmp_path.rglob("*.yaml")} == {"expected", "xfails", "later"}
    run(code.format(True), *command)
    run(code.format(True), *command, AQUILA_RECORD="none")


def test_a_cell_of_a_notebook_replaces_what_it_asks_again(run: Run, tmp_path: Path) -> None:
    cells = """
cells = {"get_ipython": None, "get": get, "block": block}
for path in sys.argv[1:]:
    exec(compile(f"with block('x'): get({path!r})", "/tmp/ipykernel_1/2.py", "exec"), cells)
"""
    run(cells, "it.py", "/a", "/b")
    run(cells, "it.py", "/b", AQUILA_RECORD="all")
    assert on_file(tmp_path) == ["notebook a", "notebook b"]
    output = run(cells, "it.py", "/c", passes=False)
    assert output.splitlines()[-1] == 'Fix: run it once with mode="all" in its aquila_cassette(...)'
