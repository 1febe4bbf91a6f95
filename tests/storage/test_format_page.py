"""The page that specifies the file: its examples are cassettes, and its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.storage import format as format_
from aquila_cassette.storage.bodies import FIELDS, STYLES
from aquila_cassette.storage.format import dumps, loads
from aquila_cassette.storage.yaml_reader import MAX_DEPTH

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text("utf-8")
FULL, LEAST = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PATH = Path("cassettes/x.yaml")

SAID = Interaction(
    Request(
        "POST",
        "https://api.openai.com/v1/chat/completions",
        (("content-type", "application/json"),),
        b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}',
    ),
    Response(
        200,
        (("content-type", "text/event-stream; charset=utf-8"),),
        (
            Piece(312, b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'),
            Piece(330, b'data: {"choices":[{"delta":{"content":"lo"}}]}\n\n'),
            Piece(331, b"data: [DONE]\n\n"),
        ),
        headers_after=290,
    ),
    "2026-11-22T10:30:00Z",
    "tests/test_chat.py::test_reply",
)


def test_the_full_example_is_the_tape_that_it_looks_like() -> None:
    assert loads(FULL.encode(), path=PATH) == CassetteData((SAID,), "aquila-cassette 0.1.0")


def test_the_full_example_is_what_we_write() -> None:
    bare = re.sub(r" +# ms since .*", "", FULL)
    assert dumps(loads(FULL.encode(), path=PATH)) == bare
    assert yaml.safe_load(FULL) == yaml.safe_load(bare)


def test_the_least_example_is_a_cassette() -> None:
    body = (Piece(0, b"[]"),)
    least = Interaction(
        Request("GET", "https://api.example.com/v1/models"), Response(200, (), body)
    )
    assert loads(LEAST.encode(), path=PATH) == CassetteData((least,))


def test_every_field_style_and_limit_is_on_the_page() -> None:
    fields = {
        *format_.CASSETTE_FIELDS,
        *format_.INTERACTION_FIELDS,
        *format_.REQUEST_FIELDS,
        *format_.RESPONSE_FIELDS,
        *format_.ERROR_FIELDS,
    }
    assert fields >= set(FIELDS)
    for name in sorted(fields | {style for style in STYLES if not style.endswith("-ascii")}):
        assert f"`{name}`" in PAGE, name
    assert f"nest deeper than {MAX_DEPTH}" in PAGE
    assert f"{format_.MAX_BYTES // 1024**2} MiB" in PAGE
