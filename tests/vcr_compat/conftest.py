"""Each test here runs a suite that was written for vcrpy, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
def get(path, **more): return httpx.get(URL + path, **more).text
def post(path, **more): return httpx.post(URL + path, **more).text
"""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED", "CI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that says what it was asked, and how often it was asked before; or streams."""
    asked: list[str] = []

    def script(connection: Connection, request: Request) -> None:
        asked.append(request.path)
        if request.path.startswith("/stream"):
            connection.head(200, {"content-type": "text/event-stream"}, length=None)
            for frame in CHAT_FRAMES:
                connection.piece(frame)
            connection.end()
            return
        status = int(request.path.rpartition("/")[2]) if "/status/" in request.path else 200
        path = request.path.partition("?")[0]
        said = {"path": path, "n": len(asked), "body": request.body.decode()}
        body = json.dumps(said).encode()
        kept = {"content-type": "application/json", "set-cookie": "a=b", "x-kept": "yes"}
        connection.head(status, kept, length=len(body))
        connection.piece(body)
        connection.end()

    with RawServer(script) as server:
        yield server


Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester, server: RawServer) -> Suite:
    """Write a test file (`URL`, `get` and `post` are there to use) and run it."""

    def run(source: str | None, *arguments: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\nfilterwarnings = error\n{ini}")
        if source is not None:
            pytester.makepyfile(test_it=HEAD.format(url=server.url) + source)
        plain = ("-p", "no:cacheprovider", "-p", "no:cassetter", "-p", "no:asyncio")
        return pytester.runpytest("-p", "aquila_cassette.vcr_compat", *plain, *arguments)

    return run


@pytest.fixture
def conftest(pytester: pytest.Pytester, server: RawServer) -> Callable[[str], Path]:
    """Write a conftest.py, with the same names to use."""
    return lambda source: pytester.makeconftest(HEAD.format(url=server.url) + source)


@pytest.fixture
def interactions_of(pytester: pytest.Pytester) -> Callable[[str], Any]:
    """Read a cassette of vcrpy's, below ``cassettes/test_it``."""

    def read(name: str) -> Any:
        path = pytester.path / "cassettes" / "test_it" / name
        return yaml.safe_load(path.read_text("utf-8"))["interactions"]

    return read
