"""Stock vcrpy: what it records is read, and what is written for it gives it the same bytes.

It runs in a process of its own, ``python -m tests.importers.test_stock FILE MODE``, since its
patches and ours must not meet in one. What to ask is on its stdin, each answer on its stdout.
"""

import asyncio
import base64
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from aquila_cassette import importers
from aquila_cassette.importers import vcrpy
from aquila_cassette.model import Interaction, Piece, Request, Response
from tests import servers
from tests.importers.samples import EVENTS
from tests.storage.strategies import AWKWARD

aiohttp = pytest.importorskip("aiohttp")
vcr = pytest.importorskip("vcr")

LIBRARIES = ("httpx", "requests", "aiohttp")
BODIES = {
    "/gzip": b'{"a":1}',
    "/binary": bytes(range(256)),
    "/events": 'data: {"x":"é"}\r\n\r\ndata: [DONE]\n\n'.encode(),
    "/empty": b"",
}


def ask(library: str, method: str, url: str, body: bytes) -> tuple[int, bytes]:
    match library:
        case "httpx":
            import httpx

            with httpx.Client(verify=False) as client:
                got = client.request(method, url, content=body or None)
            return got.status_code, got.content
        case "requests":
            import requests

            answer = requests.request(method, url, data=body or None, allow_redirects=False)
            return answer.status_code, answer.content
        case _:
            return asyncio.run(_aiohttp(method, url, body))


async def _aiohttp(method: str, url: str, body: bytes) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session:
        asking = session.request(method, url, data=body or None, allow_redirects=False)
        async with asking as answer:
            return answer.status, await answer.read()


def main(file: str, mode: str) -> None:
    got = []
    for library, method, url, body in json.load(sys.stdin):
        with vcr.use_cassette(file, record_mode=mode, match_on=["method", "uri", "body"]):
            status, came = ask(library, method, url, base64.b64decode(body))
        got.append([status, base64.b64encode(came).decode()])
    json.dump(got, sys.stdout)


def run(file: Path, mode: str, requests: list[tuple[str, Request]]) -> list[tuple[int, bytes]]:
    """Ask each request with a library; return each status and body."""
    asked = [
        (library, one.method, one.url, base64.b64encode(one.body).decode())
        for library, one in requests
    ]
    command = [sys.executable, "-m", "tests.importers.test_stock", str(file), mode]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return [(status, base64.b64decode(body)) for status, body in json.loads(done.stdout)]


def test_what_stock_vcrpy_records_is_what_came(tmp_path: Path) -> None:
    def script(connection: servers.Connection, request: servers.Request) -> None:
        body, encoding = BODIES[request.path], {}
        if request.path == "/gzip":
            body, encoding = gzip.compress(body), {"content-encoding": "gzip"}
        connection.head(200, encoding, length=len(body))
        connection.piece(body)
        connection.end()

    path = tmp_path / "chat.yaml"
    with servers.RawServer(script) as server:
        requests = [
            (library, Request("POST", f"{server.url}{place}", (), library.encode()))
            for place in BODIES
            for library in LIBRARIES
        ]
        run(path, "new_episodes", requests)
    found = importers.load(path).interactions
    assert [one.request.body for one in found] == [one.body for _, one in requests]
    expected = [body for body in BODIES.values() for _ in LIBRARIES]
    assert [one.response.body for one in found] == expected


def awkward(rng: random.Random) -> bytes:
    """Return a body that is hard on a writer of YAML."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(40))
    return "".join(rng.choices(AWKWARD, k=rng.randrange(20))).encode()


def test_stock_vcrpy_replays_the_same_bytes(tmp_path: Path) -> None:
    rng = random.Random(9)
    fixed = [b"", bytes(range(256)), b" \n a\n", b"a\r\nb\r\n", "é\x85\u2028".encode()]
    cassette = [
        Interaction(
            Request("POST", f"https://a.example/{n}?b=c", (("accept", "*/*"),), body[::-1] or b"x"),
            Response(
                rng.choice([200, 201, 429, 500]), (), (Piece(3, body[:5]), Piece(9, body[5:]))
            ),
        )
        for n, body in enumerate([EVENTS, *fixed, *(awkward(rng) for _ in range(40))])
    ]
    file = tmp_path / "chat.yaml"
    file.write_bytes(b"".join(vcrpy.chunks(cassette)))
    asked = [(LIBRARIES[n % (3 if n < 6 else 2)], one.request) for n, one in enumerate(cassette)]
    expected = [(one.response.status, one.response.body) for one in cassette]
    assert run(file, "none", asked) == expected


if __name__ == "__main__":
    main(*sys.argv[1:])
