"""Connections that no adapter makes are reported, whatever makes them."""

import asyncio
import contextlib
import importlib
import multiprocessing
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import httpcore
import httpx
import pytest
import requests
import trio
import uvloop
import websockets

from aquila_cassette import UnrecordedError, UnrecordedWarning, aquila_cassette
from tests.servers import RawServer, answers

FAR = "203.0.113.9"  # an address of documentation: public, and nobody's
PEER = (FAR, 80)
NAME = "api.example.com"
Connect = Callable[[], object]


def by_socket(method: str, *arguments: Any, kind: int = socket.SOCK_DGRAM) -> None:
    with socket.socket(socket.AF_INET, kind) as made:
        getattr(made, method)(*arguments)


async def by_loop(method: str, *arguments: Any, **options: Any) -> None:
    await getattr(asyncio.get_running_loop(), method)(*arguments, **options)


async def _wait_for(awaitable: Any) -> None:
    await awaitable


async def by_loop_socket() -> None:
    with socket.socket() as made:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, PEER)


async def by_aiohttps_websocket() -> None:
    async with aiohttp.ClientSession() as session:
        await session.ws_connect(f"wss://{NAME}/v1")


BLOCKING: dict[str, tuple[Connect, str, str]] = {
    "connect": (lambda: socket.create_connection(PEER), FAR, "socket"),
    "connect_ex": (lambda: by_socket("connect_ex", PEER, kind=socket.SOCK_STREAM), FAR, "socket"),
    "sendto": (lambda: by_socket("sendto", b"x", PEER), FAR, "socket"),
    "sendmsg": (lambda: by_socket("sendmsg", [b"x"], [], 0, PEER), FAR, "socket"),
    "connect of UDP": (lambda: by_socket("connect", PEER), FAR, "socket"),
    "getaddrinfo": (lambda: socket.getaddrinfo(NAME, 443), NAME, "socket"),
    "gethostbyname": (lambda: socket.gethostbyname(NAME), NAME, "socket"),
    "gethostbyname_ex": (lambda: socket.gethostbyname_ex(NAME), NAME, "socket"),
    "gethostbyaddr": (lambda: socket.gethostbyaddr(FAR), FAR, "socket"),
    "getnameinfo": (lambda: socket.getnameinfo(PEER, 0), FAR, "socket"),
    "smtplib": (lambda: smtplib.SMTP(NAME), NAME, "smtplib"),
    "httpcore": (lambda: httpcore.request("GET", f"https://{NAME}/v1"), NAME, "httpcore"),
    "trio": (lambda: trio.run(trio.open_tcp_stream, NAME, 443), NAME, "socket"),
}
LOOPS: dict[str, tuple[Callable[[], Coroutine[Any, Any, object]], str, str]] = {
    "streams": (lambda: asyncio.open_connection(FAR, 443), FAR, "asyncio"),
    "streams, by name": (lambda: asyncio.open_connection(NAME, 443), NAME, "asyncio"),
    "look-up": (lambda: by_loop("getaddrinfo", NAME, 443), NAME, "asyncio"),
    "names": (lambda: by_loop("getnameinfo", PEER), FAR, "asyncio"),
    "sock_connect": (by_loop_socket, FAR, "asyncio"),
    "datagrams": (
        lambda: by_loop("create_datagram_endpoint", asyncio.DatagramProtocol, remote_addr=PEER),
        FAR,
        "asyncio",
    ),
    "websockets": (lambda: _wait_for(websockets.connect(f"wss://{NAME}")), NAME, "websockets"),
    "aiohttp": (by_aiohttps_websocket, NAME, "aiohttp"),
}
RUNS: dict[str, Callable[[Coroutine[Any, Any, object]], object]] = {
    "asyncio": asyncio.run,
    "uvloop": uvloop.run,
}
CASES = [
    *(pytest.param(*case, id=name) for name, case in BLOCKING.items()),
    *(
        pytest.param(lambda run=run, main=main: run(main()), host, library, id=f"{loop}: {name}")
        for loop, run in RUNS.items()
        for name, (main, host, library) in LOOPS.items()
    ),
]


@pytest.mark.parametrize(("connect", "host", "library"), CASES)
def test_in_mode_none_a_connection_that_no_adapter_makes_is_refused(
    connect: Connect, host: str, library: str
) -> None:
    with pytest.raises(UnrecordedError) as caught, aquila_cassette("none", mode="none") as cassette:
        connect()
    first, file, *_, fix = str(caught.value).splitlines()
    assert first.startswith(f"A connection to {host} was refused: no cassette can hold what ")
    assert library in (first.split()[-2], "asyncio")  # of a loop, the frames may be in C
    assert file.endswith("none.yaml (mode none; there is no such file yet)")
    assert fix.startswith(f'Fix: aquila_cassette(..., ignore_hosts=["{host}"]) lets it pass;')
    assert cassette.misses == (caught.value,)


def test_a_refused_connection_that_the_code_swallows_fails_the_block() -> None:
    def swallow() -> None:
        with contextlib.suppress(Exception):
            httpcore.request("GET", f"https://{NAME}/v1")

    with pytest.raises(UnrecordedError, match="what httpcore sends"):
        with aquila_cassette("swallowed", mode="none"):
            swallow()
    with pytest.raises(UnrecordedError):
        with aquila_cassette("swallowed", mode="none"):
            thread = threading.Thread(target=swallow)
            thread.start()
            thread.join()


def test_while_a_block_records_it_warns_and_lets_it_pass() -> None:
    with RawServer(answers(b"ok")) as server, aquila_cassette("all", mode="all"):
        httpx.get(server.url)
        with pytest.warns(UnrecordedWarning) as caught, contextlib.suppress(OSError):
            by_socket("sendto", b"x", PEER)
    (warning,) = caught
    assert str(warning.message).startswith(f"A connection to {FAR} is not recorded: no cassette")
    assert warning.filename == __file__


@pytest.mark.parametrize("listed", [FAR, f"{FAR}:80", "203.0.*"])
def test_ignored_hosts_pass(listed: str) -> None:
    with RawServer(answers(b"ok")) as server, aquila_cassette("passes"):
        httpx.get(server.url)
    with aquila_cassette("passes", mode="none", ignore_hosts=[listed]):
        httpx.get(server.url)
        with contextlib.suppress(OSError):
            by_socket("sendto", b"x", PEER)


async def test_this_machine_and_private_networks_are_left_alone(tmp_path: Any) -> None:
    with RawServer(answers(b"ok")) as server:
        port = int(server.url.rpartition(":")[2])
        with aquila_cassette("local"):
            requests.get(server.url)
        with aquila_cassette("local", mode="none"):
            requests.get(server.url)
            httpcore.request("GET", server.url)
            _, writer = await asyncio.open_connection("localhost", port)
            writer.close()
            socket.getfqdn()
            socket.gethostbyname("localhost")
            for private in ("10.255.255.254", "192.168.255.254", "169.254.255.254"):
                with contextlib.suppress(OSError):
                    by_socket("sendto", b"x", (private, 9))
            with socket.socket(socket.AF_UNIX) as served, socket.socket(socket.AF_UNIX) as asking:
                served.bind(str(tmp_path / "s"))
                served.listen()
                asking.connect(str(tmp_path / "s"))


LIBCURL = """
class Curl:
    def setopt(self, option, value): pass
"""


@pytest.mark.parametrize("module", ["pycurl", "curl_cffi.curl"])
def test_what_libcurl_is_to_send_is_refused(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"{module.replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(LIBCURL)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnrecordedError, match="no cassette can hold"):
        with aquila_cassette("curl", mode="none"):
            curl = importlib.import_module(module).Curl()
            curl.setopt(13, 30)
            curl.setopt(10002, f"http://localhost:8000/{NAME}")
            curl.setopt(10002, f"{NAME}/v1".encode())
    for name in (module, module.partition(".")[0]):  # or others find it: vcrpy, through tornado
        sys.modules.pop(name, None)


async def by_loop_process() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()


def by_spawn() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(abs, [-1])) == [1]


PROCESSES: dict[str, tuple[Connect, str]] = {
    "subprocess": (lambda: subprocess.run([sys.executable, "-c", ""], check=True), sys.executable),
    "asyncio": (lambda: asyncio.run(by_loop_process()), sys.executable),
    "uvloop": (lambda: uvloop.run(by_loop_process()), sys.executable),
    "spawn": (by_spawn, "multiprocessing (spawn)"),
}


@pytest.mark.parametrize(("start", "by"), PROCESSES.values(), ids=PROCESSES)
def test_a_python_that_is_not_forked_is_reported_once(start: Connect, by: str) -> None:
    with aquila_cassette("workers", mode="none"), pytest.warns(UnrecordedWarning) as caught:
        [start() for _ in range(2)]
    (warning,) = caught
    assert str(warning.message).splitlines()[0] == (
        "A Python process was started that neither records nor replays what it sends."
    )
    assert f"started by: {by}" in str(warning.message)


def test_other_programs_and_forked_children_are_not_reported() -> None:
    with aquila_cassette("workers", mode="none"):
        subprocess.run(["git", "--version"], check=True, capture_output=True)
        child = multiprocessing.get_context("fork").Process(target=abs, args=(1,))
        child.start()
        child.join()
