"""All libraries side by side: one file for all of them, and blocks in threads."""

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import anthropic
import httplib2
import httpx2
import openai
import pytest
import requests
import tenacity
from google import genai
from requests.adapters import HTTPAdapter, Retry

from aquila_cassette import MissError, aquila_cassette
from tests.clients import LIBRARIES
from tests.http.test_bedrock import converse
from tests.servers import Connection, RawServer, Request, says_path, sends
from tests.servers.bedrock import CONVERSE_FRAMES, EVENTSTREAM


def echo(connection: Connection, request: Request) -> None:
    """Answer with the path, or as bedrock does."""
    is_bedrock = "converse" in request.path
    script = sends(CONVERSE_FRAMES, headers=EVENTSTREAM) if is_bedrock else says_path
    script(connection, request)


def by_httplib2(url: str) -> list[bytes]:
    client = httplib2.Http()
    try:
        return [client.request(url)[1]]
    finally:
        client.close()


def by_boto3(url: str) -> list[bytes]:
    events = converse(url, retries={"total_max_attempts": 5})
    return [repr(event).encode() for event in events]


Ask = Callable[[str], list[bytes]]
ASKS: dict[str, Ask] = {
    **{one.name: lambda url, one=one: asyncio.run(one.pieces(url)) for one in LIBRARIES},
    "httplib2": by_httplib2,
    "boto3": by_boto3,
}


def test_calls_through_all_libraries_at_once_land_in_one_file_and_replay_with_the_server_dead(
    tmp_path: Path,
) -> None:
    def all_in_threads() -> list[list[bytes]]:
        with ThreadPoolExecutor(len(ASKS)) as threads:
            return list(threads.map(lambda name: ASKS[name](f"{server.url}/{name}"), ASKS))

    with RawServer(echo) as server:
        with aquila_cassette("all") as cassette:
            live = all_in_threads()
        assert len(cassette.recorded) == len(ASKS)
    assert [file.name for file in (tmp_path / "cassettes").iterdir()] == ["all.yaml"]
    with aquila_cassette("all", mode="none"):
        assert all_in_threads() == live
    assert live[0] == [b"/httpx-sync"]


HI: Any = [{"role": "user", "content": "hi"}]


def by_openai(url: str, **options: Any) -> object:
    client = openai.OpenAI(base_url=url, api_key="sk-1", **options)
    return client.chat.completions.create(model="m", messages=HI, stream=True)


def by_anthropic(url: str, **options: Any) -> object:
    client = anthropic.Anthropic(base_url=url, api_key="sk-1", **options)
    return client.messages.create(model="m", max_tokens=9, messages=HI)


def by_async_anthropic(url: str) -> object:
    client = anthropic.AsyncAnthropic(base_url=url, api_key="sk-1")
    return asyncio.run(client.messages.create(model="m", max_tokens=9, messages=HI))


def by_genai(url: str) -> object:
    client = genai.Client(api_key="k", http_options={"base_url": url, "retry_options": {}})
    return client.models.generate_content(model="m", contents="hi")


def by_requests(url: str) -> object:
    session = requests.Session()
    session.mount(url, HTTPAdapter(max_retries=Retry(total=3, backoff_factor=9)))
    return session.get(url)


def in_tenacity(ask: Callable[[str], object]) -> Callable[[str], object]:
    return tenacity.retry(wait=tenacity.wait_fixed(9), stop=tenacity.stop_after_attempt(3))(ask)


@pytest.mark.parametrize(
    "ask",
    [
        *(by_httplib2, by_boto3, by_requests, by_genai),
        *(by_openai, by_anthropic, by_async_anthropic),
        partial(by_openai, max_retries=0),
        partial(by_anthropic, max_retries=0),
        *map(in_tenacity, (by_openai, by_anthropic, by_requests)),
    ],
)
def test_a_miss_comes_out_as_it_is_and_is_asked_once(
    ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_sleep(seconds: float) -> NoReturn:
        raise AssertionError(f"somebody sleeps for {seconds} s")

    monkeypatch.setattr("time.sleep", no_sleep)
    with RawServer(echo) as server, pytest.raises(MissError, match="No interaction matches"):
        with aquila_cassette("missed", mode="none") as cassette:
            ask(server.url)
    assert (len(cassette.misses), server.connections) == (1, 0)


def test_other_errors_of_an_sdk_stay_as_they_are_and_are_tried_again() -> None:
    with aquila_cassette("refused"), pytest.raises(openai.APIConnectionError) as caught:
        openai.OpenAI(base_url="http://127.0.0.1:1", api_key="sk-1", max_retries=1).models.list()
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


def test_an_sdk_is_patched_whatever_its_package_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
class SyncAPIClient:
    def request(self, url):
        import httpx
        try:
            return httpx.get(url)
        except Exception as error:
            self._sleep_for_retry()
    def _sleep_for_retry(self):
        raise AssertionError("it waits")
"""
    (tmp_path / "new_sdk").mkdir()
    (tmp_path / "new_sdk/_base_client.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissError), aquila_cassette("missed", mode="none"):
        module = importlib.import_module("new_sdk._base_client")
        module.SyncAPIClient().request("http://127.0.0.1:1")
