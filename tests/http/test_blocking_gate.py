"""While recording, requests, urllib3 and urllib see each event before the next one is sent."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import requests

from aquila_cassette import aquila_cassette
from aquila_cassette.provider import Provider
from tests.blocking import Face, every_face
from tests.servers import CHAT_FRAMES, GateServer

JSON = {"prompt": "Say hello"}


@every_face
def test_each_piece_is_seen_before_the_next_is_sent(face: Face) -> None:
    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("gate") as cassette, face.stream(server.url, json=JSON) as reply:
            seen = []
            for frame in CHAT_FRAMES:
                seen.append(reply.piece())
                assert server.sent == len(seen)
                assert seen[-1] == frame
                server.seen()
            assert reply.pieces() == []
        assert [piece.data for piece in cassette.recorded[0].response.pieces] == seen
        assert cassette.recorded[0].response.ended == "complete"
    with aquila_cassette("gate", mode="none"):
        assert face.pieces(server.url, json=JSON) == seen


def lines_of_requests(url: str) -> Any:
    with requests.post(url, json=JSON, stream=True) as response:
        yield from response.iter_lines()


def lines_of_urllib(url: str) -> Any:
    with urllib.request.urlopen(url, b"{}") as response:
        for line in response:
            yield line.rstrip(b"\n")


@pytest.mark.parametrize("lines", [lines_of_requests, lines_of_urllib])
def test_each_line_is_seen_before_the_next_event_is_sent(lines: Any) -> None:
    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("lines"):
            seen = []
            for line in lines(server.url):
                seen.append(line)
                if line:
                    server.seen()
    assert [line + b"\n\n" for line in seen if line] == list(CHAT_FRAMES)
    with aquila_cassette("lines", mode="none") as cassette:
        assert list(lines(server.url)) == seen
    pieces = cassette.played[0].response.pieces
    assert [piece.data for piece in pieces] == list(CHAT_FRAMES)


def test_small_reads_do_not_cut_the_pieces_smaller() -> None:
    with GateServer(CHAT_FRAMES[:1]) as server:
        with aquila_cassette("small") as cassette:
            with urllib.request.urlopen(server.url) as response:
                while response.read(7):
                    pass
    assert [piece.data for piece in cassette.recorded[0].response.pieces] == [CHAT_FRAMES[0]]


def test_the_documented_program_records_and_replays() -> None:
    page = Path(__file__).parents[2] / "docs" / "libraries.md"
    (source,) = re.findall(
        r"```python\n(import requests.*?)```", page.read_text("utf-8"), re.DOTALL
    )
    program: dict[str, Any] = {}
    exec(compile(source, str(page), "exec"), program)
    with Provider() as provider:
        url = f"{provider.url}/v1/chat/completions"
        live = program["main"](url)
    assert program["main"](url) == live
    assert live[-1] == b"data: [DONE]"
