"""Nothing is found on a clean shelf: the project's own, and real streams recorded afresh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.cli.maintenance.inspection import Known
from tests.cli.maintenance.tapes import check
from tests.corpus import Recorded, every_recorded
from tests.servers import Connection, RawServer, Request

OWN = Path(__file__).parents[2] / "cassettes"


def test_nothing_is_found_among_the_projects_own_cassettes() -> None:
    assert check(OWN, Known(OWN, datetime.now(UTC))) == []


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@every_recorded
def test_nothing_is_found_in_a_real_stream(
    client: httpx.Client, tmp_path: Path, recorded: Recorded
) -> None:
    pieces = [piece for piece in recorded.pieces if piece]

    def script(connection: Connection, _request: Request) -> None:
        kind = recorded.content_type
        connection.head(recorded.status, {"content-type": kind})
        for piece in pieces:
            connection.piece(piece)
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("corpus", mode="once", cassette_dir=tmp_path):
            client.post(f"{server.url}/v1/chat", json={"stream": True})
        with aquila_cassette("stopped", mode="once", cassette_dir=tmp_path):
            with client.stream("POST", f"{server.url}/v1/chat", json={"stream": True}) as response:
                next(response.iter_raw(), b"")
    assert check(tmp_path, Known(tmp_path, datetime.now(UTC))) == []
    assert len(list(tmp_path.rglob("*.yaml"))) == 2
