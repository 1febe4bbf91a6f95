"""All libraries side by side: one file for all of them, one block, threads, and other recorders."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import http.client
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import httplib2
import httpx
import httpx2
import pytest
import requests
import urllib3
from botocore.config import Config
from lm15.transports import StdlibTransport, TransportRequest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from aquila_cassette import MissError, ScopeError, aquila_cassette
from aquila_cassette.model import CassetteData, Failure, Interaction, Response
from aquila_cassette.model import Request as Asked
from aquila_cassette.storage.format import dumps
from tests.servers import Connection, RawServer, Request
from tests.servers.bedrock import CONVERSE_FRAMES, EVENTSTREAM


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0A1B2C3D4E5F6A7B")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY")


def echo(connection: Connection, request: Request) -> None:
    """Answer with the path, or as bedrock does."""
    if "converse" in request.path:
        connection.head(200, EVENTSTREAM)
        for frame in CONVERSE_FRAMES:
            connection.piece(frame)
    else:
        connection.head(200, {"content-type": "text/plain"}, length=len(request.path))
        connection.piece(request.path.encode())
    connection.end()


def by_httpx(url: str) -> bytes:
    return httpx.get(url, verify=False).content


def by_httpx2(url: str) -> bytes:
    return httpx2.get(url, verify=False).content


def by_aiohttp(url: str) -> bytes:
    async def fetch() -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    return asyncio.run(fetch())


def by_requests(url: str) -> bytes:
    return requests.get(url).content


def by_urllib3(url: str) -> bytes:
    with urllib3.PoolManager() as pool:
        return pool.request("GET", url).data


def by_urllib(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        body: bytes = response.read()
        return body


def by_httplib2(url: str) -> bytes:
    client = httplib2.Http()
    try:
        body: bytes = client.request(url)[1]
        return body
    finally:
        client.close()


def by_boto3(url: str) -> bytes:
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        answer = client.converse_stream(
            modelId="m", messages=[{"role": "user", "content": [{"text": "Hi"}]}]
        )
        return repr(list(answer["stream"])).encode()
    finally:
        client.close()


def by_tornado(url: str) -> bytes:
    async def fetch() -> bytes:
        client = AsyncHTTPClient(force_instance=True)
        body: bytes = (await client.fetch(url)).body
        client.close()
        return body

    loop = IOLoop(make_current=False)
    try:
        body: bytes = loop.run_sync(fetch)
        return body
    finally:
        loop.close()


def by_lm15(url: str) -> bytes:
    with StdlibTransport() as transport, transport.stream(TransportRequest("GET", url)) as answer:
        body: bytes = answer.read()
        return body


LIBRARIES: list[Callable[[str], bytes]] = [
    by_httpx,
    by_httpx2,
    by_aiohttp,
    by_requests,
    by_urllib3,
    by_urllib,
    by_httplib2,
    by_boto3,
    by_tornado,
    by_lm15,
]


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(echo) as server:
        yield server


def all_in_turn(url: str) -> list[bytes]:
    return [ask(f"{url}/{ask.__name__}") for ask in LIBRARIES]


def all_in_threads(url: str) -> list[bytes]:
    with ThreadPoolExecutor(len(LIBRARIES)) as threads:
        return list(threads.map(lambda ask: ask(f"{url}/{ask.__name__}"), LIBRARIES))


@pytest.mark.parametrize("replayed", [all_in_turn, all_in_threads])
@pytest.mark.parametrize("recorded", [all_in_turn, all_in_threads])
def test_calls_through_all_libraries_land_in_one_file_and_replay_with_the_server_dead(
    recorded: Callable[[str], list[bytes]],
    replayed: Callable[[str], list[bytes]],
    tmp_path: Path,
) -> None:
    with RawServer(echo) as server:
        url = server.url
        with aquila_cassette("all") as cassette:
            live = recorded(url)
        assert len(cassette.recorded) == len(LIBRARIES)
    assert [file.name for file in (tmp_path / "cassettes").iterdir()] == ["all.yaml"]
    with aquila_cassette("all", mode="none") as cassette:
        assert replayed(url) == live
    assert len(cassette.played) == len(LIBRARIES)
    assert live[3] == b"/by_requests"


# Nobody asks as boto3 does, which signs and posts.
@pytest.mark.parametrize("ask", [ask for ask in LIBRARIES if ask is not by_boto3])
def test_a_tape_that_one_library_recorded_is_played_by_another(
    ask: Callable[[str], bytes], server: RawServer
) -> None:
    with aquila_cassette("shared"):
        live = by_httpx(f"{server.url}/shared?b=1&a=2")
    with aquila_cassette("shared", mode="none"):
        assert ask(f"{server.url}/shared?b=1&a=2") == live


@pytest.mark.parametrize("ask", LIBRARIES)
def test_a_miss_comes_out_as_it_is_and_is_asked_once(
    ask: Callable[[str], bytes], server: RawServer
) -> None:
    with pytest.raises(MissError, match="No recording matches"):
        with aquila_cassette("missed", mode="none") as cassette:
            ask(server.url)
    assert len(cassette.misses) == 1
    assert server.connections == 0


def test_blocks_side_by_side_in_threads_keep_their_calls_apart(server: RawServer) -> None:
    both = threading.Barrier(2, timeout=10)

    def block(name: str) -> list[str]:
        with aquila_cassette(name) as cassette:
            both.wait()
            for ask in (by_requests, by_urllib, by_urllib3):
                ask(f"{server.url}/{name}")
            both.wait()
            return [one.request.url.rpartition("/")[2] for one in cassette.recorded]

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(block, ["left", "right"])) == [["left"] * 3, ["right"] * 3]


def test_a_thread_without_a_block_cannot_choose_between_two(server: RawServer) -> None:
    both = threading.Barrier(3, timeout=10)

    def block(name: str) -> None:
        with aquila_cassette(name):
            both.wait()
            both.wait()

    with ThreadPoolExecutor(2) as threads:
        blocks = [threads.submit(block, name) for name in ("left", "right")]
        both.wait()
        with pytest.raises(ScopeError):
            contextvars.Context().run(by_urllib, server.url)
        both.wait()
        for one in blocks:
            one.result()


def test_an_ignored_host_passes_through(server: RawServer) -> None:
    with aquila_cassette("ignored", mode="none", ignore_hosts=("127.0.0.1",)) as cassette:
        for ask in (by_requests, by_urllib3, by_urllib, by_httplib2, by_tornado):
            assert ask(f"{server.url}/x") == b"/x"
    assert cassette.played == ()


# boto3 posts, and cannot be asked for it so.
@pytest.mark.parametrize("ask", [ask for ask in LIBRARIES if ask is not by_boto3])
def test_a_request_to_which_no_answer_came_fails_at_once_whatever_is_told_of_it(
    ask: Callable[[str], bytes], tmp_path: Path
) -> None:
    url = "http://127.0.0.1:9/x"  # as a HAR file has one that the browser blocked
    blocked = Response(None, ended="failed", error=Failure(None, "net::ERR_BLOCKED_BY_CLIENT"))
    path = tmp_path / "cassettes" / "blocked.yaml"
    path.parent.mkdir()
    path.write_text(dumps(CassetteData((Interaction(Asked("GET", url), blocked),))))
    with aquila_cassette("blocked", mode="none", repeats=True) as cassette:  # some ask again
        with pytest.raises(Exception, match="ERR_BLOCKED_BY_CLIENT"):
            ask(url)
    assert cassette.played


# Pools and sockets: as without us.


def test_a_recorded_answer_gives_its_connection_back_and_it_is_used_again(
    server: RawServer,
) -> None:
    with urllib3.PoolManager() as pool:
        with aquila_cassette("pooled"):
            pool.request("GET", f"{server.url}/1")
            pool.request("GET", f"{server.url}/2")
        pool.request("GET", f"{server.url}/3")
    assert server.connections == 1


def test_a_pool_from_before_the_block_is_recorded_and_keeps_its_connection(
    server: RawServer,
) -> None:
    with requests.Session() as session:
        session.get(f"{server.url}/1")
        with aquila_cassette("before"):
            live = session.get(f"{server.url}/2").content
        with aquila_cassette("before", mode="none"):
            assert session.get(f"{server.url}/2").content == live
        session.get(f"{server.url}/3")
    assert server.connections == 1
    assert [request.path for request in server.requests] == ["/1", "/2", "/3"]


def test_a_replay_opens_no_socket_and_leaves_none_in_the_pool(server: RawServer) -> None:
    with aquila_cassette("empty"), urllib3.PoolManager() as pool:
        pool.request("GET", server.url)
    made = server.connections
    with urllib3.PoolManager() as pool:
        with aquila_cassette("empty", mode="none"):
            pool.request("GET", server.url)
        of_host = pool.connection_from_url(server.url)
        connection = of_host.pool.get_nowait()  # type: ignore[union-attr]
        assert connection is not None
        assert connection.sock is None
        of_host.pool.put(connection)  # type: ignore[union-attr]
        assert server.connections == made
        pool.request("GET", f"{server.url}/live")
    assert server.connections == made + 1


def test_an_early_close_drops_the_connection_as_without_us() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(b"data: 1\n\n")
        if request.path == "/open":
            connection.gone()
        else:
            connection.end()

    with RawServer(script) as server, urllib3.PoolManager() as pool:
        with aquila_cassette("early"):
            response = pool.request("GET", f"{server.url}/open", preload_content=False)
            next(response.stream())
            response.close()
            pool.request("GET", f"{server.url}/next")
        assert server.connections == 2


def test_a_connection_may_be_used_again_after_a_miss(server: RawServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    with pytest.raises(MissError):
        with aquila_cassette("missed", mode="none"):
            connection.request("GET", "/")
    connection.close()
    connection.request("GET", "/again")
    assert connection.getresponse().read() == b"/again"
    connection.close()


def test_a_connection_that_was_opened_in_a_block_may_be_used_after_it(server: RawServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    with aquila_cassette("opened"):
        connection.connect()
    assert server.connections == 0
    connection.request("GET", "/after")
    assert connection.getresponse().read() == b"/after"
    connection.close()


def test_a_request_may_be_sent_part_by_part(server: RawServer) -> None:
    def send(url: str) -> bytes:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.putrequest("POST", "/parts")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for part in (b"4\r\nhalf\r\n", b"5\r\n and \r\n4\r\nhalf\r\n", b"0\r\n\r\n"):
            connection.send(part)
        body = connection.getresponse().read()
        connection.close()
        return body

    with aquila_cassette("parts") as cassette:
        assert send(server.url) == b"/parts"
    assert cassette.recorded[0].request.body == b"half and half"
    assert server.requests[0].body == b"half and half"
    with aquila_cassette("parts", mode="none"):
        assert send(server.url) == b"/parts"


def test_a_generated_body_is_matched_whole(server: RawServer) -> None:
    def send(url: str) -> bytes:
        return requests.post(url, data=(part for part in (b"a", b"b"))).content

    with aquila_cassette("generated") as cassette:
        live = send(f"{server.url}/generated")
    assert cassette.recorded[0].request.body == b"ab"
    with aquila_cassette("generated", mode="none"):
        assert send(f"{server.url}/generated") == live


def test_bodies_are_asked_for_uncompressed_and_the_user_s_request_is_as_it_was(
    server: RawServer,
) -> None:
    with aquila_cassette("plain"):
        response = requests.get(server.url)
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert response.request.headers["accept-encoding"].startswith("gzip")


def test_an_answer_that_comes_compressed_all_the_same_is_kept_as_what_it_says() -> None:
    def script(connection: Connection, request: Request) -> None:
        body = gzip.compress(b"hello " * 100)
        headers = {"content-type": "text/plain", "content-encoding": "gzip"}
        connection.head(200, headers, length=len(body))
        connection.piece(body)
        connection.end()

    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("compressed") as cassette:
            live = requests.get(url).content
        assert cassette.recorded[0].response.body == live == b"hello " * 100
    with aquila_cassette("compressed", mode="none"):
        assert requests.get(url).content == live


def test_a_server_that_answers_before_it_read_the_request_is_recorded() -> None:
    def script(connection: Connection, request: Request) -> None:
        raise AssertionError("it never comes to this")

    class Impatient(RawServer):
        def serve(self, sock: Any) -> None:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
            Connection(sock).gone()

    def ask(url: str) -> tuple[int, bytes]:
        answer = requests.post(url, data=b"x" * 3_000_000)
        return answer.status_code, answer.content

    with Impatient(script) as server:
        url = server.url
        with aquila_cassette("impatient"):
            live = ask(url)
    with aquila_cassette("impatient", mode="none"):
        assert ask(url) == live == (413, b"no")


def test_head_and_empty_answers_replay() -> None:
    def script(connection: Connection, request: Request) -> None:
        if request.method == "HEAD":
            connection.head(200, {"content-type": "text/plain", "content-length": "5"}, length=5)
            connection.answered = True
        else:
            connection.head(204, {}, length=0)
            connection.end()

    def ask(url: str) -> list[tuple[int, bytes]]:
        with requests.Session() as session:
            return [
                (answer.status_code, answer.content)
                for answer in (session.head(url), session.delete(url), session.head(f"{url}/2"))
            ]

    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("empty") as cassette:
            live = ask(url)
        assert [one.response.ended for one in cassette.recorded] == ["complete"] * 3
    with aquila_cassette("empty", mode="none"):
        assert ask(url) == live


def test_urllib3_tries_a_refused_connection_again_on_replay_as_it_did() -> None:
    with RawServer(echo) as server:
        url = server.url

    def ask() -> None:
        with urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=0)) as pool:
            pool.request("GET", url)

    with aquila_cassette("tried") as cassette, pytest.raises(urllib3.exceptions.MaxRetryError):
        ask()
    assert len(cassette.recorded) == 3
    with aquila_cassette("tried", mode="none") as cassette:
        with pytest.raises(urllib3.exceptions.MaxRetryError):
            ask()
    assert len(cassette.played) == 3


# Beside other tools.


def test_a_call_by_httpx_is_not_lost_while_vcrpy_puts_methods_back(server: RawServer) -> None:
    script = """
import sys, httpx
import vcr.patch  # it has captured httpx's methods before we are there
from aquila_cassette import aquila_cassette

with aquila_cassette("reset") as cassette:
    with vcr.patch.force_reset():
        httpx.get(sys.argv[1], verify=False)
    httpx.get(sys.argv[1] + "/2", verify=False)
print(len(cassette.recorded))
"""
    out = subprocess.run(
        [sys.executable, "-c", script, server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert out.strip() == "2"


def test_vcrpy_s_own_cassette_answers_inside_a_block(server: RawServer, tmp_path: Path) -> None:
    import vcr

    theirs = vcr.use_cassette(str(tmp_path / "theirs.yaml"), skip_patchers=["tornado"])
    with aquila_cassette("ours") as cassette:
        with theirs:
            live = by_requests(f"{server.url}/theirs")
            assert live == b"/theirs"
        assert len(cassette.recorded) == 1
        with vcr.use_cassette(str(tmp_path / "theirs.yaml"), skip_patchers=["tornado"]):
            assert by_requests(f"{server.url}/theirs") == live
        assert len(cassette.recorded) == 1
        assert by_requests(f"{server.url}/ours") == b"/ours"
    assert len(cassette.recorded) == 2


def test_vcrpy_is_not_imported() -> None:
    script = """
import sys, requests, urllib.request
from aquila_cassette import aquila_cassette
with aquila_cassette("nothing", mode="none"):
    pass
print("vcr" in sys.modules)
"""
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert out.strip() == "False"


def test_a_subclass_made_inside_a_block_is_met(server: RawServer) -> None:
    with pytest.raises(MissError):
        with aquila_cassette("made", mode="none"):

            class Own(http.client.HTTPConnection):
                def connect(self) -> None:
                    super().connect()

            connection: Any = Own(server.url.removeprefix("http://"))
            connection.connect()
            connection.request("GET", "/")
    assert server.connections == 0
