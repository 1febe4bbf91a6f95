"""Random faults on every stream of the corpus: documented exceptions only, and no cassette changes."""

import os
import random

import httpx

from aquila_cassette import (
    FaultError,
    Interaction,
    Piece,
    Request,
    Response,
    aquila_cassette,
    faults,
)
from aquila_cassette.faults import Fault
from tests.corpus import RECORDED, Recorded, needs_corpus
from tests.http.cassettes import lay

RUNS = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 500
URL = "https://api.example.com/v1"
CLIENT = httpx.Client()


def random_fault(chance: random.Random, recorded: Recorded) -> Fault:
    event = chance.randint(1, max(1, recorded.events))
    return chance.choice(
        [
            faults.disconnect(after=event - 1),
            faults.disconnect(bytes=chance.randint(0, len(recorded.body))),
            faults.stall(after=event - 1),
            faults.truncate(after=event - 1),
            faults.rate_limit(),
            faults.overloaded(),
            faults.http_error(chance.choice([400, 401, 404, 500, 502])),
            faults.connect_error(),
            faults.timeout(),
            faults.malformed(event),
            faults.drop(event),
            faults.duplicate(event),
            faults.error_event(event),
            faults.token_limit(event),
            faults.refusal(),
            faults.broken_tool_arguments(),
        ]
    )


def lay_stream(recorded: Recorded) -> None:
    pieces = tuple(Piece(at, data) for at, data in enumerate(recorded.pieces))
    headers = (("content-type", recorded.content_type),)
    lay(recorded.file, Interaction(Request("GET", URL), Response(200, headers, pieces)))


@needs_corpus
def test_only_documented_exceptions_come_and_no_cassette_changes() -> None:
    chance = random.Random(13)
    for recorded in RECORDED:
        lay_stream(recorded)
    kinds = set[str]()
    for _ in range(RUNS):
        recorded = chance.choice(RECORDED)
        fault = random_fault(chance, recorded)
        how = {"faults": [fault], "pieces": chance.choice(["recorded", "events", "whole", 3])}
        kinds.add(fault.name.partition("-")[0])
        try:
            with aquila_cassette(recorded.file, mode="none", **how) as cassette:  # type: ignore[arg-type]
                before = cassette.path.read_bytes()
                CLIENT.get(URL)
        except (httpx.HTTPError, FaultError):
            pass
        assert cassette.path.read_bytes() == before
    assert len(kinds) == 15
