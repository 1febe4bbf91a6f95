"""Recorded provider streams: with other pieces, ids and dates they are the same."""

from __future__ import annotations

import re

from aquila_cassette.dialects import read_message
from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.transcript.comparison import compare
from tests.corpus import Recorded, every_recorded, sliced

_VALUE = re.compile(
    rb'("(?:obfuscation|system_fingerprint|created|created_at|sequence_number|id|item_id|responseId'
    rb'|total_time|queue_time|signature|thoughtSignature)" *: *)("[^"\\]*"|[0-9.]+)'
)


def recording(body: bytes, kind: str, seed: str) -> Interaction:
    pieces = tuple(Piece(at, data) for at, data in enumerate(sliced(body, seed)))
    response = Response(200, (("content-type", kind),), pieces)
    return Interaction(Request("POST", "https://example.com/v1", body=b"{}"), response)


def other_value(found: re.Match[bytes]) -> bytes:
    value = found[2]
    return found[1] + (b'"9' + value[1:] if value.startswith(b'"') else b"9" + value)


@every_recorded
def test_a_stream_with_other_ids_dates_and_pieces_is_the_same(recorded: Recorded) -> None:
    body, kind = recorded.body, recorded.content_type
    other = _VALUE.sub(other_value, body) if read_message(kind, body).dialect else body
    old, new = recording(body, kind, "one"), recording(other, kind, "other")
    assert compare([old], [new]).same
    uncut = recording(other, kind, "one")
    assert compare([old], [uncut], everything=True).same == (body == other)
