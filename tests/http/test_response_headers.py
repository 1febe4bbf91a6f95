"""Response headers that need more than to be kept: their case, and cookies."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote

import aiohttp
import httpx
import requests

from aquila_cassette import aquila_cassette
from tests.http.cassettes import recorded, same_again
from tests.servers import Connection, Request, answers


async def test_names_keep_the_case_of_the_wire_on_replay() -> None:
    async def count(url: str) -> int:
        found = [name.decode() for name, _ in httpx.get(url).headers.raw]
        found += list(requests.get(url, timeout=5).headers)
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            found += [name.decode() for name, _ in response.raw_headers]
            return [*found, *response.headers].count("X-Goog-Upload-URL")

    script = answers(b"ok", **{"X-Goog-Upload-URL": "https://uploads.example/1"})
    assert (await same_again(script, count))[1] == 4


def in_days(days: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)


async def test_cookies_can_be_read_and_have_not_expired_when_a_recording_is_old(
    tmp_path: Path,
) -> None:
    def login(connection: Connection, request: Request) -> None:
        expires = in_days(1)
        set_cookie = f"csrftoken=abc123; Path=/\r\nSet-Cookie: sid=xyz; Expires={expires}; HttpOnly"
        connection.head(200, {"Set-Cookie": set_cookie}, length=0)
        connection.end()

    def cookies(url: str) -> dict[str, str]:
        with httpx.Client() as client:
            client.get(url)
            return dict(client.cookies)

    server, live = await recorded(login, cookies)
    assert live == {"csrftoken": "abc123", "sid": "xyz"}
    path = tmp_path / "cassettes" / "ends.yaml"
    text = path.read_text("utf-8").replace(in_days(1)[5:16], in_days(-99)[5:16])
    path.write_text(text.replace(f"{datetime.now(UTC):%Y-%m-%d}T", "2020-01-01T"), "utf-8")
    with aquila_cassette("ends", mode="none"):
        assert cookies(server.url) == {"csrftoken": "[redacted]", "sid": "[redacted]"}
    assert "abc123" not in text


async def test_a_cookie_that_is_echoed_is_the_stand_in_there_too(tmp_path: Path) -> None:
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

    await same_again(script, ask)
    assert value not in (tmp_path / "cassettes" / "ends.yaml").read_text("utf-8")
