"""What is found in a file, and what is not: a case each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aquila_cassette.cli.check import check_file
from aquila_cassette.redaction import Redaction
from tests.cli.samples import chat, lay, text
from tests.corpus import Recorded, every_recorded
from tests.importers.samples import vcrpy

GOOD = text()
KEY = "sk-ant-api03-abcdefghijklmnop"
OWN = Path(__file__).parents[2] / "cassettes"
FIX = "aquila-cassette check --fix"
BY_HAND = "it has comments: edit it by hand"
LAYOUT = "it would be written otherwise today"
RESTORE = "restore it (git checkout -- x.yaml) or delete it and record again"
SCRUB = "aquila-cassette scrub x.yaml"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(content: str | bytes, redact: Redaction | None = None) -> list[tuple[int, str, str, str]]:
    path = lay("x.yaml", content)
    return [
        (one.line, one.kind, one.what, one.fix) for one in check_file(path, redact or Redaction())
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (1, "unreadable", "the file is empty", RESTORE)),
        (b"\xff\xfe\x00", (1, "unreadable", "it is not UTF-8 text", "save it as UTF-8")),
        (
            GOOD[: GOOD.index("    ended:")],
            (24, "unreadable", "the file ends in the middle of an interaction", RESTORE),
        ),
    ],
)
def test_a_damaged_file_is_unreadable(
    content: str | bytes, expected: tuple[int, str, str, str]
) -> None:
    (one,) = found(content)
    assert (one[1], one[3]) == (expected[1], expected[3])
    if one[0] == 24:
        assert one == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            text(chat(), chat(url=f"https://a.example/?key={KEY}")),
            (30, "query field 'key' in the request's URL"),
        ),
        (
            text(chat(sent=b'{"a":1,"api_key":"' + KEY.encode() + b'"}')),
            (12, "a key (sk-...) in the request's body"),
        ),
        (GOOD.replace("interactions:", f"# {KEY}\ninteractions:"), (3, "a key (sk-...)")),
    ],
)
def test_a_secret_is_found_on_its_line(content: str, expected: tuple[int, str]) -> None:
    (one, *more) = found(content)
    assert more == []
    assert (one[0], one[1], one[3]) == (expected[0], "secret", SCRUB)
    assert one[2] == expected[1]


def test_the_rules_given_count() -> None:
    content = text(chat(sent=b'{"city":"Rome"}'))
    assert found(content) == []
    (one,) = found(content, Redaction(["city"]))
    assert one[1:3] == ("secret", "the field 'city' in the request's body")
    leaky = text(chat(url=f"https://a.example/?key={KEY}"))
    assert found(leaky, Redaction(allow=["key", KEY])) == []


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (GOOD.replace("method: POST", 'method: "POST"'), FIX),
        (GOOD.replace("recorded_by:", "recorded_by:  "), FIX),
        (GOOD.replace("method: POST", 'method: "POST" # mine'), BY_HAND),
    ],
)
def test_what_would_be_written_otherwise_is_found(content: str, fix: str) -> None:
    (one,) = found(content)
    assert (one[1], one[2], one[3]) == ("format", LAYOUT, fix)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("interactions:", "# mine\n\ninteractions: # too"),
        text(chat(sent=b"# no comment\n # of the file")),
        vcrpy().replace("Bearer abc", "DUMMY"),
    ],
)
def test_comments_line_ends_and_other_recorders_are_no_fault(content: str) -> None:
    assert found(content) == []


def test_a_secret_in_another_recorders_cassette_is_found() -> None:
    (one,) = found(vcrpy().replace("Bearer abc", f"Bearer {KEY}"))
    assert one[1] == "secret"
    assert one[3] == "aquila-cassette convert x.yaml --in-place"


@pytest.mark.parametrize(("oldest", "is_old"), [("2026-11-19", False), ("2026-11-21", True)])
def test_what_was_recorded_too_long_ago_is_old(oldest: str, is_old: bool) -> None:
    limit = datetime.fromisoformat(oldest).replace(tzinfo=UTC)
    path = lay("x.yaml", text(chat(), chat(recorded_at="2026-11-22T10:30:00Z")))
    kinds = [one.kind for one in check_file(path, Redaction(), limit)]
    assert kinds == (["old"] if is_old else [])
    undated = lay("y.yaml", text(chat(recorded_at="")))
    assert list(check_file(undated, Redaction(), limit)) == []


def test_nothing_is_found_in_the_projects_own_cassettes() -> None:
    paths = list(OWN.rglob("*.yaml"))
    assert paths
    assert [one for path in paths for one in check_file(path, Redaction())] == []


@every_recorded
def test_nothing_is_found_in_a_real_stream(recorded: Recorded) -> None:
    from aquila_cassette.model import Interaction, Piece, Request, Response

    pieces = tuple(Piece(at, data) for at, data in enumerate(recorded.pieces) if data)
    headers = (("content-type", recorded.content_type),)
    request = Request("POST", "https://api.example.com/v1/chat", body=b'{"stream":true}')
    response = Redaction().response(Response(recorded.status, headers, pieces))
    assert found(text(Interaction(request, response, "2026-11-20T10:30:00Z"))) == []
