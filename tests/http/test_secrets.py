"""Secrets of a request and an answer: none is in the file, and matching holds."""

import json
from pathlib import Path

import httpx
import pytest

from tests.http.cassettes import kept, same_again
from tests.servers import Connection, Request

SECRETS = {
    "header": "sk-header-0a1b2c3d4e5f6a7b8c9d",
    "query": "AIzaSyA0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d",
    "user": "the-user-of-the-url",
    "json field": "json-field-0a1b2c",
    "json value": "ghp_0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b",
    "environment": "an environment's value",
}


def ask(url: str) -> None:
    body = {
        "api_key": SECRETS["json field"],
        "messages": [f"my token is {SECRETS['json value']}", SECRETS["environment"]],
    }
    address = url.replace("//", f"//{SECRETS['user']}:x@")
    headers = {"authorization": f"Bearer {SECRETS['header']}"}
    httpx.post(f"{address}/v1?key={SECRETS['query']}&page=2", json=body, headers=headers)


async def test_no_secret_is_in_the_file_and_the_request_still_matches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", SECRETS["environment"])
    said = f"{SECRETS['environment']} and {SECRETS['json value']}"
    frame = f"data: {json.dumps({'text': said, 'n': 1})}\n\n".encode()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "text/event-stream", "set-cookie": "id=0a1b2c3d4e"})
        for start in range(0, len(frame), 11):
            connection.piece(frame[start : start + 11])
        connection.end()

    await same_again(script, ask)
    text = (tmp_path / "cassettes" / "ends.yaml").read_text("utf-8")
    assert [name for name, secret in SECRETS.items() if secret in text] == []
    assert "id=0a1b2c3d4e" not in text
    assert json.loads(kept().response.body.removeprefix(b"data: "))["n"] == 1
