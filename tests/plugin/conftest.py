"""Each test here runs a suite of its own, in a folder of its own."""

from collections.abc import Callable, Iterator

import httpcore2  # noqa: F401 - httpx2 loads it late, and keeps its exceptions
import hypothesis.internal.observability  # noqa: F401 - its own plugin loads it at each end
import pytest
import yaml  # noqa: F401

# What a run of pytester imports is forgotten at its end; imported here, it is the same in all runs.
import aquila_cassette.api
import aquila_cassette.faults
import aquila_cassette.session.attempts  # noqa: F401
from tests.servers import RawServer, says_path


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED", "CI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that answers every request with its path."""
    with RawServer(says_path) as server:
        yield server


Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester, server: RawServer, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Write a test file (`URL` and `get` are there to use) and run it with some arguments."""
    pytester.makepyprojecttoml(
        "[tool.pytest.ini_options]\nfilterwarnings = ['error', 'ignore:No request came']\n"
        "asyncio_default_fixture_loop_scope = 'function'\n"
    )

    def run(
        source: str | None, *arguments: str, beside_cassetter: bool = False
    ) -> pytest.RunResult:
        if source is not None:
            head = (
                "import httpx, pytest\n"
                "from aquila_cassette import MissError, aquila_cassette as block\n"
                f"URL = {server.url!r}\n"
                "def get(path): return httpx.get(URL + path, verify=False).text\n"
            )
            pytester.makepyfile(test_it=head + source)
        # xdist's controller does not end inside the process of another run.
        runs = pytester.runpytest_subprocess if "-n" in arguments else pytester.runpytest
        monkeypatch.setenv("PYTEST_ADDOPTS", "" if beside_cassetter else "-p no:cassetter")
        return runs(*arguments)

    return run
