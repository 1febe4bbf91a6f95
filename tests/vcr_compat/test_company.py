"""Other plugins with it, the ways to load it, and other libraries than httpx."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import RawServer
from tests.vcr_compat.conftest import PLAIN, Suite


def test_with_the_plugin_that_it_replaces_it_is_refused_with_a_fix(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(recording="def pytest_addoption(parser): parser.addoption('--record-mode')")
    pytester.syspathinsert()
    result = pytester.runpytest("-p", "aquila_cassette.vcr_compat", "-p", "recording", *PLAIN)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: aquila_cassette.vcr_compat and pytest-recording both own the mark `vcr` and *",
            "Fix: pytest -p aquila_cassette.vcr_compat -p no:recording",
        ]
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_the_printed_command_has_the_plugins_of_the_command_line(
    pytester: pytest.Pytester, server: RawServer, workers: tuple[str, ...]
) -> None:
    test = f"@pytest.mark.vcr\ndef test_one(vcr): httpx.get({server.url!r}); assert len(vcr) == 1"
    pytester.makepyfile(test_it=f"import httpx, pytest\n{test}")
    loaded = ["-p", "aquila_cassette.vcr_compat", "-p", "no:recording"]
    missed = pytester.runpytest_subprocess(*loaded, *PLAIN, *workers)
    (command,) = re.findall(r"^E +Fix: pytest (.*)$", missed.stdout.str(), re.MULTILINE)
    assert command == f"{' '.join(loaded)} test_it.py::test_one --record-mode=rewrite"
    pytester.runpytest_subprocess(*shlex.split(command), *PLAIN).assert_outcomes(passed=1)
    pytester.runpytest_subprocess(*loaded, *PLAIN).assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_of_many_misses_each_has_the_command_of_its_plugin(suite: Suite) -> None:
    tests = "".join(f"@pytest.mark.vcr\ndef test_{one}(): get('/{one}')\n" for one in "ab")
    command = "Fix: pytest -p aquila_cassette.vcr_compat test_it.py::test_{} --record-mode=rewrite"
    suite(tests, failed=2).stdout.fnmatch_lines(
        [
            "*::test_a: GET *: there is no cassette yet",
            "*::test_b: GET *: there is no cassette yet",
            *map(command.format, "ab"),
            "aquila: 0 replayed*",
        ],
        consecutive=True,
    )
    empty = Path("cassettes", "test_it", "test_a.yaml")
    empty.parent.mkdir(parents=True)
    empty.write_text("interactions: []\nversion: 1\n")
    result = suite(tests, failed=2)
    result.stdout.fnmatch_lines(["*::test_a: GET *: none, the cassette is empty"])


def test_a_command_leaves_out_the_plugins_of_the_configuration(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\naddopts = -p aquila_cassette.vcr_compat -pno:recording")
    pytester.makepyfile(
        "import httpx, pytest\n@pytest.mark.vcr\ndef test_one(): httpx.get('http://a.example')"
    )
    missed = pytester.runpytest_subprocess(*PLAIN)
    missed.stdout.fnmatch_lines(
        ["E*Fix: pytest test_a_command*.py::test_one --record-mode=rewrite"]
    )


def test_a_conftest_may_load_it(pytester: pytest.Pytester, server: RawServer) -> None:
    pytester.makeconftest('pytest_plugins = ["aquila_cassette.vcr_compat"]')
    test = f"@pytest.mark.vcr\ndef test_one(vcr): httpx.get({server.url!r}); assert len(vcr) == 1"
    pytester.makepyfile(f"import httpx, pytest\n{test}")
    pytester.runpytest("--record-mode=once", *PLAIN).assert_outcomes(passed=1)


def test_a_worker_counts_and_notes_for_the_whole_run(
    suite: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
@pytest.mark.vcr
def test_it():
    post("/ask", content=os.environ["SAID"])
"""
    monkeypatch.setenv("SAID", "one")
    suite(source, "--record-mode=once")
    monkeypatch.setenv("SAID", "two")
    # xdist's controller does not end inside the process of another run.
    result = pytester.runpytest_subprocess("-p", "aquila_cassette.vcr_compat", *PLAIN, "-n", "1")
    result.stdout.fnmatch_lines(
        ["*another body*", "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed"]
    )


def test_without_vcrpy_only_what_needs_it_is_refused(pytester: pytest.Pytester) -> None:
    """Block `vcr` in a process of its own: the package, its plugin and its CLI work."""
    pytester.makepyfile(test_one="def test_one(aquila_cassette): pass")
    program = """
import sys
sys.modules["vcr"] = None
import aquila_cassette.cli
import pytest
if pytest.main(["-q", "-p", "no:cassetter"]) == 0:
    print(pytest.main(["-p", "no:cassetter", "-p", "aquila_cassette.vcr_compat"]))
"""
    result = pytester.run(sys.executable, "-c", program)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 passed*", "4"])
    result.stderr.fnmatch_lines(
        [
            "ERROR: aquila_cassette.vcr_compat needs vcrpy, which is not installed.",
            'Fix: pip install "aquila-cassette[[]vcr]"',
        ]
    )


ASK = {
    "aiohttp": """
import aiohttp, asyncio
def ask(path):
    async def session():
        data = {"b": 1, "a": 2}
        async with aiohttp.ClientSession() as one, one.post(URL + path, json=data) as response:
            return await response.text()
    return asyncio.run(session())
""",
    "requests": """
import requests
def ask(path): return requests.post(URL + path, json={"a": 1}).text
""",
}

ASKING = """
def hook(response):
    assert response["headers"]["Content-Type"] == ["application/json"]
    response["headers"].pop("SET-COOKIE", None)
    return response

@pytest.mark.vcr(match_on=["method", "uri", "body"], before_record_response=hook)
def test_it(vcr):
    assert "/one" in ask("/one")
    assert "/two" in ask("/two")
    assert [request.method for request in vcr.requests] == ["POST", "POST"]
    assert len(vcr) == 2
"""


@pytest.mark.parametrize("library", ASK)
def test_what_another_library_asks_is_replayed_from_our_cassettes_and_from_stock_ones(
    suite: Suite, server: RawServer, library: str
) -> None:
    suite(ASK[library] + ASKING, "--record-mode=once")
    assert suite.paths("test_it.yaml") == ["/one", "/two"]
    assert "set-cookie" not in str(suite.interactions("test_it.yaml")).lower()
    suite(None)
    path = suite.folder / "test_it.yaml"
    path.unlink()  # and recorded by stock vcrpy
    program = f"""
import vcr
URL = {server.url!r}
{ASK[library]}
with vcr.use_cassette({str(path)!r}):
    ask("/one"), ask("/two")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
    suite(None, "--vcr-strict")
    assert len(server.requests) == 4
