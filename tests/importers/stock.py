"""Stock vcrpy in a process of its own: its patches and ours never meet in one.

``python stock.py record FOLDER`` records each library's traffic with a server on loopback;
``python stock.py replay FILE`` reads requests off standard input and prints what each library got.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BODIES = {
    "/gzip": (gzip.compress(b'{"a":1}', mtime=0), {"content-encoding": "gzip"}),
    "/binary": (bytes(range(256)), {"content-type": "application/octet-stream"}),
    "/events": ('data: {"x":"é"}\r\n\r\ndata: [DONE]\n\n'.encode(), {}),
    "/empty": (b"", {}),
}
SENT = {"/gzip": b"", "/binary": b"\xff\x00\x01", "/events": '{"m":"é"}'.encode(), "/empty": b"a=b"}
LIBRARIES = ("httpx", "requests", "urllib3", "aiohttp")


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body, headers = BODIES[self.path]
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def run(*arguments: str, given: str = "") -> Any:
    """Run this file; give what it printed."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout or "null")


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
        case "urllib3":
            import urllib3

            pool = urllib3.PoolManager()
            reply = pool.request(method, url, body=body or None, redirect=False)
            return reply.status, reply.data
        case _:
            return asyncio.run(_aiohttp(method, url, body))


async def _aiohttp(method: str, url: str, body: bytes) -> tuple[int, bytes]:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        asking = session.request(method, url, data=body or None, allow_redirects=False)
        async with asking as answer:
            return answer.status, await answer.read()


def record(folder: str) -> None:
    import vcr

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for library in LIBRARIES:
        with vcr.use_cassette(str(Path(folder, f"{library}.yaml")), record_mode="all"):
            for path, body in SENT.items():
                ask(library, "POST", url + path, body)
    with vcr.use_cassette(str(Path(folder, "text.json")), record_mode="all", serializer="json"):
        ask("requests", "POST", url + "/events", SENT["/events"])
    server.shutdown()


def replay(file: str) -> None:
    import vcr

    told = []
    for library, method, url, body in json.load(sys.stdin):
        options = {"record_mode": "none", "match_on": ["method", "uri", "body"]}
        with vcr.use_cassette(file, **options):
            status, got = ask(library, method, url, base64.b64decode(body))
        told.append([status, base64.b64encode(got).decode()])
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    {"record": record, "replay": replay}[sys.argv[1]](sys.argv[2])
