"""HAR, as browsers and proxies save it."""

import base64
import json
from typing import Any

import pytest

from aquila_cassette.errors import CassetteFormatError
from aquila_cassette.model import Failure, Piece
from tests.importers.samples import EVENTS, URL, only, read


def har(**given: Any) -> str:
    """Return a file of one entry, with other fields where they are given."""
    request = {
        "method": "POST",
        "url": f"{URL}#top",
        "headers": [
            {"name": ":authority", "value": "api.example.com"},
            {"name": "cookie", "value": "a=b\nc=d"},  # as browsers join them
            {"name": "Content-Type", "value": "application/json"},
        ],
        "postData": {"mimeType": "application/json", "text": '{"n":1}'},
        **given.pop("request", {}),
    }
    response = {
        "status": 200,
        "httpVersion": "h2",
        "headers": [
            {"name": "content-type", "value": "text/plain"},
            {"name": "content-encoding", "value": "gzip"},
        ],
        "content": {"size": 2, "mimeType": "text/plain", "text": "hi"},
        **given.pop("response", {}),
    }
    timings = {"blocked": 1.5, "dns": -1, "connect": -1, "send": 0.5, "wait": 40, "receive": 20}
    entry = {
        "startedDateTime": "2026-11-22T11:30:00.123+01:00",
        "request": request,
        "response": response,
        "timings": timings,
        **given,
    }
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": [entry]}})


def test_an_entry_is_an_interaction_with_its_times() -> None:
    one = only(har())
    assert (one.request.method, one.request.url, one.request.body) == ("POST", URL, b'{"n":1}')
    fields = (("cookie", "a=b"), ("cookie", "c=d"), ("Content-Type", "application/json"))
    assert one.request.headers == fields
    assert one.recorded_at == "2026-11-22T10:30:00Z"
    response = one.response
    assert response.pieces == (Piece(62, b"hi"),)
    assert (response.status, response.headers_after, response.http_version) == (200, 42, "HTTP/2")
    assert response.headers == (("content-type", "text/plain"),)
    assert read(har()).foreign == "HAR"
    assert read(har(response={"status": 101})).interactions == ()  # an upgrade to a WebSocket


def test_a_body_may_be_base64_and_a_stream_has_a_piece_for_each_frame() -> None:
    headers = [{"name": "Content-Type", "value": "text/event-stream"}]
    content = {"text": base64.b64encode(EVENTS).decode(), "encoding": "base64"}
    found = only(har(response={"headers": headers, "content": content})).response
    assert (found.body, len(found.pieces)) == (EVENTS, 2)


def test_a_form_may_be_told_by_its_fields() -> None:
    post = {"params": [{"name": "a", "value": "b c"}, {"name": "d"}]}
    assert only(har(request={"postData": post})).request.body == b"a=b+c&d="
    assert only(har(request={"postData": None})).request.body == b""


def test_a_request_that_got_no_answer_failed() -> None:
    response = {"status": 0, "_error": "net::ERR_ABORTED", "content": {}}
    found = only(har(response=response)).response
    assert (found.status, found.ended) == (None, "failed")
    assert found.error == Failure(None, "net::ERR_ABORTED")


def test_a_body_that_was_not_saved_cannot_be_read_to_its_end() -> None:
    for size, status, ended in ((5, 200, "closed"), (0, 200, "complete"), (5, 302, "complete")):
        response = {"content": {"size": size}, "status": status}
        assert only(har(response=response)).response.ended == ended


def test_times_may_be_missing() -> None:
    for timings in (None, {"wait": "soon", "receive": float("nan")}):
        assert only(har(timings=timings)).response.pieces == (Piece(0, b"hi"),)


def test_the_version_of_http_is_named_as_httpx_names_it() -> None:
    for given, named in (("http/1.0", "HTTP/1.0"), ("h3", "HTTP/3"), ("", "HTTP/1.1")):
        assert only(har(response={"httpVersion": given})).response.http_version == named


def test_an_entry_without_a_request_is_refused() -> None:
    with pytest.raises(CassetteFormatError, match=r"^cassettes/chat.yaml: interaction 1 cannot be"):
        read(har().replace('"request"', '"asked"'))
