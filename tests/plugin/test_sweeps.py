"""Sweeps: a test that runs once for each fault, or for each place where an answer can be cut."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aquila_cassette import Piece, faults
from tests.http.cassettes import EVENTS, JSON, URL, lay, streamed
from tests.servers import CHAT_FRAMES

Run = Callable[..., pytest.RunResult]
HEAD = f"""
import json, httpx, pytest
from aquila_cassette import aquila_cassette as block, faults

def events():
    found = []
    with httpx.stream("POST", {URL!r}, json={JSON!r}) as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                found.append(line[6:])
    return found
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(pytester.path / "cassettes"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cassetter -p no:cacheprovider")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    lay("chat", streamed(*(Piece(at, event) for at, event in enumerate(EVENTS))))

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + source)
        runs = pytester.runpytest_subprocess if "-n" in arguments else pytester.runpytest
        return runs("-v", *arguments)

    return run


EVERY_CUT = """
@pytest.mark.aquila_every_cut("chat")
def test_cut():
    with pytest.raises(httpx.RemoteProtocolError):
        events()
"""


def test_a_test_runs_once_for_each_event_after_which_an_answer_can_be_cut(run: Run) -> None:
    result = run(EVERY_CUT)
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [f"*::test_cut[[]disconnect-after-{at}[]] PASSED*" for at in range(5)]
    )
    run(EVERY_CUT, "-n", "2").assert_outcomes(passed=5)
    run(EVERY_CUT, "-k", "after-3").assert_outcomes(passed=1, deselected=4)


def test_or_for_each_byte(run: Run) -> None:
    source = EVERY_CUT.replace('"chat"', '"chat", by="bytes"')
    run(source).assert_outcomes(passed=sum(map(len, EVENTS)))
    wrong = run(source.replace("bytes", "words"))
    wrong.stdout.fnmatch_lines(["*aquila_every_cut takes by='events' or by='bytes', not 'words'.*"])


def test_without_a_cassette_the_test_records_it_first(run: Run) -> None:
    result = run(EVERY_CUT.replace("chat", "unknown"), "--aquila-record=none")
    result.stdout.fnmatch_lines(["*::test_cut[[]record[]] FAILED*", "E*MissError*"])


def test_a_test_runs_once_for_each_fault_and_the_fault_is_in_its_name(run: Run) -> None:
    result = run(
        """
FAULTS = faults.rate_limit(), faults.disconnect(after=3), faults.truncate(after=2), faults.slow()

@pytest.mark.aquila_faults(*FAULTS)
@pytest.mark.aquila_cassette("chat")
def test_some(cassette):
    try:
        events()
    except httpx.HTTPError:
        events()
    cassette.assert_recovered()

@pytest.mark.aquila_faults(*FAULTS)
def test_in_a_block_of_its_own():
    with block("chat") as cassette:
        assert cassette._session.options.faults
"""
    )
    result.assert_outcomes(passed=6, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*::test_some[[]slow[]] PASSED*",
            "E*RecoveryError: The code did not recover*it never got the whole answer to request 1*",
            "E*[[]truncate-after-2[]]",
            "*aquila: the attempts of its blocks with faults*",
            "* 0.000 s  POST https://api.example.com/*: HTTP 200, complete [[]truncate-after-2[]]",
            "FAILED*test_some[[]truncate-after-2[]]*",
        ]
    )


# Consumers with a mistake each, which a sweep finds; and the test that fails for it.
SAID = """
def said(chunks):
    for chunk in chunks:
        if "error" in chunk:
            raise RuntimeError(chunk["error"]["message"])
        yield chunk["choices"][0]["delta"].get("content") or ""

def chunks():
    return [json.loads(data) for data in events() if data != "[DONE]"]
"""
EVERY = '@pytest.mark.aquila_every_cut("said")'
MISTAKES = {
    "half an answer is stored as a whole one": (
        f"""
{EVERY}
def test_it():
    stored = {{}}
    try:
        with httpx.stream("POST", {URL!r}, json={JSON!r}) as response:
            text = ""
            for line in response.iter_lines():
                text += line
    except httpx.HTTPError:
        pass
    stored["answer"] = text
    assert "answer" not in stored or "[DONE]" in stored["answer"]
""",
        "*test_it[[]disconnect-after-3[]] FAILED*",
    ),
    "what came is lost": (
        f"""
{EVERY}
def test_it():
    shown = []
    try:
        shown += said(chunks())
    except httpx.HTTPError:
        pass
    assert shown
""",
        "*test_it[[]disconnect-after-2[]] FAILED*",
    ),
    "a tool is called again after a retry": (
        f"""
{EVERY}
def test_it():
    called = []
    for attempt in range(2):
        try:
            with httpx.stream("POST", {URL!r}, json={JSON!r}) as response:
                for line in response.iter_lines():
                    if "Hel" in line:
                        called.append("get_weather")
            break
        except httpx.HTTPError:
            continue
    assert called == ["get_weather"]
""",
        "*test_it[[]disconnect-after-1[]] FAILED*",
    ),
    "an error event is swallowed": (
        """
@pytest.mark.aquila_faults(faults.error_event(after=1))
@pytest.mark.aquila_cassette("said")
def test_it():
    with pytest.raises(RuntimeError):
        "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks() if "choices" in chunk)
""",
        "*test_it[[]error_event-after-1[]] FAILED*",
    ),
    "a character is cut in two": (
        f"""
@pytest.mark.aquila_cassette("said", pieces="bytes")
def test_it():
    with httpx.stream("POST", {URL!r}, json={JSON!r}) as response:
        text = "".join(piece.decode("utf-8", "replace") for piece in response.iter_raw())
    assert "wörld" in text
""",
        "*test_it FAILED*",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_sweep_finds_the_mistake_of_a_consumer(run: Run, mistake: str) -> None:
    lay("said", streamed(*(Piece(at, event) for at, event in enumerate(CHAT_FRAMES))))
    source, failed = MISTAKES[mistake]
    run(SAID + source).stdout.fnmatch_lines([failed])


def test_a_sweep_over_a_long_stream_is_quick(run: Run) -> None:
    lay("said", streamed(*(Piece(at, b"data: %d\n\n" % at) for at in range(200))))
    result = run(EVERY_CUT.replace("chat", "said"), "-q")
    result.assert_outcomes(passed=200)


def test_the_examples_of_the_documentation_run(run: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+)\(", page))
    assert {*faults.__all__} - {"Fault"} <= named
    first, sweeps = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    code = """
def ask_with_retries(prompt):
    for _ in range(3):
        try:
            return "Hello!" if events() else ""
        except httpx.HTTPError:
            pass
"""
    for stub in ("test_no_cut_loses_what_came", "test_chat_survives"):
        sweeps = re.sub(rf"({stub}\(.*\)): \.\.\.", r"\1: ask_with_retries('Say hello')", sweeps)
    lay("said", streamed(*(Piece(at, event) for at, event in enumerate(CHAT_FRAMES))))
    source = (code + first + sweeps).replace('"chat"', '"said"')
    run(source).assert_outcomes(passed=1 + len(CHAT_FRAMES) + 3)
