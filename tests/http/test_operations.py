"""Requests that differ only in the header that names their operation get their own answers."""

import httpx
import pytest

from aquila_cassette import Interaction, MissError, Piece, Request, Response, aquila_cassette
from tests.http.cassettes import lay

URL = "https://a.example/"
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


def answered(said: str, *headers: tuple[str, str]) -> Interaction:
    return Interaction(
        Request("POST", URL, headers, b"{}"), Response(200, (), (Piece(0, said.encode()),))
    )


def ask(name: str, value: str) -> str:
    return httpx.post(URL, json={}, headers={name: value}).text


@pytest.mark.parametrize("name", HEADERS)
def test_each_operation_has_its_own_answer_and_another_is_a_miss_that_names_the_header(
    name: str,
) -> None:
    one, other = HEADERS[name]
    lay("both", answered("one", (name, one)), answered("other", (name, other)))
    with aquila_cassette("both", mode="none"):
        assert [ask(name, value) for value in (other, one)] == ["other", "one"]
    lay("one", answered("one", (name, one)))
    with pytest.raises(MissError) as missed:
        with aquila_cassette("one", mode="none", on_unplayed="ignore"):
            ask(name, other)
    text = str(missed.value)
    assert "differs in the operation" in text
    old, new = (
        ("(none)", "accept: text/event-stream")
        if name == "accept"
        else (f"{name.lower()}: {one}", f"{name.lower()}: {other}")
    )
    assert f"@@ operation @@\n    -{old}\n    +{new}" in text


def test_a_range_of_what_was_recorded_whole_is_a_miss() -> None:
    lay("whole", Interaction(Request("GET", URL, (("accept", "*/*"),)), Response(200)))
    with pytest.raises(MissError, match=r"-\(none\)\n *\+range: bytes=0-3"):
        with aquila_cassette("whole", mode="none", on_unplayed="ignore"):
            httpx.get(URL, headers={"range": "bytes=0-3"})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, ()) for name in HEADERS),  # by hand, or by a recorder that keeps no headers
        ("x-amz-target", (("content-type", "application/json"),)),
    ],
)
def test_a_recorded_request_that_does_not_have_the_header_still_answers_once(
    name: str, kept: tuple[tuple[str, str], ...]
) -> None:
    lay("old", answered("old", *kept))
    with pytest.raises(MissError, match="already played"):
        with aquila_cassette("old", mode="none"):
            assert ask(name, HEADERS[name][1]) == "old"
            ask(name, HEADERS[name][1])
