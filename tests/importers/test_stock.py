"""Stock vcrpy: what it records is read, and what is written for it gives it the same bytes.

It runs in a process of its own, ``python -m tests.importers.test_stock record FOLDER`` or ``replay
FILE``, since its patches and ours must not meet in one.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from aquila_cassette import importers
from aquila_cassette.importers import vcrpy
from aquila_cassette.model import Interaction, Piece, Request, Response
from tests.importers.samples import EVENTS
from tests.storage.strategies import AWKWARD

aiohttp = pytest.importorskip("aiohttp")
vcr = pytest.importorskip("vcr")

LIBRARIES = ("httpx", "requests", "aiohttp")
SENT = {"/gzip": b"", "/binary": b"\xff\x00\x01", "/events": '{"m":"é"}'.encode(), "/empty": b"a=b"}
BODIES = {
    "/gzip": b'{"a":1}',
    "/binary": bytes(range(256)),
    "/events": 'data: {"x":"é"}\r\n\r\ndata: [DONE]\n\n'.encode(),
    "/empty": b"",
}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = BODIES[self.path]
        self.send_response(200)
        if self.path == "/gzip":
            body = gzip.compress(body)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


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


def record(folder: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for library in LIBRARIES:
        with vcr.use_cassette(str(Path(folder, f"{library}.yaml")), record_mode="all"):
            for path, body in SENT.items():
                ask(library, "POST", url + path, body)
    server.shutdown()


def replay(file: str) -> None:
    got = []
    for library, method, url, body in json.load(sys.stdin):
        with vcr.use_cassette(file, record_mode="none", match_on=["method", "uri", "body"]):
            status, came = ask(library, method, url, base64.b64decode(body))
        got.append([status, base64.b64encode(came).decode()])
    json.dump(got, sys.stdout)


def run(*arguments: str, given: str = "") -> Any:
    command = [sys.executable, "-m", "tests.importers.test_stock", *arguments]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, input=given, stdout=subprocess.PIPE, text=True, check=True, cwd=root
    )
    return json.loads(done.stdout or "null")


def test_what_vcrpy_records_of_each_library_is_read(tmp_path: Path) -> None:
    run("record", str(tmp_path))
    for library in LIBRARIES:
        found = importers.load(tmp_path / f"{library}.yaml").interactions
        sent = {urlsplit(one.request.url).path: one.request.body for one in found}
        assert sent == SENT, library
        assert [one.response.body for one in found] == list(BODIES.values()), library
        assert all(one.response.status == 200 and one.recorded_at for one in found)


def awkward(rng: random.Random) -> bytes:
    """Return a body that is hard on a writer of YAML."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(40))
    return "".join(rng.choices(AWKWARD, k=rng.randrange(20))).encode()


def test_stock_vcrpy_replays_the_same_bytes(tmp_path: Path) -> None:
    rng = random.Random(9)
    fixed = [b"", bytes(range(256)), b"\n", b" \n a\n", b"a\r\nb\r\n", "é\x85\u2028".encode()]
    cassette = [
        Interaction(
            Request("POST", f"https://a.example/{n}?b=c", (("accept", "*/*"),), body[::-1] or b"x"),
            Response(
                rng.choice([200, 201, 429, 500]),
                (("x-ratelimit-a", "1"), ("content-type", "text/event-stream")),
                (Piece(3, body[:5]), Piece(9, body[5:])),
            ),
        )
        for n, body in enumerate([EVENTS, *fixed, *(awkward(rng) for _ in range(40))])
    ]
    file = tmp_path / "chat.yaml"
    file.write_text(vcrpy.dumps(cassette), "ascii")
    asked = []
    for n, one in enumerate(cassette):
        request = one.request
        sent = base64.b64encode(request.body).decode()
        asked.append((LIBRARIES[n % (3 if n < 6 else 2)], request.method, request.url, sent))
    for one, (status, body) in zip(
        cassette, run("replay", str(file), given=json.dumps(asked)), strict=True
    ):
        expected = one.response
        assert (status, base64.b64decode(body)) == (expected.status, expected.body), one.request.url


if __name__ == "__main__":
    {"record": record, "replay": replay}[sys.argv[1]](sys.argv[2])
