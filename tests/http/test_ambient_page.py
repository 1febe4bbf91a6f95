"""The page on ambient requests lists what the code does."""

from __future__ import annotations

from pathlib import Path

from aquila_cassette.model import Request
from aquila_cassette.session.ambient import AMBIENT_REQUESTS, PLACEHOLDER, AmbientRequest

PAGE = Path(__file__).parents[2] / "docs" / "ambient-requests.md"


def on_replay(kind: AmbientRequest) -> str:
    asked = Request("POST", "https://host.example/tenant/path")
    status, _, body = kind.answer(asked)
    if status == 404:
        return "absent"
    if "tenant_discovery_endpoint" in body:
        return "its own addresses"
    return "a placeholder" if PLACEHOLDER in body else "accepted"


def row(kind: AmbientRequest) -> str:
    words = kind.requests.split()
    requests = "<br>".join(f"`{a} {b}`" for a, b in zip(words[::2], words[1::2], strict=True))
    if kind.agent != "*":
        requests += f"<br>from `{kind.agent}`"
    return f"| {kind.sender} | {kind.what} | {requests} | {on_replay(kind)} |"


def test_the_page_lists_each_kind() -> None:
    listed = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert listed == [row(kind) for kind in AMBIENT_REQUESTS]
