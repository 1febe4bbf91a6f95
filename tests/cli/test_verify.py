"""``verify``: whether the provider still answers in the recorded shape."""

import json
from pathlib import Path

import pytest

from aquila_cassette import Interaction, Piece, Request, Response
from aquila_cassette.storage import files
from aquila_cassette.transcript.shape import shape
from tests.cli.conftest import Cli
from tests.servers import Connection, RawServer, Script
from tests.servers import Request as Asked

STREAM = (("content-type", "text/event-stream"),)


def sse(*chunks: object) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks)


def chunk(text: str | None, reason: str | None = None, **more: object) -> dict[str, object]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice], **more}


RECORDED = sse(chunk("Hel"), chunk("lo"), chunk(None, "stop")) + b"data: [DONE]\n\n"
SAME = sse(chunk("Other"), chunk(" words, and more"), chunk(None, "stop")) + b"data: [DONE]\n\n"
CHANGED = sse(chunk("Hi", usage={"total": 1}), {"object": "ping"}) + b"data: [DONE]\n\n"


def says(body: bytes) -> Script:
    def script(connection: Connection, request: Asked) -> None:
        connection.head()
        connection.piece(body)
        connection.end()

    return script


def lay(url: str) -> Path:
    path = Path("cassettes/chat.yaml")
    request = Request("POST", f"{url}/v1/chat/completions", body=b'{"model": "m"}')
    files.save(path, [Interaction(request, Response(200, STREAM, (Piece(0, RECORDED),)))])
    return path


def test_other_words_in_the_same_shape_are_the_same(cli: Cli) -> None:
    with RawServer(says(SAME)) as server:
        lay(server.url)
        result = cli("verify", "chat")
    assert result.done.splitlines() == [
        "NAME  SHAPE     WHY NOT",
        "chat  the same",
        "",
        "1 cassette: 1 the same.",
    ]


def test_what_the_provider_changed_is_shown_and_the_file_stays(cli: Cli) -> None:
    with RawServer(says(CHANGED)) as server:
        path = lay(server.url)
        before = path.read_bytes()
        result = cli("verify")
    assert result.out.splitlines() == [
        "chat",
        f"@@ interaction 1: POST {server.url}/v1/chat/completions @@",
        "-chat.completion.chunk.choices[].finish_reason: text",
        "+chat.completion.chunk.usage.total: number",
        "+chat.completion.chunk.usage: object",
        "+ping.object: text",
        "+ping: object",
        "",
        "NAME  SHAPE    WHY NOT",
        "chat  changed",
        "",
        "1 cassette: 1 changed.",
    ]
    assert result.code == 1
    assert path.read_bytes() == before


def test_who_cannot_be_asked_says_so(cli: Cli) -> None:
    with RawServer(says(SAME)) as server:
        lay(server.url)
    result = cli("verify")
    assert result.code == 1
    assert "chat  not asked  interaction 1: the connection failed. ConnectError" in result.out


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a": [{"b": 1}, {"c": null}], "d": true}', ["body.a[].b: number", "body.a[]: object", "body.d: true or false", "body: object"]),
        (b"no JSON", []),
    ],
)  # fmt: skip
def test_the_shape_of_json_has_its_fields_and_no_values(body: bytes, lines: list[str]) -> None:
    response = Response(
        200, (("content-type", "application/json; charset=utf-8"),), (Piece(0, body),)
    )
    assert shape(response) == [
        "status: 200",
        "content type: application/json",
        "ends: complete",
        *lines,
    ]
