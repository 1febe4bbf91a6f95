"""Our cassettes in vcrpy's format, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml
from hypothesis import given

from aquila_cassette import importers
from aquila_cassette.importers import vcrpy
from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.redaction.names import FRAMING
from aquila_cassette.storage.format import as_read
from tests.storage.cassettes import said
from tests.storage.draws import tapes

PATH = Path("cassettes/chat.yaml")


@given(tapes)
def test_requests_statuses_and_bodies_come_back(tape: CassetteData) -> None:
    there = tuple(
        replace(one, request=replace(one.request, method="POST"))
        for one in map(as_read, tape.interactions)
        if one.response.status is not None
        and not any(name in FRAMING for name, _ in one.response.headers)
    )
    text = vcrpy.dumps(there)
    assert text.isascii()
    assert vcrpy.holds(text, there)
    read = importers.read_foreign(text.encode(), path=PATH)
    back = read.cassette.interactions if read else ()
    assert [
        (one.request, one.response.status, one.response.headers, one.response.body) for one in back
    ] == [
        (one.request, one.response.status, one.response.headers, one.response.body) for one in there
    ]


def test_texts_are_readable_and_bytes_are_base64() -> None:
    image = Interaction(
        Request("GET", "https://a.example/image"),
        Response(200, (("content-type", "image/png"),), (Piece(1, b"\xff\0"),)),
    )
    text = vcrpy.dumps([said("Hi", "you"), image])
    assert (
        "      string: |+\n"
        '        data: {"say":"Hi"}\n'
        "\n"
        '        data: {"say":"you"}\n'
        "\n"
        "    headers:\n"
    ) in text
    assert "      string: !!binary |\n        /wA=\n" in text


def test_the_time_of_recording_stays() -> None:
    one = said("Hi")
    read = importers.read_foreign(vcrpy.dumps([one]).encode(), path=PATH)
    assert read is not None
    assert read.cassette.interactions[0].recorded_at == one.recorded_at


def test_a_status_has_its_usual_reason_and_one_of_no_name_has_none() -> None:
    tape = [
        Interaction(Request("GET", "https://a.example/"), Response(code)) for code in (404, 599)
    ]
    items = yaml.safe_load(vcrpy.dumps(tape))["interactions"]
    assert [item["response"]["status"] for item in items] == [
        {"code": 404, "message": "Not Found"},
        {"code": 599, "message": ""},
    ]


def test_what_vcrpy_cannot_hold_is_told() -> None:
    request = Request("GET", "https://a.example/")
    whole, closed, failed, none = (
        Interaction(request, response)
        for response in (
            Response(200),
            Response(200, ended="closed"),
            Response(200, ended="failed"),
            Response(None, ended="failed"),
        )
    )
    assert vcrpy.losses(whole) == ""
    assert "not read to its end" in vcrpy.losses(closed)
    assert "failed under way" in vcrpy.losses(failed)
    assert vcrpy.losses(none) == "no answer came, which vcrpy cannot replay: left out"
    assert vcrpy.dumps([none]) == "interactions: []\nversion: 1\n"
