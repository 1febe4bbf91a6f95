"""What is no cassette is refused in one way: which file, which line, what to do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.errors import CassetteFormatError, CassetteVersionError
from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage import format as format_
from aquila_cassette.storage.format import dumps, loads
from tests.storage.cassettes import said
from tests.storage.draws import AWKWARD, tapes

PATH = Path("cassettes/x.yaml")
RESTORE = "Fix: restore it (git checkout -- cassettes/x.yaml) or delete it and record again"

ONE = """\
version: 1
interactions:
- recorded_at: "2026-11-22T10:30:00Z"
  request:
    method: POST
    url: https://a.b
    headers: {content-type: application/json}
    json:
      model: m
  response:
    status: 200
    headers: {content-type: text/event-stream}
    sse: |+
      data: 1

    pieces: 5+9
    ended: complete
"""


def refusal(data: bytes | str) -> CassetteFormatError:
    """Give the error that reading `data` ends in; its first line names the file and the line."""
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(CassetteFormatError) as caught:
        loads(raw, path=PATH)
    error = caught.value
    assert error.path == PATH
    return error


def edited(old: str, new: str) -> str:
    assert ONE.count(old) == 1
    return ONE.replace(old, new)


NO_ANCHOR = (
    "anchors, aliases and tags are not allowed in a cassette.\n"
    "Fix: write the value out, or put it in quotes if it is text that starts with *, & or !"
)
NO_KEY = "a key that is not text is not allowed in a cassette.\nFix: put it in quotes"
MESSAGES = {
    "empty": ("", f"cassettes/x.yaml: the file is empty.\n{RESTORE}"),
    "nothing but a comment": ("# hello\n", f"cassettes/x.yaml: the file is empty.\n{RESTORE}"),
    "UTF-16": (
        ONE.encode("utf-16"),
        "cassettes/x.yaml: the file is UTF-16, and a cassette is UTF-8.\nFix: save it as UTF-8",
    ),
    "UTF-16 without a mark": (
        ONE.encode("utf-16-be"),
        "cassettes/x.yaml: the file is UTF-16, and a cassette is UTF-8.\nFix: save it as UTF-8",
    ),
    "compressed": (
        b"\x1f\x8b\x08\x00",
        f"cassettes/x.yaml, line 1: the byte 0x8b is not UTF-8.\n{RESTORE}",
    ),
    "filled with NUL by a crash": (
        ONE.encode()[:200] + b"\0" * 500,
        (
            "cassettes/x.yaml, line 11: the character U+0000 is not allowed in a cassette as"
            f" it is.\n{RESTORE}"
        ),
    ),
    "a line separator": (
        edited("model: m", 'model: "m\u2028"'),
        (
            "cassettes/x.yaml, line 9: the character U+2028 is not allowed in a cassette as"
            ' it is.\nFix: write it as \\u2028 in double quotes "..."'
        ),
    ),
    "a lone carriage return": (
        edited("model: m", "model: a\rb"),
        (
            "cassettes/x.yaml, line 9: the character U+000D is not allowed in a cassette as"
            ' it is.\nFix: write it as \\u000d in double quotes "..."'
        ),
    ),
    "text": (
        "hello\n",
        "cassettes/x.yaml: the file is no cassette: its top level is no mapping.\n" + RESTORE,
    ),
    "a list": (
        "- request: {}\n",
        "cassettes/x.yaml, line 1: the file is no cassette: its top level is no mapping.\n"
        + RESTORE,
    ),
    "no version": (
        edited("version: 1\n", ""),
        (
            "cassettes/x.yaml, line 1: the file has no version.\n"
            'Fix: make "version: 1" its first line, if it is a cassette'
        ),
    ),
    "version 0": (
        edited("version: 1", "version: 0"),
        (
            "cassettes/x.yaml, line 1: unknown cassette version.\n"
            '  expected: 1\n  got:      0\nFix: write "version: 1"'
        ),
    ),
    "a version in quotes": (
        edited("version: 1", 'version: "1"'),
        (
            "cassettes/x.yaml, line 1: unknown cassette version.\n"
            "  expected: 1\n  got:      '1'\nFix: write \"version: 1\""
        ),
    ),
    "a version that is true": (
        edited("version: 1", "version: true"),
        (
            "cassettes/x.yaml, line 1: unknown cassette version.\n"
            '  expected: 1\n  got:      True\nFix: write "version: 1"'
        ),
    ),
    "no interactions": (
        "version: 1\n",
        f"cassettes/x.yaml, line 1: the file has no interactions.\n{RESTORE}",
    ),
    "interactions cut off": (
        "version: 1\ninteractions:\n",
        f"cassettes/x.yaml, line 1: the file has no interactions.\n{RESTORE}",
    ),
    "a misspelt field": (
        edited("method: POST", "mehtod: POST"),
        (
            "cassettes/x.yaml, line 5: the request has an unknown field 'mehtod'.\n"
            "  known: method, url, headers, json, sse, text, base64, json_style, eol\n"
            'Fix: rename it to "method"'
        ),
    ),
    "a field that is none": (
        edited("version: 1", "version: 1\nwhatever: 1"),
        (
            "cassettes/x.yaml, line 2: the cassette has an unknown field 'whatever'.\n"
            "  known: version, recorded_with, interactions\nFix: take it out"
        ),
    ),
    "a status that is text": (
        edited("status: 200", "status: OK"),
        (
            "cassettes/x.yaml, line 11: 'status' has a wrong value.\n"
            "  expected: a number from 100 to 999\n  got:      'OK'\n"
            "Fix: make it a number from 100 to 999"
        ),
    ),
    "a URL that is a number": (
        edited("url: https://a.b", "url: 12"),
        (
            "cassettes/x.yaml, line 6: 'url' has a wrong value.\n"
            '  expected: text\n  got:      12\nFix: put it in quotes: "12"'
        ),
    ),
    "a header that is a number": (
        edited("{content-type: application/json}", "{x-limit: 12}"),
        (
            "cassettes/x.yaml, line 7: 'x-limit' has a wrong value.\n"
            '  expected: text, or a list of text\n  got:      12\nFix: put it in quotes: "12"'
        ),
    ),
    "pieces of no such form": (
        edited("pieces: 5+9", "pieces: 5:9"),
        (
            "cassettes/x.yaml, line 16: 'pieces' has a wrong value.\n"
            "  expected: words of ms+bytes, such as 312+50 330+49\n  got:      '5:9'\n"
            "Fix: make it words of ms+bytes, such as 312+50 330+49"
        ),
    ),
    "an end that is none": (
        edited("ended: complete", "ended: done"),
        (
            "cassettes/x.yaml, line 17: 'ended' has a wrong value.\n"
            "  expected: one of complete, closed, failed\n  got:      'done'\n"
            "Fix: make it one of complete, closed, failed"
        ),
    ),
    "two bodies": (
        edited("    json:\n", "    text: a\n    json:\n"),
        (
            "cassettes/x.yaml, line 8: there are two bodies, 'json' and 'text'.\n"
            "Fix: take one of the two out"
        ),
    ),
    "a style without its body": (
        edited("    sse: |+\n", "    json_style: spaced\n    sse: |+\n"),
        (
            "cassettes/x.yaml, line 13: 'json_style' goes with 'json', which is missing.\n"
            "Fix: take it out"
        ),
    ),
    "an unknown style": (
        edited("    json:\n", "    json_style: pretty\n    json:\n"),
        (
            "cassettes/x.yaml, line 8: 'json_style' is unknown.\n"
            "  expected: one of compact, spaced, indent-2, indent-4, compact-ascii, spaced-ascii,"
            " indent-2-ascii, indent-4-ascii\n  got:      'pretty'\nFix: use one of these"
        ),
    ),
    "a number that JSON has not": (
        edited("model: m", "model: 1e999"),
        (
            "cassettes/x.yaml, line 8: 'json' has a number that is too large for JSON.\n"
            "Fix: store the body as text: instead"
        ),
    ),
    "base64 that is none": (
        edited("    sse: |+\n      data: 1\n\n", "    base64: a\n"),
        f"cassettes/x.yaml, line 13: 'base64' is not base64.\n{RESTORE}",
    ),
    **{
        name: (edited("model: m", value), f"cassettes/x.yaml, line 9: {NO_ANCHOR}")
        for name, value in {
            "an alias": "model: *m",
            "an anchor": "model: &m m",
            "a tag": "model: !!python/object:os.system m",
        }.items()
    },
    **{
        name: (edited("model: m", key), f"cassettes/x.yaml, line 9: {NO_KEY}")
        for name, key in {
            "a merge key": "<<: {a: 1}",
            "a key that is a number": "1: m",
            "a key that is a list": "[1]: m",
        }.items()
    },
    "a key twice": (
        edited("model: m", "model: m\n      model: n"),
        (
            "cassettes/x.yaml, line 10: the key 'model' is given twice; the first is on line 9.\n"
            "Fix: take one of the two out"
        ),
    ),
    "an endless number": (
        edited("model: m", f"model: {'9' * 5000}"),
        (
            "cassettes/x.yaml, line 9: the number of 5000 digits is too long to read.\n"
            "Fix: put it in quotes"
        ),
    ),
    "a second document": (
        ONE + "---\n" + ONE,
        (
            "cassettes/x.yaml, line 18: a second document starts here, and a cassette has one.\n"
            "Fix: take out the line '---'"
        ),
    ),
    "mappings without end": (
        edited("model: m", "model: " + "[" * 100 + "]" * 100),
        (
            "cassettes/x.yaml, line 9: mappings and lists are nested more than 64 deep.\n"
            "Fix: store the body as text: instead"
        ),
    ),
    "no YAML": (
        edited("model: m", "model: a: b"),
        (
            "cassettes/x.yaml, line 9: mapping values are not allowed in this context.\n"
            f"  reads: 'model: a: b'\n{RESTORE}"
        ),
    ),
    "a bad indentation": (
        edited("      data: 1\n", "      data: 1\n   data: 2\n"),
        (
            "cassettes/x.yaml, line 15: did not find expected key (while parsing a block mapping"
            f" that starts on line 3).\n  reads: 'data: 2'\n{RESTORE}"
        ),
    ),
    "an end that is missing in the middle": (
        edited("    ended: complete\n", "") + ONE.partition("interactions:\n")[2],
        f"cassettes/x.yaml, line 11: the response has no field 'ended'.\n{RESTORE}",
    ),
    "cut off in a body": (
        ONE.partition("data: 1")[0] + "data:",
        (
            "cassettes/x.yaml, line 14: the file ends in the middle of an interaction.\n"
            f"  the response has no field 'ended'\n{RESTORE}"
        ),
    ),
    "cut off in a word": (
        ONE.partition("complete")[0] + "comp",
        (
            "cassettes/x.yaml, line 17: 'ended' has a wrong value.\n"
            "  expected: one of complete, closed, failed\n  got:      'comp'\n"
            "Fix: make it one of complete, closed, failed"
        ),
    ),
    "cut off in a bracket": (
        ONE.partition("application")[0],
        (
            "cassettes/x.yaml, line 7: the file ends in the middle of an interaction.\n"
            "  did not find expected node content (while parsing a flow node that starts on line"
            f" 7)\n  reads: 'headers: {{content-type:'\n{RESTORE}"
        ),
    ),
    "cut off behind a dash": (
        ONE + "-",
        (
            "cassettes/x.yaml, line 18: the file ends in the middle of an interaction.\n"
            f"  the interaction is empty\n{RESTORE}"
        ),
    ),
    "cut off behind a field that may end it": (
        edited("    ended: complete\n", "    ended: closed\n    headers_after: 12")[:-1],
        (
            "cassettes/x.yaml, line 18: the file ends in the middle of an interaction.\n"
            f"  its last line has no line break\n{RESTORE}"
        ),
    ),
    "cut off before its error": (
        edited("ended: complete", "ended: failed"),
        (
            "cassettes/x.yaml, line 17: the file ends in the middle of an interaction.\n"
            f"  the response has no field 'error'\n{RESTORE}"
        ),
    ),
}


@pytest.mark.parametrize(("data", "message"), MESSAGES.values(), ids=MESSAGES)
def test_it_says_which_line_is_wrong_and_what_to_do(data: bytes | str, message: str) -> None:
    assert str(refusal(data)) == message


def test_a_version_to_come_is_an_error_of_its_own() -> None:
    error = refusal(edited("version: 1", "version: 2"))
    assert isinstance(error, CassetteVersionError)
    assert error.line == 1
    assert str(error) == (
        "cassettes/x.yaml, line 1: the cassette has version 2, and this aquila-cassette reads 1.\n"
        "Fix: pip install --upgrade aquila-cassette"
    )


def test_the_line_is_counted_in_a_file_with_crlf_too() -> None:
    error = refusal(edited("model: m", "model: *m").replace("\n", "\r\n"))
    assert error.line == 9


def test_a_file_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_, "MAX_BYTES", 100)
    assert str(refusal(ONE)) == (
        "cassettes/x.yaml: the file is too large for a cassette.\n"
        f"  limit: 100 bytes\n  got:   {len(ONE)} bytes\n"
        "Fix: split it into several cassettes"
    )


def test_brackets_without_end_are_refused_at_once() -> None:
    refusal("version: " + "[" * 1_000_000)
    refusal("version: " + "{a: " * 300_000)
    refusal("- " * 500_000)


@given(st.binary(max_size=200))
def test_no_bytes_end_in_any_other_error(data: bytes) -> None:
    with pytest.raises(CassetteFormatError):
        loads(data, path=PATH)


@given(st.lists(st.sampled_from([*AWKWARD, "version: 1", "interactions:"])).map("".join))
def test_no_yaml_ends_in_any_other_error(text: str) -> None:
    with pytest.raises(CassetteFormatError):
        loads(text.encode(), path=PATH)


@given(tapes, st.data())
def test_no_damage_ends_in_any_other_error(tape: CassetteData, data: st.DataObject) -> None:
    text = dumps(tape)
    at = data.draw(st.integers(0, len(text)))
    damage = data.draw(st.sampled_from(AWKWARD))
    skipped = data.draw(st.integers(0, 3))
    with suppress(CassetteFormatError):  # any other error fails the test
        loads((text[:at] + damage + text[at + skipped :]).encode(), path=PATH)


ENDS = CassetteData(
    (
        said("Hel", "lo"),
        Interaction(
            Request("POST", "https://a.b", (("x", "a"), ("x", "b")), b'{"m":"a\\nb","n":[{}]}'),
            Response(None, error=Failure("ReadError", "a\nb}"), ended="failed"),
            "2026-11-22T10:30:00Z",
            "tests/a.py::b",
        ),
        Interaction(
            Request("POST", "https://a.b", body=b"a=1\nb=2\n"),
            Response(200, pieces=(Piece(1, b"\xff" * 100),), ended="closed", headers_after=4),
        ),
        Interaction(Request("GET", "https://a.b"), Response(200, ended="failed")),
    ),
    "aquila-cassette 0.1.0",
)


def test_a_file_cut_off_anywhere_is_refused_unless_it_is_whole_so_far() -> None:
    whole = dumps(ENDS).encode()
    assert loads(whole, path=PATH) == ENDS
    for end in range(len(whole)):
        try:
            tape = loads(whole[:end], path=PATH)
        except CassetteFormatError:
            continue
        # Between two interactions a shorter cassette looks the same.
        count = len(tape.interactions)
        assert count > 0
        assert tape.interactions == ENDS.interactions[:count]
        assert whole[end:].lstrip(b"\n").startswith((b"- re", b"error: null"))


def test_a_forbidden_character_is_told_of_even_if_bytes_that_are_no_utf_8_follow_far_behind() -> (
    None
):
    data = b"version: 1\n# \xe2\x80\xa8\n" + b"# x\n" * 40_000 + b"# \xff\n"
    assert str(refusal(data)).startswith(
        "cassettes/x.yaml, line 2: the character U+2028 is not allowed in a cassette as it is"
    )


def test_a_file_of_nothing_but_nul_is_not_taken_for_utf_16() -> None:
    assert str(refusal(b"\0" * 100)).startswith(
        "cassettes/x.yaml, line 1: the character U+0000 is not allowed in a cassette as it is"
    )
