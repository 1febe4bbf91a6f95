"""The file: what is written comes back, byte for byte, and is what ``docs/format.md`` specifies."""

import copy
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given

from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage import format as format_
from aquila_cassette.storage.bodies import STYLES, LazyResponse
from aquila_cassette.storage.format import as_read, encode, loads, render
from aquila_cassette.storage.yaml_reader import MAX_DEPTH, compose, cut_blocks
from tests.corpus import Recorded, every_recorded
from tests.storage.cassettes import EVENT_STREAM, PATH, said
from tests.storage.strategies import cassettes

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text("utf-8")
FULL = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_full_example_is_the_cassette_that_it_looks_like_and_what_we_write() -> None:
    cassette = loads(FULL.encode(), path=PATH)
    assert encode(cassette).decode() == re.sub(r" +# ms since .*", "", FULL)
    (one,) = cassette.interactions
    sent = b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
    headers = (("content-type", "application/json"),)
    url = "https://api.openai.com/v1/chat/completions"
    assert one.request == Request("POST", url, headers, sent)
    assert one.response.pieces == (
        Piece(312, b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'),
        Piece(330, b'data: {"choices":[{"delta":{"content":"lo"}}]}\n\n'),
        Piece(331, b"data: [DONE]\n\n"),
    )


def test_every_field_style_and_limit_is_on_the_page() -> None:
    fields = {field for part in format_.FIELDS.values() for field in part}
    for name in sorted(fields | {style for style in STYLES if not style.endswith("-ascii")}):
        assert f"`{name}`" in PAGE, name
    assert f"nest deeper than {MAX_DEPTH}" in PAGE
    assert f"{format_.MAX_BYTES // 1024**2} MiB" in PAGE


def back(cassette: CassetteData) -> CassetteData:
    return loads(encode(cassette), path=PATH)


def responding(body: bytes, *, event_stream: bool = False) -> CassetteData:
    headers = EVENT_STREAM if event_stream else ()
    pieces = (Piece(5, body),) if body else ()
    return CassetteData(
        (Interaction(Request("GET", "https://a.b"), Response(200, headers, pieces)),)
    )


@given(cassettes)
@example(responding(b'["  a\\nb"]'))
def test_what_is_written_comes_back_and_is_the_same_to_any_reader_and_in_any_layout(
    cassette: CassetteData,
) -> None:
    text = encode(cassette).decode()
    read = loads(text.encode(), path=PATH)
    assert read.interactions == tuple(map(as_read, cassette.interactions))
    assert read.recorded_with == cassette.recorded_with
    assert encode(read).decode() == text
    assert loads(b"\xef\xbb\xbf" + text.encode().replace(b"\n", b"\r\n"), path=PATH) == read
    assert compose(text) == yaml.safe_load(text)
    skeleton, blocks = cut_blocks(text.encode(), keep_lines=False)
    compose(skeleton, blocks)  # all blocks are found


@every_recorded
def test_a_real_stream_comes_back_piece_for_piece(recorded: Recorded) -> None:
    pieces = tuple(Piece(7 * at, part) for at, part in enumerate(recorded.pieces))
    response = Response(200, (("content-type", recorded.content_type),), pieces)
    cassette = CassetteData((Interaction(Request("POST", "https://a.b"), response),))
    read = back(cassette)
    assert read.interactions[0].response.pieces == pieces
    assert read == cassette


FORMS = {
    "an event stream": (b"data: 1\n\n", True, "    sse: |+\n      data: 1\n\n    pieces"),
    "one of CRLF": (b"data: 1\r\n\r\n", True, "    eol: crlf\n    sse: |+\n      data: 1\n\n"),
    "one line of text": (b"all is well", False, "    text: all is well\n"),
    "several lines": (b"a\n  b\n", False, "    text: |\n      a\n        b\n"),
    "JSON": (b'{"a":[1,{"b":null}]}', False, "    json:\n      a:\n      - 1\n      - {b: null}\n"),
    "JSON with spaces": (b'{"a": 1}', False, "    json_style: spaced\n    json:\n      a: 1\n"),
    "JSON with a key twice": (b'{"a":1,"a":1}', False, '    text: "{\\"a\\":1,\\"a\\":1}"\n'),
    "no UTF-8": (b"\xff\xfe\xfd", False, "    base64: |-\n      //79\n"),
    "a prompt of several lines": (
        b'{"messages":[{"role":"user","content":"Say:\\n- hi"},{"role":"a","content":"b"}]}',
        False,
        "        content: |-\n          Say:\n          - hi\n      - {role: a, content: b}\n",
    ),
}


@pytest.mark.parametrize(("body", "event_stream", "form"), FORMS.values(), ids=FORMS)
def test_a_body_has_the_most_readable_form(body: bytes, event_stream: bool, form: str) -> None:
    text = encode(responding(body, event_stream=event_stream)).decode()
    assert form in text
    assert loads(text.encode(), path=PATH).interactions[0].response.body == body


@pytest.mark.parametrize(
    "body",
    [
        b"data: 1\r\n\r\ndata: 2\n\ndata: 3\r\r",
        b"x\n    pieces: 1+1\n- recorded_at: 1\n    sse: |+\n \n",
        b"".join(b'data: {"delta":"token %d"}\n\n' % n for n in range(50_000)),
        bytes(range(256)) * 5_000,
        b"[" + b",".join([b"7"] * 1200) + b"]",
    ],
    ids=["line breaks", "look-alikes", "a large stream", "a large blob", "many values"],
)
def test_an_awkward_body_comes_back_byte_for_byte(body: bytes) -> None:
    for event_stream in (False, True):
        cassette = responding(body, event_stream=event_stream)
        assert back(cassette) == cassette


def test_a_header_that_comes_twice_is_a_list() -> None:
    response = Response(200, (("link", "a"), ("x", "1"), ("link", "b")))
    interaction = Interaction(Request("GET", "https://a.b"), response)
    assert b'    headers:\n      link: [a, b]\n      x: "1"\n' in render(interaction)
    grouped = (("link", "a"), ("link", "b"), ("x", "1"))
    assert back(CassetteData((interaction,))).interactions[0].response.headers == grouped


def test_what_comes_off_a_file_can_be_copied_pickled_and_changed_like_any_response() -> None:
    plain = said("Hel", "lo").response
    (taped,) = (one.response for one in back(CassetteData((said("Hel", "lo"),))).interactions)
    assert isinstance(taped, LazyResponse)
    assert copy.copy(taped) == copy.deepcopy(taped) == pickle.loads(pickle.dumps(taped)) == plain
    changed = replace(taped, status=500)
    assert changed == replace(plain, status=500)
    assert changed.body == plain.body


# Pieces.

FRAMES = [b"data: 1\n\n", b"data: 22\n\n", b"data: 3"]
BODY = b"".join(FRAMES)


@pytest.mark.parametrize(
    ("text", "times", "parts"),
    [
        ("5+3 5+0 9+23", [5, 5, 9], [BODY[:3], b"", BODY[3:]]),
        (None, [0, 0, 0], FRAMES),
        ("5+9", [5, 5, 5], FRAMES),
        ("5+9 7+9 8+9", [5, 7, 8], FRAMES),
        ("5+1 7+1 8+1 9+1", [5, 7, 9], FRAMES),
    ],
)
def test_pieces_are_cut_as_they_came_and_of_an_edited_body_a_frame_each(
    text: str | None, times: list[int], parts: list[bytes]
) -> None:
    response = LazyResponse.of(BODY, text, status=200, headers=EVENT_STREAM)
    assert response.parts == tuple(parts)
    pieces = response.pieces
    assert pieces == tuple(map(Piece, times, parts))
    assert {type(piece) for piece in pieces} == {Piece}


# What is printed of it.

SECRET = "sk-live-0123456789"
REQUEST = Request(
    "POST",
    f"https://user:{SECRET}@api.example/v1/chat?key={SECRET}&page=2&{SECRET}#{SECRET}",
    (("authorization", f"Bearer {SECRET}"), ("x-api-key", SECRET)),
    f'{{"password":"{SECRET}"}}'.encode(),
)
RESPONSE = Response(
    200,
    (("set-cookie", f"session={SECRET}"),),
    (Piece(5, f"data: {SECRET}\n\n".encode()), Piece(9, b"data: 2\n\n")),
    ended="failed",
    error=Failure("ReadError", f"no more of {SECRET}", "reset"),
)


def test_a_repr_has_names_and_sizes_and_no_value_that_may_be_a_secret() -> None:
    assert repr(REQUEST) == (
        "Request(POST https://api.example/v1/chat?key=...&page=...&..., "
        "headers=[authorization, x-api-key], body=33 bytes)"
    )
    assert repr(RESPONSE) == (
        "Response(200 failed, headers=[set-cookie], body=35 bytes, pieces=2, "
        "error=Failure(type='ReadError', category='reset'))"
    )
    cassette = CassetteData((Interaction(REQUEST, RESPONSE),))
    assert repr(back(cassette)) == repr(cassette)
    assert SECRET not in repr(Request("GET", f"https://[{SECRET}"))
