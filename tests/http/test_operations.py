"""Requests that differ only in the header that names their operation get their own answers."""

import httpx
import pytest

from aquila_cassette import Interaction, MissError, Piece, Response, aquila_cassette
from aquila_cassette import Request as Asked
from tests.http.cassettes import lay
from tests.servers import Connection, RawServer, Request, answers

HEADERS = {
    "x-amz-target": ("DynamoDB_20120810.ListTables", "DynamoDB_20120810.DescribeLimits"),
    "range": ("bytes=0-3", "bytes=100-103"),
    "SOAPAction": ('"urn:Get"', '"urn:Delete"'),
    "content-range": ("bytes 0-1/4", "bytes 2-3/4"),
    "dropbox-api-arg": ('{"path":"/a"}', '{"path":"/b"}'),
    "upload-offset": ("0", "2"),
    "x-amz-copy-source": ("/bucket/a", "/bucket/b"),
    "x-goog-upload-offset": ("0", "2"),
    "x-http-method-override": ("PATCH", "DELETE"),
    "x-ms-range": ("bytes=0-3", "bytes=100-103"),
    "accept": ("application/json", "application/json, text/event-stream"),
}


def echo(connection: Connection, request: Request) -> None:
    said = "|".join(request.headers.get(name.lower(), "") for name in HEADERS)
    answers(said.encode())(connection, request)


def ask(url: str, name: str, value: str) -> str:
    return httpx.post(url, json={}, headers={name: value}).text


@pytest.mark.parametrize("name", HEADERS)
def test_each_operation_has_its_own_answer_and_another_is_a_miss_that_names_the_header(
    name: str,
) -> None:
    one, other = HEADERS[name]
    with RawServer(echo) as server:
        with aquila_cassette("both"):
            live = [ask(server.url, name, value) for value in (one, other)]
        with aquila_cassette("both", mode="none"):
            assert [ask(server.url, name, value) for value in (other, one)] == live[::-1]
        with aquila_cassette("one"):
            ask(server.url, name, one)
        with pytest.raises(MissError) as missed:
            with aquila_cassette("one", mode="none", on_unplayed="ignore"):
                ask(server.url, name, other)
    text = str(missed.value)
    assert "differs in the operation" in text
    old, new = (
        ("(none)", "accept: text/event-stream")
        if name == "accept"
        else (f"{name.lower()}: {one}", f"{name.lower()}: {other}")
    )
    assert f"@@ operation @@\n    -{old}\n    +{new}" in text


def test_a_range_of_what_was_recorded_whole_is_a_miss() -> None:
    with RawServer(echo) as server:
        with aquila_cassette("whole"):
            httpx.get(server.url)
        with pytest.raises(MissError, match=r"-\(none\)\n *\+range: bytes=0-3"):
            with aquila_cassette("whole", mode="none", on_unplayed="ignore"):
                httpx.get(server.url, headers={"range": "bytes=0-3"})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, ()) for name in HEADERS),  # by hand, or by a recorder that keeps no headers
        ("x-amz-target", (("content-type", "application/json"),)),
    ],
)
def test_a_recorded_request_that_does_not_have_the_header_still_answers(
    name: str, kept: tuple[tuple[str, str], ...]
) -> None:
    asked = Asked("POST", "https://a.example/", kept, b"{}")
    lay("old", Interaction(asked, Response(200, (), (Piece(0, b"old"),))))
    with aquila_cassette("old", mode="none"):
        assert ask("https://a.example/", name, HEADERS[name][1]) == "old"
    with pytest.raises(MissError, match="already played"):
        with aquila_cassette("old", mode="none"):
            for _ in range(2):
                ask("https://a.example/", name, HEADERS[name][1])
