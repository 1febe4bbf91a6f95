"""Stock vcrpy: what it records is read, and what is written for it gives it the same bytes."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aquila_cassette import importers
from aquila_cassette.importers import vcrpy
from aquila_cassette.model import Interaction, Piece, Request, Response
from tests.importers import stock
from tests.importers.samples import EVENTS
from tests.storage.strategies import AWKWARD

pytest.importorskip("aiohttp")
pytest.importorskip("vcr")


def test_what_vcrpy_records_of_each_library_is_read(tmp_path: Path) -> None:
    stock.run("record", str(tmp_path))
    decoded = {path: body for path, (body, _) in stock.BODIES.items()} | {"/gzip": b'{"a":1}'}
    for library in stock.LIBRARIES:
        found = importers.load(tmp_path / f"{library}.yaml").interactions
        paths = [urlsplit(one.request.url).path for one in found]
        assert paths == list(stock.SENT), library
        assert [one.request.body for one in found] == list(stock.SENT.values()), library
        assert [one.response.body for one in found] == [decoded[path] for path in paths], library
        assert {one.response.status for one in found} == {200}
        assert all(one.recorded_at for one in found)
    (one,) = importers.load(tmp_path / "text.json").interactions
    assert (one.request.body, one.response.body) == (stock.SENT["/events"], decoded["/events"])


def awkward(rng: random.Random) -> bytes:
    """Give a body that is hard on a writer of YAML."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(40))
    return "".join(rng.choices(AWKWARD, k=rng.randrange(20))).encode()


def test_stock_vcrpy_replays_the_same_bytes(tmp_path: Path) -> None:
    rng = random.Random(9)
    fixed = [b"", bytes(range(256)), b"\n", b" \n a\n", b"a\r\nb\r\n", "é\x85\u2028".encode()]
    bodies = [EVENTS, *fixed, *(awkward(rng) for _ in range(40))]
    cassette = [
        Interaction(
            Request("POST", f"https://a.example/{n}?b=c", (("accept", "*/*"),), body[::-1] or b"x"),
            Response(
                rng.choice([200, 201, 429, 500]),
                (("x-ratelimit-a", "1"), ("content-type", "text/event-stream")),
                (Piece(3, body[:5]), Piece(9, body[5:])),
            ),
        )
        for n, body in enumerate(bodies)
    ]
    cassette[0] = replace(cassette[0], request=replace(cassette[0].request, method="GET", body=b""))
    file = tmp_path / "chat.yaml"
    file.write_text(vcrpy.dumps(cassette), "ascii")
    asked = [
        (library, one.request.method, one.request.url, base64.b64encode(one.request.body).decode())
        for n, one in enumerate(cassette)
        # The whole cassette with two of them: each cassette that vcrpy opens takes its time.
        for library in (stock.LIBRARIES if 0 < n < 4 else [stock.LIBRARIES[n % 2]])
    ]
    by_url = {one.request.url: one.response for one in cassette}
    for (library, _, url, _), (status, body) in zip(
        asked, stock.run("replay", str(file), given=json.dumps(asked)), strict=True
    ):
        expected = by_url[url]
        assert (status, base64.b64decode(body)) == (expected.status, expected.body), (library, url)
