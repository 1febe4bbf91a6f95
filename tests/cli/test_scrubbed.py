"""What a cassette's text is without its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquila_cassette.cli.scrub import scrubbed
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage.format import loads
from tests.cli.samples import chat, text

KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = text(chat(url=f"https://a.example/?key={KEY}&n=1"), chat(sent=b'{"n":1}'))


def scrub(content: str, redact: Redaction | None = None) -> str | None:
    cassette = loads(content.encode(), path=Path("x.yaml"))
    new = scrubbed(content, cassette, redact or Redaction())
    if new is None:
        return None
    assert loads(new[0].encode(), path=Path("x.yaml")).interactions == new[1]
    return new[0]


def test_only_the_secret_changes() -> None:
    mine = LEAKY.replace('"n":1', '"n":  1').replace("- recorded_at", "# mine\n- recorded_at")
    assert scrub(mine) == mine.replace(KEY, "[redacted]")
    assert scrub(text()) is None


def test_line_ends_of_windows_stay() -> None:
    assert scrub(LEAKY.replace("\n", "\r\n")) == LEAKY.replace(KEY, "[redacted]").replace(
        "\n", "\r\n"
    )


def test_a_secret_in_a_comment_is_redacted() -> None:
    content = text().replace("interactions:", f"# the key is {KEY}\ninteractions:")
    assert scrub(content) == content.replace(KEY, "[redacted]")


def test_headers_that_are_not_kept_today_go_unless_they_are_named() -> None:
    content = text().replace("event-stream}", "event-stream, x-tenant: abc, x-more: abc}")
    rules = Redaction(["x-tenant"], keep_headers=["x-more"])
    new = scrub(content, rules)
    assert new is not None
    assert "x-tenant: abc" not in new
    assert "x-more: abc" in new


@pytest.mark.parametrize("field", ["recorded_with: ", "  recorded_by: "])
def test_names_are_looked_at_too(field: str) -> None:
    content = text().replace(field, f"{field}{KEY}")
    new = scrub(content)
    assert new is not None
    assert KEY not in new
