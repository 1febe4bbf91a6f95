"""How a test opens a cassette: fixture, marker, function; and what the file is called."""

import pytest

from tests.plugin.conftest import Suite
from tests.servers import RawServer

ALL_WAYS = """
pytestmark = pytest.mark.aquila_cassette("of_the_module")

def test_module():
    get("/module")

@pytest.mark.aquila_cassette("of_the_class")
class TestChat:
    def test_class(self):
        get("/class")

    @pytest.mark.aquila_cassette("of_the_test")
    def test_test(self, cassette):
        assert cassette.name == "of_the_test"
        get("/test")

    @pytest.mark.aquila_cassette
    @pytest.mark.parametrize("what", ["a/b", "c"])
    def test_unnamed(self, what):
        get("/" + what)

def test_fixture(aquila_cassette):
    with aquila_cassette("chat_live.responds") as cassette:
        assert get("/hello") == "/hello"
    assert len(cassette.played) + len(cassette.recorded) == 1

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_anyio(cassette, anyio_backend):
    async with httpx.AsyncClient() as client:
        assert (await client.get(URL + "/a")).text == "/a"

@pytest.mark.asyncio
async def test_asyncio(aquila_cassette):
    async with aquila_cassette("awaited"), httpx.AsyncClient() as client:
        assert (await client.get(URL + "/b")).text == "/b"
"""


def test_each_way_records_into_a_file_of_its_name_and_replays_from_it(
    suite: Suite, pytester: pytest.Pytester, server: RawServer
) -> None:
    suite(ALL_WAYS).assert_outcomes(passed=9)
    folder = pytester.path / "cassettes"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")} == {
        "awaited.yaml",
        "chat_live.responds.yaml",
        "of_the_class.yaml",
        "of_the_module.yaml",
        "of_the_test.yaml",
        "test_it/TestChat.test_unnamed[a-b].yaml",
        "test_it/TestChat.test_unnamed[c].yaml",
    }
    recorded = len(server.requests)
    again = suite(None, "--aquila-record=none")
    again.assert_outcomes(passed=9)
    assert len(server.requests) == recorded


def test_the_fixture_cassette_holds_what_the_other_fixtures_of_its_test_ask(
    suite: Suite, server: RawServer
) -> None:
    source = """
@pytest.fixture
def client():
    get("/first")
    yield
    get("/last")

def test_it(client, cassette):
    get("/middle")
    assert len(cassette.played) + len(cassette.recorded) == 2
"""
    suite(source).assert_outcomes(passed=1)
    assert len(server.requests) == 3
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)
    assert len(server.requests) == 3


def test_a_fixture_cassette_of_the_suite_decides_itself_what_it_opens(suite: Suite) -> None:
    source = """
@pytest.fixture
def client():
    get("/outside")

@pytest.fixture
def cassette(aquila_cassette):
    with aquila_cassette("mine") as cassette:
        yield cassette

def test_it(client, cassette):
    get("/inside")
    assert (cassette.name, len(cassette.recorded)) == ("mine", 1)
"""
    suite(source).assert_outcomes(passed=1)


def test_options_that_are_wrong_are_an_error_that_names_the_fix(suite: Suite) -> None:
    result = suite(
        """
@pytest.fixture
def aquila_config():
    return {"ignore_host": ["a"]}

def test_b(cassette): pass
"""
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "E*UsageError: aquila_config sets an unknown option 'ignore_host'.",
            "E*Fix: write one of these, or take it out",
        ]
    )


def test_where_cassetter_is_installed_the_name_cassette_is_left_to_it(suite: Suite) -> None:
    source = """
import pytest

def test_a(cassette):
    get("/a")

@pytest.mark.usefixtures("cassette")
def test_c():
    get("/c")

def test_b(aquila_cassette):
    with aquila_cassette("x") as ours:
        get("/b")
    assert len(ours.recorded) == 1
"""
    result = suite(source, beside_cassetter=True)
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        ["E*test_it.py::test_a asks for the fixture `cassette`, which is cassetter's here."]
    )


def test_a_name_that_is_none_is_refused_with_what_to_write(suite: Suite) -> None:
    source = """
from pathlib import Path

def test_path(aquila_cassette):
    with aquila_cassette(Path("tests/cassettes/chat.yaml")): pass

@pytest.mark.aquila_cassette(Path("chat.yaml"))
def test_marker(): pass

def test_bare(aquila_cassette):
    @aquila_cassette
    def ask(): pass

def test_none(aquila_cassette):
    aquila_cassette(None)

def test_class(aquila_cassette):
    @aquila_cassette("chat")
    class TestChat: pass
"""
    result = suite(source)
    result.assert_outcomes(failed=4, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "E*aquila_cassette takes the name of a cassette, not PosixPath('*/chat.yaml').",
            "E*aquila_cassette takes the name of a cassette, not <function *ask at *",
            'E*Fix: write aquila_cassette("name"), with cassette_dir= for another folder',
            "E*aquila_cassette takes the name of a cassette, not None.",
            "E*aquila_cassette decorates functions, not <class '*TestChat'>.",
            'E*Fix: write @pytest.mark.aquila_cassette("chat") at a class, and *',
        ]
    )


def test_a_block_that_is_never_entered_is_reported(suite: Suite) -> None:
    source = """
decorated = block("decorated")

@decorated
def ask(): pass

def test_forgotten(aquila_cassette):
    aquila_cassette("forgotten")
    get("/a")

def test_used(aquila_cassette):
    with aquila_cassette("used"): pass
    ask()
"""
    result = suite(source, "-W", "default")
    result.assert_outcomes(passed=2, warnings=3)
    result.stdout.fnmatch_lines(
        [
            "*The block of cassette 'forgotten' was never entered: it records and replays nothing.",
            '*Fix: with aquila_cassette("forgotten"): ...',
        ]
    )


def test_parameters_that_become_one_file_name_are_refused_before_they_are_recorded(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.mark.parametrize("what", {})
def test_it(cassette, what): get("/x")
"""
    result = suite(source.format(["a/b", "a:b", "c"]))
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            "E*UsageError: Several tests would record into the cassette 'test_it/test_it[[]a-b]'.",
            "E*  test_it.py::test_it[[]a/b]",
            "E*  test_it.py::test_it[[]a:b]",
            "E*Fix: give the parameters ids that differ in letters or digits: *",
        ]
    )
    suite(source.format(["a/b", "c"])).assert_outcomes(passed=2)
    suite(source.format(["a/b", "a:b", "c"]), "-k", "a/b").assert_outcomes(passed=1, deselected=2)
