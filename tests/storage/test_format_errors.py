"""What is no cassette is refused in one way: which file, which line, what to do."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.errors import CassetteFormatError, CassetteVersionError
from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.storage import format as format_
from aquila_cassette.storage.format import encode, loads
from tests.storage.cassettes import said
from tests.storage.strategies import AWKWARD, cassettes

PATH = Path("cassettes/x.yaml")
RESTORE = "Fix: delete it and record again"

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


MESSAGES = {
    "empty": ("", ": the file is empty."),
    "no UTF-8": (ONE.encode("utf-16"), "1: the byte 0xff is not UTF-8. / Fix: save it as UTF-8"),
    "a line separator, and far below it what is no UTF-8": (
        b"version: 1\n# \xe2\x80\xa8\n" + b"# x\n" * 40_000 + b"# \xff\n",
        '2: the character U+2028 is not allowed in a cassette as it is. / Fix: write it as \\u2028 in double quotes "..."',
    ),
    "CRLF": (
        ONE.replace("version: 1", 'version: "1"').replace("\n", "\r\n"),
        "1: unknown cassette version. / expected: 1 / got:      '1' / Fix: write \"version: 1\" as its first line, if it is a cassette",
    ),
    "no interactions": ("version: 1\n", "1: the cassette has no field 'interactions'."),
    "a misspelt field": (
        edited("method: POST", "mehtod: POST"),
        "5: the request has an unknown field 'mehtod'. / known: method, url, headers, json, sse, text, base64, json_style, eol / Fix: rename it, or take it out",
    ),
    "a URL that is a number": (
        edited("url: https://a.b", "url: 12"),
        "6: 'url' has a wrong value. / expected: text / got:      12 / Fix: put it in quotes",
    ),
    "pieces of no such form": (
        edited("pieces: 5+9", "pieces: 5:9"),
        "16: 'pieces' has a wrong value. / expected: words of ms+bytes, such as 312+50 330+49 / got:      '5:9' / Fix: make it words of ms+bytes, such as 312+50 330+49",
    ),
    "two bodies": (
        edited("    json:\n", "    text: a\n    json:\n"),
        "8: there are two bodies, 'json' and 'text'. / Fix: take one of the two out",
    ),
    "an unknown style": (
        edited("    sse: |+\n", "    eol: lfcr\n    sse: |+\n"),
        "13: 'eol' has a wrong value. / expected: one of lf, crlf / got:      'lfcr' / Fix: use one of these",
    ),
    "a number that JSON has not": (
        edited("model: m", "model: 1e999"),
        "8: 'json' has a number that is too large for JSON. / Fix: store the body as text: instead",
    ),
    "a key twice": (
        edited("model: m", "model: m\n      model: n"),
        "10: the key 'model' is given twice; the first is on line 9. / Fix: take one of the two out",
    ),
    "a second document": (
        ONE + "---\n" + ONE,
        "18: a second document starts here, and a cassette has one. / Fix: take out the line '---'",
    ),
    "mappings without end": (
        edited("model: m", "model: " + "[" * 100 + "]" * 100),
        "9: mappings and lists are nested more than 64 deep. / Fix: store the body as text: instead",
    ),
    "no YAML": (
        edited("model: m", "model: a: b"),
        "9: mapping values are not allowed in this context.",
    ),
    "an end that is missing in the middle": (
        edited("    ended: complete\n", "") + ONE.partition("interactions:\n")[2],
        "11: the response has no field 'ended'.",
    ),
    "cut off in a body": (
        ONE.partition("data: 1")[0] + "data:",
        "14: the file ends in the middle of an interaction. / the response has no field 'ended'",
    ),
    "cut off behind a field that may end it": (
        edited("    ended: complete\n", "    ended: closed\n    headers_after: 12")[:-1],
        "18: the file ends in the middle of an interaction. / its last line has no line break",
    ),
}

REFUSED = {
    "anchors, aliases and tags are not allowed in a cassette. / Fix: write the value out, or put it in quotes if it is text": (
        "model: *m", "model: &m m", "model: !!python/object:os.system m",
    ),
    "a key that is not text is not allowed in a cassette. / Fix: put it in quotes": (
        "<<: {a: 1}", "1: m", "[1]: m",
    ),
}  # fmt: skip
for problem, edits in REFUSED.items():
    MESSAGES |= {edit: (edited("model: m", edit), f"9: {problem}") for edit in edits}


@pytest.mark.parametrize(("data", "message"), MESSAGES.values(), ids=MESSAGES)
def test_it_says_which_line_is_wrong_and_what_to_do(data: bytes | str, message: str) -> None:
    """A message starts with the number of a line, or else with a colon; ``/`` parts its lines."""
    first, *facts = message.split(" / ")
    fix = facts.pop() if facts and facts[-1].startswith("Fix: ") else RESTORE
    place = f", line {first}" if first[0].isdigit() else first
    expected = [f"cassettes/x.yaml{place}", *(f"  {fact}" for fact in facts), fix]
    assert str(refusal(data)) == "\n".join(expected)


def test_a_version_to_come_is_an_error_of_its_own() -> None:
    error = refusal(edited("version: 1", "version: 2"))
    assert isinstance(error, CassetteVersionError)
    assert error.line == 1
    assert str(error) == (
        "cassettes/x.yaml, line 1: the cassette has version 2, and this aquila-cassette reads 1.\n"
        "Fix: pip install --upgrade aquila-cassette"
    )


def test_a_file_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_, "MAX_BYTES", 100)
    assert str(refusal(ONE)) == (
        "cassettes/x.yaml: the file is too large for a cassette.\n"
        f"  limit: 100 bytes\n  got:   {len(ONE)} bytes\n"
        "Fix: split it into several cassettes"
    )


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([*AWKWARD, "version: 1", "interactions:"])).map("".join)
)
def test_nothing_that_is_no_cassette_ends_in_any_other_error(data: bytes | str) -> None:
    refusal(data)


def test_brackets_without_end_are_refused_at_once() -> None:
    refusal("version: " + "[" * 1_000_000)
    refusal("version: " + "{a: " * 300_000)
    refusal("- " * 500_000)


@given(cassettes, st.data())
def test_no_damage_ends_in_any_other_error(cassette: CassetteData, data: st.DataObject) -> None:
    text = encode(cassette).decode()
    at = data.draw(st.integers(0, len(text)))
    damage = data.draw(st.sampled_from(AWKWARD))
    skipped = data.draw(st.integers(0, 3))
    with suppress(CassetteFormatError):  # any other error fails the test
        loads((text[:at] + damage + text[at + skipped :]).encode(), path=PATH)


FAILED = Response(None, error=Failure("ReadError", "a\nb}"), ended="failed")
CLOSED = Response(200, pieces=(Piece(1, b"\xff" * 100),), ended="closed", headers_after=4)
SENT = Request("POST", "https://a.b", (("x", "a"), ("x", "b")), b'{"m":"a\\nb","n":[{}]}')
ENDS = CassetteData(
    (
        said("Hel", "lo"),
        Interaction(SENT, FAILED, "2026-11-22T10:30:00Z", "tests/a.py::b"),
        Interaction(Request("POST", "https://a.b", body=b"a=1\nb=2\n"), CLOSED),
        Interaction(Request("GET", "https://a.b"), Response(200, ended="failed")),
    ),
    "aquila-cassette 0.1.0",
)


def test_a_file_cut_off_anywhere_is_refused_unless_it_is_whole_so_far() -> None:
    whole = encode(ENDS)
    assert loads(whole, path=PATH) == ENDS
    for end in range(len(whole)):
        try:
            cassette = loads(whole[:end], path=PATH)
        except CassetteFormatError:
            continue
        # Between two interactions a shorter cassette looks the same.
        count = len(cassette.interactions)
        assert count > 0
        assert cassette.interactions == ENDS.interactions[:count]
        assert whole[end:].lstrip(b"\n").startswith((b"- re", b"error: null"))


def test_the_marks_of_a_merge_conflict_are_named_with_their_lines() -> None:
    sides = "<<<<<<< HEAD\n    url: https://a.b\n=======\n    url: https://c.d\n>>>>>>> other\n"
    error = refusal(edited("    url: https://a.b\n", sides))
    assert str(error).splitlines() == [
        "cassettes/x.yaml, line 6: git's marks of a merge conflict are in lines 6, 8, 10.",
        (
            "Fix: take one side (git checkout --ours -- cassettes/x.yaml, or --theirs), "
            "or delete these lines where whole interactions are on both sides"
        ),
    ]
    inside = edited("      data: 1\n", "      <<<<<<< HEAD\n      =======\n      data: 1\n")
    assert loads(inside.replace("5+9", "5+30").encode(), path=PATH)
