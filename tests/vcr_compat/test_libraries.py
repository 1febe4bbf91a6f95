"""Other libraries than httpx: recorded, replayed, and replayed from stock vcrpy's cassette."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

ASK = {
    "aiohttp": """
import aiohttp, asyncio
def ask(path):
    async def session():
        async with aiohttp.ClientSession() as one, one.post(URL + path, json={"a": 1}) as response:
            return await response.text()
    return asyncio.run(session())
""",
    "requests": """
import requests
def ask(path): return requests.post(URL + path, json={"a": 1}).text
""",
}

SOURCE = """
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
def test_what_it_asks_is_recorded_and_replayed(
    suite: Suite, server: RawServer, interactions_of: Callable[[str], Any], library: str
) -> None:
    suite(ASK[library] + SOURCE, "--record-mode=once").assert_outcomes(passed=1)
    assert [one["request"]["uri"] for one in interactions_of("test_it.yaml")] == [
        f"{server.url}/one",
        f"{server.url}/two",
    ]
    assert "set-cookie" not in str(interactions_of("test_it.yaml")).lower()
    suite(ASK[library] + SOURCE).assert_outcomes(passed=1)
    assert len(server.requests) == 2


def test_a_cassette_that_stock_vcrpy_recorded_is_replayed(
    suite: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    path: Path = pytester.path / "cassettes" / "test_it" / "test_it.yaml"
    program = f"""
import httpx, vcr
URL = {server.url!r}
{ASK["requests"]}
with vcr.use_cassette({str(path)!r}):
    ask("/one"), ask("/two")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
    assert len(yaml.safe_load(path.read_text())["interactions"]) == 2
    suite(ASK["requests"] + SOURCE, "--vcr-strict").assert_outcomes(passed=1)
    assert len(server.requests) == 2
