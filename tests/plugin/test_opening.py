"""How a test opens a cassette: fixture, marker, function; and what the file is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]


def test_the_fixture_opens_a_cassette_by_name_and_replays_it_the_next_time(
    suite: Suite, pytester: pytest.Pytester, server: RawServer
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("chat_live.responds") as cassette:
        assert get("/hello") == "/hello"
    print(cassette.mode, cassette.path.name, len(cassette.played), len(cassette.recorded))
"""
    first = suite(source, "-s")
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(
        [
            "*once chat_live.responds.yaml 0 1*",
            "aquila: 0 replayed, 1 recorded, 0 missed, 0 unplayed",
        ]
    )
    assert (pytester.path / "cassettes" / "chat_live.responds.yaml").is_file()
    second = suite(None, "-s")
    second.stdout.fnmatch_lines(
        [
            "*once chat_live.responds.yaml 1 0*",
            "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed",
        ]
    )
    assert len(server.requests) == 1


def test_the_cassette_fixture_names_the_file_after_the_test(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    suite(
        """
class TestChat:
    @pytest.mark.parametrize("what", ["a/b", "c"])
    def test_reply(self, cassette, what):
        get("/" + what)

def test_plain(cassette):
    get("/plain")
"""
    ).assert_outcomes(passed=3)
    folder = pytester.path / "cassettes" / "test_it"
    assert sorted(path.name for path in folder.iterdir()) == [
        "TestChat.test_reply[a-b].yaml",
        "TestChat.test_reply[c].yaml",
        "test_plain.yaml",
    ]


def test_the_marker_opens_a_cassette_for_a_test_a_class_and_a_module(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    suite(
        """
pytestmark = pytest.mark.aquila_cassette("of_the_module")

def test_module():
    get("/module")

@pytest.mark.aquila_cassette("of_the_class")
class TestClass:
    def test_class(self):
        get("/class")

    @pytest.mark.aquila_cassette("of_the_test")
    def test_test(self, cassette):
        get("/test")
        assert cassette.name == "of_the_test"
        assert [one.request.url for one in cassette.recorded] == [URL + "/test"]

@pytest.mark.aquila_cassette
def test_unnamed():
    get("/unnamed")
"""
    ).assert_outcomes(passed=4)
    folder = pytester.path / "cassettes"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")) == [
        "of_the_class.yaml",
        "of_the_module.yaml",
        "of_the_test.yaml",
        "test_it/test_unnamed.yaml",
    ]


def test_a_marker_without_one_name_is_told_how_to_write_it(suite: Suite) -> None:
    result = suite('@pytest.mark.aquila_cassette("a", "b")\ndef test_a():\n    pass\n')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "E*UsageError: @pytest.mark.aquila_cassette of test_it.py::test_a takes one name.",
            "E*  expected: one string, then options by name",
            "E*  got:      ('a', 'b')",
            'E*Fix: write @pytest.mark.aquila_cassette("name")',
        ]
    )


def test_an_unknown_option_is_an_error_that_names_the_closest(suite: Suite) -> None:
    result = suite(
        """
@pytest.fixture
def aquila_config():
    return {"ignore_host": ["a"]}

def test_a(cassette):
    pass
"""
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "E*UsageError: aquila_config sets an unknown option 'ignore_host'.",
            "E*Fix: write 'ignore_hosts'",
        ]
    )


def test_what_a_wider_fixture_records_is_no_single_tests(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.fixture(scope="module")
def models():
    with block("models"):
        return get("/models")

def test_a(models): pass
def test_b(models): pass
"""
    suite(source).assert_outcomes(passed=2)
    assert "recorded_by" not in (pytester.path / "cassettes" / "models.yaml").read_text()
    suite(None, "-k", "test_b").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_tests_work_under_anyio(
    suite: Suite, pytester: pytest.Pytester, backend: str
) -> None:
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n")
    source = f"""
@pytest.fixture
def anyio_backend(): return {backend!r}

@pytest.mark.anyio
async def test_a(cassette):
    async with httpx.AsyncClient() as client:
        assert (await client.get(URL + "/a")).text == "/a"
    assert len(cassette.played) + len(cassette.recorded) == 1
"""
    suite(source, "-p", "no:asyncio").assert_outcomes(passed=1)
    suite(None, "-p", "no:asyncio", "--aquila-record=none").assert_outcomes(passed=1)


def test_unittest_test_cases_can_be_marked(suite: Suite) -> None:
    source = """
import unittest

@pytest.mark.aquila_cassette("case")
class Case(unittest.TestCase):
    def test_a(self):
        self.assertEqual(get("/a"), "/a")
"""
    suite(source).assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)


def test_where_cassetter_is_installed_the_name_cassette_is_left_to_it(suite: Suite) -> None:
    source = """
def test_a(cassette):
    get("/a")

def test_b(aquila_cassette):
    with aquila_cassette("x") as ours:
        get("/b")
    assert len(ours.recorded) == 1
"""
    result = suite(source, beside_cassetter=True)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "aquila: the fixture `cassette` is cassetter's here; use `aquila_cassette`",
            "E*test_it.py::test_a asks for the fixture `cassette`, which is cassetter's here.",
            "E*  without @pytest.mark.vcr it is None and records nothing",
            "E*Fix: ask for aquila_cassette, or uninstall cassetter",
        ]
    )
