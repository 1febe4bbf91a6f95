"""What an SDK reads of a response besides its body is there on replay, through each library."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import httpx
import pytest
import requests

from aquila_cassette import aquila_cassette
from tests.clients import Library, every_library
from tests.servers import Connection, RawServer, Request

HEADERS = {
    "X-Goog-Upload-URL": "https://uploads.example/1",
    "Operation-Location": "https://jobs.example/results/1?api-version=2024-11-30",
    "x-request-id": "req_123",
    "mcp-session-id": "9f8e7d6c5b4a39281706",
    "ETag": '"e"',
    "X-Total-Count": "7",
    "content-type": "text/plain",
    "Date": "Mon, 23 Nov 2026 01:49:37 GMT",
}


def answer(connection: Connection, request: Request) -> None:
    """Answer in two pieces with a length; to HEAD with the length alone."""
    connection.head(200, HEADERS, length=5)
    if request.method != "HEAD":
        connection.piece(b"he")
        connection.piece(b"llo")
    connection.end()


@every_library()
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_headers_length_and_status_text_are_as_they_were_on_the_wire(
    library: Library, method: str, tmp_path: Path
) -> None:
    seen = []
    with RawServer(answer) as server:
        for mode in ("once", "none"):
            with aquila_cassette("headers", mode=mode) as cassette:
                async with library.open(method, server.url, None, 5) as reply:
                    body = b"".join(await reply.pieces())
                    named = {k: v for k, v in reply.headers.items() if k not in ("date", "server")}
                    response = reply.response
                    reason = getattr(response, "reason_phrase", getattr(response, "reason", ""))
                    seen.append((body, named, reason))
    live, replayed = seen
    assert live[0] == (b"" if method == "HEAD" else b"hello")
    assert live[1]["content-length"] == "5"
    assert replayed == live
    assert cassette.played[0].response.ended == "complete"
    text = (tmp_path / "cassettes" / "headers.yaml").read_text("utf-8")
    upload = "X-Goog-Upload-URL" if library.name != "tornado" else "X-Goog-Upload-Url"
    assert f"{upload}: https://uploads.example/1" in text
    assert "Mon, 23 Nov" not in text


async def test_names_keep_the_case_of_the_wire_on_replay() -> None:
    with RawServer(answer) as server:
        for mode in ("once", "none"):
            with aquila_cassette("case", mode=mode):
                url = server.url
                names = [name.decode() for name, _ in httpx.get(url).headers.raw]
                names += list(requests.get(url, timeout=5).headers)
                async with aiohttp.ClientSession() as session, session.get(url) as response:
                    names += [name.decode() for name, _ in response.raw_headers]
                    names += list(response.headers)
                assert names.count("X-Goog-Upload-URL") == 4


def in_days(days: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)


def test_cookies_can_be_read_and_have_not_expired_when_a_recording_is_old(tmp_path: Path) -> None:
    def login(connection: Connection, request: Request) -> None:
        expires = in_days(1)
        set_cookie = f"csrftoken=abc123; Path=/\r\nSet-Cookie: sid=xyz; Expires={expires}; HttpOnly"
        connection.head(200, {"Set-Cookie": set_cookie}, length=0)
        connection.end()

    def cookies(url: str) -> dict[str, Any]:
        with httpx.Client() as client:
            client.get(url)
            return dict(client.cookies)

    with RawServer(login) as server:
        with aquila_cassette("cookie"):
            assert cookies(server.url) == {"csrftoken": "abc123", "sid": "xyz"}
        path = tmp_path / "cassettes" / "cookie.yaml"
        text = path.read_text("utf-8").replace(in_days(1)[5:16], in_days(-99)[5:16])
        path.write_text(text.replace(f"{datetime.now(UTC):%Y-%m-%d}T", "2020-01-01T"), "utf-8")
        with aquila_cassette("cookie", mode="none"):
            assert cookies(server.url) == {"csrftoken": "[redacted]", "sid": "[redacted]"}
    assert "abc123" not in text


def test_a_cookie_that_is_echoed_is_the_stand_in_there_too(tmp_path: Path) -> None:
    value = "Zx81kk%2Bq0a1B2c3D4"

    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"Set-Cookie": f"csrf={value}; Path=/"}, length=len(value))
        connection.piece(value.encode())
        connection.end()

    def ask(url: str) -> None:
        with httpx.Client() as client:
            page = client.get(url).text
            token = client.cookies["csrf"]
            client.post(url, json={"csrf": token, "page": page})
            client.post(url, data={"csrf": unquote(token), "to": f"/?t={token}"})
            client.get(url, params={"t": token})

    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("echo", mode=mode):
                ask(server.url)
    assert value not in (tmp_path / "cassettes" / "echo.yaml").read_text("utf-8")
