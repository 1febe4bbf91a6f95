"""What real providers stream comes through redaction untouched."""

from __future__ import annotations

from aquila_cassette.model import Piece, Request, Response
from aquila_cassette.redaction import Redaction
from tests.corpus import CORPUS, needs_corpus


@needs_corpus
def test_no_recorded_stream_is_changed_whether_it_comes_or_is_sent() -> None:
    redaction = Redaction()
    changed = []
    for file in sorted(CORPUS.glob("*.sse")):
        body = file.read_bytes()
        response = Response(200, (("content-type", "text/event-stream"),), (Piece(0, body),))
        request = Request("POST", "x:/", (), body)
        if redaction.response(response, env=()) is not response:
            changed.append(file.name)
        if redaction.request(request, env=()) is not request:
            changed.append(f"{file.name}, sent")
    assert changed == []
