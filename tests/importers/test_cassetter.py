"""cassetter's cassettes: bodies as it keeps them, and scalars as its writer of YAML means them."""

from pathlib import Path

import pytest

from aquila_cassette import importers
from tests.importers.samples import CASSETTER, EVENTS, URL, read


def test_a_cassette_is_read_as_it_is() -> None:
    cassette = read(CASSETTER)
    assert cassette.foreign == "cassetter"
    chat, image = cassette.interactions
    assert (chat.request.method, chat.request.url) == ("POST", URL)
    assert chat.request.body == (
        b'{"at": "2026-11-22", "more": ["yes", "1_000", "12:30", 100000.0, null]}'
    )
    assert (chat.response.status, chat.response.body) == (200, EVENTS)
    assert chat.response.headers == (
        ("content-length", "32"),
        ("content-type", "text/event-stream"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    )
    assert (image.request.body, image.response.body) == (b"", b"\xff\0\x01")


def test_what_cassetter_itself_writes_is_what_it_would_replay(tmp_path: Path) -> None:
    core = pytest.importorskip("cassetter._core")
    compare = pytest.importorskip("cassetter.compare")
    bodies = [
        core.Body("json", {"b": [1.0, -0.5, 1e22, 12345678901234567890, None, True], "a": "é"}),
        core.Body("json", {"date": "2026-11-22", "no": "no", "n": "012", "t": "12:30", "": "~"}),
        core.Body("json", [{}, [], "a\nb", "a\r\nb\t", " x ", "1e5", "null", "0x1f", "=", "<<"]),
        core.Body("text", "data: 1\r\n\r\n"),
        core.Body("text", "a\n\n  b\n\u2028\x85\x1b\x00 \n"),
        core.Body("binary", bytes(range(256))),
        core.Body("none"),
    ]
    written = core.Cassette()
    for number, body in enumerate(bodies):
        request = core.HttpRequest("POST", f"{URL}/{number}", {"a": ["b"]}, body)
        response = core.HttpResponse(200, {"a": ["b"]}, body)
        at = "2026-11-22T10:30:00+00:00"
        written.add_interaction(core.HttpInteraction(request, response, at))
    path = tmp_path / "chat.yaml"
    written.save(str(path))
    found = {one.request.url: one for one in importers.load(path).interactions}
    for number, body in enumerate(bodies):
        one = found[f"{URL}/{number}"]
        assert one.request.body == one.response.body == compare.body_to_bytes(body), number
        assert one.recorded_at == "2026-11-22T10:30:00Z"
