"""Each test here runs a suite that was written for vcrpy, in a folder of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.internal.observability  # noqa: F401 - its own plugin loads it at each end
import pytest
import vcr  # noqa: F401
import yaml

# What a run of pytester imports is forgotten at its end; imported here, it is the same in all runs.
import aquila_cassette.vcr_compat.pytest_recording
import aquila_cassette.vcr_compat.pytest_vcr
import aquila_cassette.vcr_compat.vcr  # noqa: F401
from tests.servers import CHAT_FRAMES, Connection, RawServer, Request

HEAD = """
import os, re
import httpx, pytest
from vcr.errors import CannotOverwriteExistingCassetteException as CannotOverwrite
URL = {url!r}
def get(path, **more): return httpx.get(URL + path, verify=False, **more).text
def post(path, **more): return httpx.post(URL + path, verify=False, **more).text
"""

PLAIN = ("-p", "no:cacheprovider", "-p", "no:asyncio")


@pytest.fixture(autouse=True)
def _plain_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cassetter")


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that says what it was asked, and how often it was asked before; or streams."""

    def script(connection: Connection, request: Request) -> None:
        if request.path.startswith("/stream"):
            connection.head(200, {"content-type": "text/event-stream"}, length=None)
            for frame in CHAT_FRAMES:
                connection.piece(frame)
        else:
            path = request.path.partition("?")[0]
            said = {"path": path, "n": len(server.requests), "body": request.body.decode()}
            body = json.dumps(said).encode()
            headers = {"content-type": "application/json", "set-cookie": "a=b", "x-kept": "yes"}
            connection.head(200, headers, length=len(body))
            connection.piece(body)
        connection.end()

    with RawServer(script) as server:
        yield server


class Suite:
    """A suite for vcrpy: one file, in which `URL`, `get` and `post` are there to use."""

    def __init__(self, pytester: pytest.Pytester, url: str) -> None:
        self.folder = pytester.path / "cassettes" / "test_it"
        self.url = url
        self._pytester = pytester

    def __call__(
        self, source: str | None, *arguments: str, ini: str = "", **outcomes: int
    ) -> pytest.RunResult:
        """Write and run it; as many must pass as it has tests, unless `outcomes` are given."""
        self._pytester.makeini(f"[pytest]\nfilterwarnings = error\n{ini}")
        if source is not None:
            self._source = source
            self._pytester.makepyfile(test_it=HEAD.format(url=self.url) + source)
        result = self._pytester.runpytest("-p", "aquila_cassette.vcr_compat", *PLAIN, *arguments)
        result.assert_outcomes(**outcomes or {"passed": self._source.count("def test_")})
        return result

    def conftest(self, source: str) -> None:
        self._pytester.makeconftest(HEAD.format(url=self.url) + source)

    def interactions(self, name: str) -> Any:
        """Read a cassette of vcrpy's."""
        return yaml.safe_load((self.folder / name).read_text("utf-8"))["interactions"]

    def paths(self, name: str) -> list[str]:
        """Return what the requests on a cassette asked for."""
        uris = [one["request"]["uri"] for one in self.interactions(name)]
        return [uri.removeprefix(self.url) for uri in uris]

    def lay(self, name: str, *interactions: Any) -> Path:
        """Put a cassette where a test looks for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_text(yaml.safe_dump({"version": 1, "interactions": list(interactions)}))
        return path

    def old(self, path: str, said: str, **response: Any) -> dict[str, Any]:
        """Return an interaction as stock vcrpy writes it."""
        request = {"method": "GET", "uri": self.url + path, "body": None, "headers": {}}
        answer = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/plain"]},
            "body": {"string": said},
        }
        return {"request": request, "response": answer | response}


@pytest.fixture
def suite(pytester: pytest.Pytester, server: RawServer) -> Suite:
    return Suite(pytester, server.url)
