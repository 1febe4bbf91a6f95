"""The page on ambient requests lists what the code does."""

from __future__ import annotations

from pathlib import Path

from aquila_cassette.session.ambient import AMBIENT_REQUESTS, AmbientRequest

PAGE = Path(__file__).parents[2] / "docs" / "ambient-requests.md"


def row(kind: AmbientRequest) -> str:
    shown = {"accepted": "accepted", "absent": "absent", "directory": "its addresses"}
    requests = "<br>".join(f"`{one.partition(chr(32))[2]}`" for one in kind.requests)
    answer = shown.get(kind.answer, "a placeholder")
    return f"| {kind.sender} | {kind.what} | {requests} | {answer} |"


def test_the_page_lists_each_kind() -> None:
    listed = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert listed == [row(kind) for kind in AMBIENT_REQUESTS]
