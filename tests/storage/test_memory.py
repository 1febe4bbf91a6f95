"""Memory stays within four times the data, and work is linear; tried in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST = 4.0

# Each prints its peak of memory, what was there before included where it is a part of the data.
HEAD = """
import gzip, os, sys, tracemalloc
from pathlib import Path
import filelock, yaml
from aquila_cassette import importers
from aquila_cassette.api import Block
from aquila_cassette.cli import check, convert, diff, list_cassettes, play, report
from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.options import Layer
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.current_session import current_session
from aquila_cassette.session.saving import refuse_secrets
from aquila_cassette.storage import files, format

kind, number, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
each = (megabytes << 20) // number if megabytes < 100 else 100
LINES = {
    "text": b"The quick brown fox jumps over the lazy dog, and some 42 others, said the model.\\n",
    "line": b'{"data": "the quick brown fox jumps over the lazy dog"}, ',
    "sse": b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"word"}}]}\\n\\n',
    "binary": bytes(range(256)) * 8,
    "noise": b"\\xff" * 200 + b'" :',
    "emoji": "😀 é, the quick brown fox jumps over the lazy dog, and some others\\n".encode(),
}

def answer(at):
    body = LINES[kind] * (each // len(LINES[kind]))
    pieces = tuple(Piece(n, body[n : n + 65536]) for n in range(0, len(body), 65536))
    sent = Request("GET", f"https://a.example/{at}")
    headers = (("content-type", "text/event-stream" if kind == "sse" else "text/plain"),)
    return Interaction(sent, Response(200, headers, pieces), "2026-11-22T10:30:00Z")

def record(name, number, pieces):
    with Block(name, Layer("a call", {"mode": "once"})):
        for at in range(number):
            recorder = current_session().handle(Request("GET", f"https://a.example/{at}"))
            recorder.start_response(200, (("content-type", "text/event-stream"),), "HTTP/1.1")
            for _ in range(pieces):
                recorder.add_piece(LINES["sse"][-40:])
            recorder.body_ended()

def replay(name, number):
    with Block(name, Layer("a call", {"mode": "none"})):
        for at in range(number):
            [None for _ in current_session().handle(Request("GET", f"https://a.example/{at}")).pieces]

path = Path("cassettes/c.yaml")
gate = lambda data: refuse_secrets(data, Redaction(), path)
if not os.fork():
    files.save(path, [answer(at) for at in range(number)])
    if sys.argv[4] == "diff":
        files.save(path.with_name("o.yaml"), [answer(at) for at in range(number)][1:])
    os._exit(0)
os.wait()
if sys.argv[4] in ("record", "replay"):
    record("b", 1, 1)  # which imports what it needs
    if not os.fork():
        record("d", number, megabytes)
        os._exit(0)
    os.wait()
tracemalloc.start()
"""
WORK = {
    "load": "data = [one.response.parts for one in importers.load(path).interactions]",
    "save": "path = Path('new.yaml'); files.save(path, [answer(at) for at in range(number)], check=gate)",
    "add": "files.save(path, [Interaction(Request('GET', 'https://b.example'), Response(204))])",
    "redact": "[Redaction().response(answer(at).response) for at in range(number)]",
    "diff": "diff.run(str(path), 'cassettes/o.yaml')",
    "record": "record('e', number, megabytes)",
    "replay": "replay('d', number)",
    "unpack": "decode_pieces('gzip', [gzip.compress(os.urandom(each))])",
    "check": "assert check.run(folder=path.parent, how='json') == 0",
    "list": "list_cassettes.run(folder=path.parent)",
    "report": "report.run(output=Path('page.html'), folder=path.parent)",
    "play": "play.run(['c'], path.parent, 0)",
    "convert": "convert.run(['c'], path.parent, convert.TargetFormat.vcrpy, Path('o'))",
}
END = """
data = sum(Path("cassettes", f"{one}.yaml").stat().st_size for one in sys.argv[6:])
print((tracemalloc.get_traced_memory()[1] - int(sys.argv[5]) * number) / data, file=sys.stderr)
"""
EACH = 3000  # bytes that each interaction may take besides
DATA = {"diff": "co", "record": "d", "replay": "d"}  # the cassettes that are the data


# Much in one answer, in two that are just small enough to be read as a model's, and in many; files
# that are just small enough to be searched line by line, and larger ones.
@pytest.mark.parametrize(
    ("work", "kind", "number", "megabytes"),
    [
        *((work, kind, 1, 6) for work in ("load", "add") for kind in ("text", "binary")),
        ("load", "line", 1, 6), ("load", "emoji", 1, 6), ("unpack", "text", 1, 24),
        ("redact", "text", 1, 6), ("redact", "line", 1, 24), ("redact", "noise", 1, 6),
        ("save", "line", 1, 24),
        *(("save", kind, 1, 6) for kind in ("text", "sse", "binary", "emoji")),
        ("save", "sse", 12, 6), ("check", "sse", 12, 6), ("check", "text", 12, 6),
        ("check", "line", 1, 24), ("list", "sse", 2, 6), ("list", "emoji", 2, 6),
        ("play", "line", 1, 6), ("play", "binary", 1, 2), ("report", "sse", 2, 6),
        ("report", "line", 2, 6), ("report", "emoji", 2, 6), ("report", "line", 12, 24),
        *(("convert", kind, 1, 6) for kind in ("line", "sse", "binary", "emoji")),
        ("convert", "line", 1, 24), ("convert", "text", 12, 6),
        ("diff", "sse", 12, 6), ("diff", "line", 2, 6),
        *((work, "sse", 5000, 3) for work in ("load", "save", "check", "report", "convert")),
        *((work, "sse", *how) for work in ("record", "replay") for how in ((1, 100000), (2000, 2))),
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="makes its file in a fork")
def test_memory_is_at_most_four_times_the_data(
    work: str, kind: str, number: int, megabytes: int, tmp_path: Path
) -> None:
    script = HEAD + WORK[work] + END
    command = [sys.executable, "-c", script, kind, str(number), str(megabytes), work, str(EACH)]
    command += DATA.get(work, "c")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stderr.split()[-1]) <= MOST


OPENED = """
import asyncio, sys
from pathlib import Path
import httpx
from aquila_cassette import aquila_cassette
from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.storage import files

def lines(number):
    answer = Response(200, (("content-type", "text/event-stream"),), (Piece(1, b"data: 1\\n\\n"),) * 3)
    asked = [Request("GET", f"https://a.example/{at}") for at in range(number)]
    files.save(Path(f"cassettes/{number}.yaml"), [Interaction(one, answer) for one in asked])
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        count += event == "line"
        return trace if "aquila_cassette" in frame.f_code.co_filename else None

    async def read(client, request):
        async with client.stream("GET", request.url) as response:
            await response.aread()

    async def main():
        async with httpx.AsyncClient() as client:
            with aquila_cassette(str(number), mode="none") as cassette:
                tasks = [asyncio.create_task(read(client, request)) for request in asked]
                await cassette.settled()

    sys.settrace(trace)
    asyncio.run(main())
    sys.settrace(None)
    return count

lines(1)  # what is done once
print(lines(400) / lines(100))
"""


def test_the_work_for_open_streams_is_linear(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 5
