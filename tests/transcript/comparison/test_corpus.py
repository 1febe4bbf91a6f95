"""Recorded provider streams: cut otherwise and drawn anew they are the same, and said is said."""

from __future__ import annotations

import re

from aquila_cassette.dialects import read_message
from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.transcript.comparison import compare
from tests.corpus import Recorded, every_recorded, sliced

_VALUE = re.compile(
    rb'("(?:obfuscation|system_fingerprint|created|created_at|sequence_number|id|item_id|responseId'
    rb'|total_time|queue_time|signature|thoughtSignature)" *: *)("[^"\\]*"|[0-9.]+)'
)


def on_tape(body: bytes, kind: str, seed: str) -> CassetteData:
    pieces = tuple(Piece(at, data) for at, data in enumerate(sliced(body, seed)))
    response = Response(200, (("content-type", kind),), pieces)
    return CassetteData(
        (Interaction(Request("POST", "https://example.com/v1", body=b"{}"), response),)
    )


def drawn_anew(found: re.Match[bytes]) -> bytes:
    value = found[2]
    return found[1] + (b'"9' + value[1:] if value.startswith(b'"') else b"9" + value)


@every_recorded
def test_a_stream_with_other_ids_dates_and_cuts_is_the_same(recorded: Recorded) -> None:
    body = recorded.body
    kind = recorded.content_type
    other = _VALUE.sub(drawn_anew, body) if read_message(kind, body).dialect else body
    comparison = compare(on_tape(body, kind, "one"), on_tape(other, kind, "other"))
    assert comparison.interactions[0].changes == ()
    everything = compare(on_tape(body, kind, "one"), on_tape(other, kind, "one"), everything=True)
    assert everything.same == (body == other)
