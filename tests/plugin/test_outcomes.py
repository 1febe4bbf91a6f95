"""What a run keeps, what fails a test at its end, and the very text that its user reads."""

import json
import shlex
from pathlib import Path

import pytest

from tests.plugin.conftest import Suite
from tests.servers import RawServer

SWALLOWS = """
def swallow(path):
    try:
        return get(path)
    except Exception:
        return "fallback"
"""


def test_a_swallowed_miss_fails_its_test(suite: Suite, server: RawServer) -> None:
    source = (
        SWALLOWS
        + """
def test_a(cassette):
    assert swallow({0!r})

@pytest.mark.aquila_cassette("x")
def test_marked():
    swallow({0!r})
"""
    )
    suite(source.format("/a")).assert_outcomes(passed=2)
    result = suite(source.format("/b"))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            f"E*MissError: No interaction matches GET {server.url}/b (request 1 of this block).",
            "E*  cassette: cassettes/test_it/test_a.yaml (mode once)",
            "E*  sent by:  test_it.py:4 in get",
            "E*  closest:  interaction 1, recorded ????-??-??, differs in the URL",
            "E*    --- recorded",
            "E*    +++ this request",
            "E*Fix: pytest test_it.py::test_a --aquila-record=all",
            f"E*MissError: No interaction matches GET {server.url}/b (request 1 of this block).",
            "aquila: 0 replayed, 0 recorded, 2 missed, 2 unplayed (test_it/test_a, x)",
        ]
    )
    suite(None, "test_it.py::test_a", "--aquila-record=all").assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1, failed=1)


def test_what_a_test_recorded_and_does_not_play_fails_it(suite: Suite, server: RawServer) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get("/1")
"""
    suite(source + '        get("/2")\n').assert_outcomes(passed=1)
    result = suite(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*UnplayedError: test_it.py::test_a did not play 1 interaction that it recorded.",
            "E*  cassette: cassettes/x.yaml (mode once)",
            f"E*  unplayed: interaction 2, recorded ????-??-??, GET {server.url}/2",
            "E*Fix: pytest test_it.py::test_a --aquila-record=all",
            "aquila: 1 replayed, 0 recorded, 0 missed, 1 unplayed (x)",
        ]
    )
    warned = suite(None, "--aquila-on-unplayed=warn", "-W", "default")
    warned.assert_outcomes(passed=1, warnings=1)
    warned.stdout.fnmatch_lines(["*UnplayedWarning: test_it.py::test_a did not play 1 inter*"])


def test_the_outcome_of_the_test_decides_what_is_saved(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
def test_passes(aquila_cassette):
    with pytest.raises(RuntimeError), aquila_cassette("expected"):
        get("/status/401")
        raise RuntimeError

def test_fails(aquila_cassette):
    with aquila_cassette("failed"):
        get("/status/401")
    assert {0}

def test_asserts(aquila_cassette):
    with aquila_cassette("answered"):
        get("/answer")
    assert {0}
"""
    failed = suite(source.format(False))
    failed.assert_outcomes(passed=1, failed=2)
    failed.stdout.fnmatch_lines(
        [
            "aquila: not kept in cassettes/failed.yaml, since the test or block failed:",
            "  GET */status/401: HTTP 401",
        ]
    )
    names = {path.name for path in pytester.path.rglob("*.yaml")}
    assert names == {"expected.yaml", "answered.yaml"}  # a good answer is not asked for again
    suite(source.format(True)).assert_outcomes(passed=3)
    suite(None, "--aquila-record=none").assert_outcomes(passed=3)


LEAKS = """
import asyncio, anthropic, openai

def test_openai_async(aquila_cassette):
    async def ask():
        async with aquila_cassette("x"):
            await openai.AsyncOpenAI(base_url=URL, max_retries=0).chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
    asyncio.run(ask())

def test_anthropic(cassette):
    anthropic.Anthropic(base_url=URL, max_retries=0).messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
    )
"""


def test_a_miss_shows_no_live_key_however_much_pytest_is_asked_to_print(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-test-1234567890abcdef"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    result = suite(LEAKS, "--aquila-record=none", "--junitxml=report.xml", "-l", "-vvv")
    result.assert_outcomes(failed=2)
    texts = [result.stdout.str(), result.stderr.str(), Path("report.xml").read_text("utf-8")]
    assert [line for text in texts for line in text.splitlines() if key in line] == []
    assert texts[0].count("No interaction matches") >= 2


NOTED = """
@pytest.mark.parametrize("name", ["a", "b"])
def test_it(aquila_cassette, name):
    with aquila_cassette(name), aquila_cassette("sub/" + name):
        {}
"""


def test_the_tests_that_missed_are_noted_until_they_run_without_a_miss(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    def noted_after(body: str, *arguments: str) -> object:
        suite(SWALLOWS + NOTED.format(body), "--aquila-record=none", *arguments)
        path = pytester.path / ".pytest_cache/v/aquila/misses"
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    a, b = ({f"test_it.py::test_it[{name}]": [f"cassettes/sub/{name}.yaml"]} for name in "ab")
    assert noted_after("pass") is None
    assert noted_after("get('/x')") == a | b
    # One that was to record and did not is not forgotten.
    for body in ("pytest.skip('no key')", "assert name is None"):
        assert noted_after(body, "--aquila-record=all", "-k", "a]") == a | b
    assert noted_after("pass", "-k", "a]") == b
    assert noted_after("assert name is None") == {}
    assert noted_after("[swallow('/x') for _ in range(3)]") == a | b


def test_what_a_fixture_asks_at_its_end_is_due_only_then(suite: Suite) -> None:
    source = """
@pytest.fixture
def remote(cassette):
    yield
    get("/goodbye")

def test_teardown(remote):
    get("/hello")
"""
    for arguments in ([], ["--aquila-record=none"], ["--aquila-record=all"], []):
        suite(source, *arguments).assert_outcomes(passed=1)
    silent = source.replace('    get("/goodbye")\n', "")
    suite(silent, "--aquila-record=none").assert_outcomes(passed=1, errors=1)


def test_a_run_in_mode_all_says_which_cassettes_changed(suite: Suite) -> None:
    source = """
@pytest.mark.parametrize("name", range(2))
def test_a(aquila_cassette, name):
    with aquila_cassette(str(name)):
        get("/{}")
"""
    suite(source.format("old")).assert_outcomes(passed=2)
    result = suite(source.format("new"), "--aquila-record=all")
    result.stdout.fnmatch_lines(
        [
            "aquila: cassettes/0.yaml was recorded again: 1 added, 1 removed",
            "aquila: cassettes/1.yaml was recorded again: 1 added, 1 removed",
            "aquila: 0 replayed, 2 recorded, 0 missed, 0 unplayed",
        ]
    )


MANY = """
import anthropic, openai
HI = [{{"role": "user", "content": "{}"}}]

@pytest.mark.parametrize("n", range(8))
def test_openai(cassette, n):
    client = openai.OpenAI(base_url=URL)
    client.chat.completions.create(model="m", messages=HI, stream=True)

@pytest.mark.parametrize("n", range(8))
def test_anthropic(cassette, n):
    client = anthropic.Anthropic(base_url=URL)
    try:
        client.messages.create(model="m", max_tokens=9, messages=HI, stream=True)
    except anthropic.APIConnectionError as error:
        raise ValueError("no answer") from error

def test_wrapped(cassette):
    try:
        get("/{}")
    except Exception as error:
        raise ValueError("no answer") from error
"""


def test_many_misses_have_a_screen_each_and_one_line_each_at_the_end(
    suite: Suite, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-1234567890abcdef")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-1234567890abcdef")
    suite(MANY.format("hi", "a")).assert_outcomes(passed=17)
    result = suite(MANY.format("bye", "b"))
    result.assert_outcomes(failed=17)
    assert len(result.outlines) < 17 * 45
    assert not any("site-packages" in line for line in result.outlines)
    start = next(at for at, line in enumerate(result.outlines) if " aquila: misses " in line)
    lines = result.outlines[start + 1 : start + 19]
    assert lines[0].startswith(
        f"test_it.py::test_openai[0]: POST {server.url}/chat/completions: interaction 1, recorded "
    )
    assert lines[16].endswith(", differs in the URL")
    assert lines[17] == "Fix: aquila-cassette record --failed"
    whole = suite(None, "--full-trace", "-k", "wrapped")
    assert any("site-packages" in line for line in whole.outlines)
    assert not any(" aquila: misses " in line for line in whole.outlines)


WIDER = """
import os, unittest

class TestIt(unittest.TestCase):
    def setUp(self): self.enterContext(block("entered"))
    def test_entered(self): get("/" + os.environ["PROMPT"])

@pytest.fixture
def own():
    with block("own"):
        yield

@pytest.fixture(scope="module")
def of_the_module():
    with block("module"):
        yield

def test_own(own): get("/" + os.environ["PROMPT"])
def test_module(of_the_module): get("/" + os.environ["PROMPT"])

def test_swallows(of_the_module):
    try: get("/swallowed/" + os.environ["PROMPT"])
    except Exception: pass

def test_unplayed(aquila_cassette):
    with aquila_cassette("x"):
        get("/1")
        if os.environ["PROMPT"] == "old":
            get("/2")
"""


def test_what_fails_a_test_is_reported_once_and_without_our_code(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPT", "old")
    suite(WIDER).assert_outcomes(passed=5)
    monkeypatch.setenv("PROMPT", "new")
    result = suite(None, "--tb=short")
    result.assert_outcomes(failed=5)
    text = result.stdout.str()
    assert text.count("E   aquila_cassette.errors.") == 5
    assert "aquila_cassette/plugin" not in text
    suite(None, "--aquila-record=all").assert_outcomes(passed=5)
    suite(None, "--aquila-record=none").assert_outcomes(passed=5)


def test_a_prompt_that_is_edited_to_expect_an_error_is_recorded_by_the_printed_command(
    suite: Suite,
) -> None:
    source = """
def test_a(cassette):
    assert httpx.get(URL + "/{0}").status_code == {1}
"""
    command = ("test_it.py::test_a", "--aquila-record=all")
    suite(source.format("hello", 200)).assert_outcomes(passed=1)
    edited = source.format("status/400", 400)
    suite(edited).stdout.fnmatch_lines([f"E*Fix: pytest {' '.join(command)}"])
    suite(None, *command).assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)


def test_a_session_fixture_of_several_workers_is_replaced_by_all_or_none_of_them(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.fixture(scope="session")
def models():
    with block("models"):
        return get("/{0}")

@pytest.mark.parametrize("n", range(4))
def test_a(models, n): assert n != {1}
"""
    suite(source.format("old", 9), "-n", "2").assert_outcomes(passed=4)
    old = (pytester.path / "cassettes/models.yaml").read_text("utf-8")
    assert old.count("recorded_by: session\n") == 1
    failed = suite(source.format("new", 3), "-n", "2", "--aquila-record=all")
    failed.assert_outcomes(passed=3, failed=1)
    assert (pytester.path / "cassettes/models.yaml").read_text("utf-8") == old
    suite(source.format("new", 9), "-n", "2", "--aquila-record=all").assert_outcomes(passed=4)
    new = (pytester.path / "cassettes/models.yaml").read_text("utf-8")
    assert new.count("recorded_by: session\n") == 1
    assert "/new" in new
    assert "/old" not in new


def test_a_printed_command_names_the_test_whatever_its_id_holds(suite: Suite) -> None:
    source = """
@pytest.mark.parametrize("text", ['mode="all" aquila-record=all'])
def test_it(cassette, text): get("/1")"""
    suite(source).assert_outcomes(passed=1)
    result = suite(source + '; get("/2")')
    line = next(line for line in result.outlines if "Fix: " in line)
    command = shlex.split(line.partition("Fix: ")[2])
    assert command[2:] == ["--aquila-record=new_episodes"]
    suite(None, *command[1:]).assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)
