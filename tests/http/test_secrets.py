"""Secrets in every place of a request and an answer: none is in the file, and matching holds."""

import json
from pathlib import Path

import httpx
import pytest

from aquila_cassette import aquila_cassette
from tests.servers import Connection, RawServer, Request

SECRETS = {
    "header": "sk-header-0a1b2c3d4e5f6a7b8c9d",
    "x-api-key": "sk-ant-api03-0a1b2c3d4e5f6a7b8c9d",
    "cookie": "session-0a1b2c3d4e5f",
    "query": "AIzaSyA0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d",
    "user": "the-user-of-the-url",
    "json field": "json-field-0a1b2c",
    "json value": "ghp_0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b",
    "nested json": "nested-json-0a1b2c",
    "environment": "an environment's value",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "answer field": "answer-field-0a1b2c",
    "answer header": "answer-header-0a1b2c",
}


def answer(connection: Connection, request: Request) -> None:
    """Answer with secrets of its own and those that it was asked with, cut in their middle."""
    words = [SECRETS["environment"], SECRETS["jwt"]]
    fields = {"access_token": SECRETS["answer field"], "text": " and ".join(words), "n": 1}
    frame = f"data: {json.dumps(fields)}\n\ndata: [DONE]\n\n".encode()
    connection.head(
        200, {"content-type": "text/event-stream", "set-cookie": f"id={SECRETS['answer header']}"}
    )
    for start in range(0, len(frame), 11):
        connection.piece(frame[start : start + 11])
    connection.end()


def ask(url: str) -> bytes:
    body = {
        "api_key": SECRETS["json field"],
        "messages": [{"content": f"my token is {SECRETS['json value']}, keep it"}],
        "arguments": json.dumps({"client_secret": SECRETS["nested json"]}),
        "note": SECRETS["environment"],
    }
    headers = {
        "authorization": f"Bearer {SECRETS['header']}",
        "x-api-key": SECRETS["x-api-key"],
        "cookie": SECRETS["cookie"],
    }
    address = url.replace("//", f"//{SECRETS['user']}:x@")
    request = httpx.post(f"{address}/v1?key={SECRETS['query']}&page=2", json=body, headers=headers)
    return request.content


def test_no_secret_is_in_the_file_and_the_request_still_matches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", SECRETS["environment"])
    with RawServer(answer) as server:
        with aquila_cassette("secrets"):
            live = ask(server.url)
    text = (tmp_path / "cassettes" / "secrets.yaml").read_text("utf-8")
    assert [name for name, secret in SECRETS.items() if secret in text] == []
    assert SECRETS["answer field"].encode() in live
    with aquila_cassette("secrets", mode="none") as cassette:
        replayed = ask(server.url)
    assert json.loads(replayed.split(b"\n")[0].removeprefix(b"data: "))["n"] == 1
    assert b"[redacted]" in replayed
    assert len(cassette.played) == 1
