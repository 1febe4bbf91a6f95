"""What real providers stream must come through redaction untouched."""

from __future__ import annotations

import random

import pytest

from aquila_cassette.model import Piece, Request, Response
from aquila_cassette.redaction import Redaction
from tests.corpus import CORPUS

FILES = sorted(CORPUS.glob("*.sse"))
REDACTION = Redaction()

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus is not beside this checkout")


def test_no_recorded_stream_is_changed_by_redaction():
    changed = []
    for file in FILES:
        body = file.read_bytes()
        response = Response(200, (("content-type", "text/event-stream"),), (Piece(0, body),))
        if REDACTION.response(response, env=()) is not response:
            changed.append(file.name)
    assert changed == []


def test_no_recorded_stream_would_be_changed_if_it_were_sent():
    changed = [
        file.name
        for file in FILES
        if REDACTION.request(Request("POST", "x:/", (), file.read_bytes()), env=()).body
        != file.read_bytes()
    ]
    assert changed == []


def test_a_key_that_is_put_into_a_recorded_stream_is_found_at_any_place():
    chance = random.Random(5)
    key = "sk-proj-" + "aB3dE6gH9_-z" * 8
    secret = "correct horse 9"
    for file in FILES[::8]:
        body = file.read_bytes()
        at = chance.choice([place for place, byte in enumerate(body) if byte == ord(" ")] or [0])
        filled = body[:at] + f' {key} "{secret}" '.encode() + body[at:]
        cuts = sorted(chance.randrange(len(filled)) for _ in range(50))
        pieces = tuple(
            Piece(0, filled[start:end])
            for start, end in zip([0, *cuts], [*cuts, len(filled)], strict=True)
        )
        response = REDACTION.response(Response(200, (), pieces), env=(secret,))
        assert response.body == body[:at] + b' [redacted] "[redacted]" ' + body[at:]
