"""Secrets taken out of cassettes: all of them, nothing else, and none is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.cli.maintenance.masked import difference
from aquila_cassette.cli.maintenance.scrubbing import scrubbed
from aquila_cassette.cli.maintenance.secrets import secrets
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage.format import as_read, dumps, loads
from tests.cli.maintenance.tapes import chat, text
from tests.redaction.test_properties import KINDS, TEXTS

KEY = "sk-ant-api03-abcdefghijklmnop"
PATH = Path("chat.yaml")
RULES = Redaction(names=["tenant"])
SECRETS = [KEY, "hunter2-hunter2", "correct-horse-9"]
words = st.lists(st.sampled_from([*SECRETS, "Bearer ", "a", " ", "\n", '"', "=", "x"]), max_size=9)
texts = words.map("".join)


def sheet(content: str) -> Sheet:
    return Sheet(PATH, content.encode(), loads(content.encode(), path=PATH))


@st.composite
def tapes(draw: st.DrawFn) -> str:
    """Give the text of a cassette with secrets in all places, and notes."""
    items = []
    for _ in range(draw(st.integers(1, 3))):
        headers = (("content-type", draw(KINDS)), ("x-mine", draw(texts)))
        body = draw(TEXTS | texts)
        items.append(
            Interaction(
                Request("POST", f"https://a.example/{draw(TEXTS)}", headers, body.encode()),
                Response(
                    200,
                    headers[:1],
                    (Piece(0, draw(TEXTS | texts).encode()),),
                    ended="failed",
                    error=Failure("X", draw(texts)),
                ),
                "2026-11-22T10:30:00Z",
                draw(st.none() | texts),
            )
        )
    written = dumps(CassetteData(tuple(map(as_read, items)), "aquila-cassette 0.1.0"))
    note = draw(st.sampled_from(["", f"# {KEY}\n", "# mine\n"]))
    return written.replace("interactions:\n", f"interactions:\n{note}", 1)


@given(tapes())
@settings(max_examples=50, deadline=None)
def test_what_was_scrubbed_has_no_secret_left_and_reads_back(content: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACME_TOKEN", "hunter2-hunter2")
        patch.setenv("ACME_SECRET", "correct-horse-9")
        before = sheet(content)
        new = scrubbed(before, RULES)
        if new is None:
            assert list(secrets(before, RULES)) == []
            return
        after = sheet(new.text)
        assert after.tape.interactions == new.interactions
        assert list(secrets(after, RULES)) == []
        assert scrubbed(after, RULES) is None
        told = "\n".join(difference(content, new.text, names={"x-mine"}))
        found = "\n".join(one.what for one in secrets(before, RULES))
    for secret in SECRETS:
        # What looks like a key only to the eye ("ask-ant-...") is none to the rules.
        assert secret not in new.text or secret == KEY
        assert secret not in told or secret in new.text
        assert secret not in found


def test_only_the_lines_of_an_interaction_with_a_secret_change() -> None:
    other = chat(sent=b'{"n":1}')
    content = text(chat(url=f"https://a.example/?key={KEY}&n=1"), other).replace(
        "interactions:\n", "# ours\ninteractions:  # two\n# the first\n"
    )
    content = content.replace('      "n": 1\n', '      "n": 1 # one\n')
    new = scrubbed(sheet(content), Redaction())
    assert new is not None
    assert new.text == content.replace(KEY, "[redacted]")


def test_a_comment_is_scrubbed_where_it_stands() -> None:
    content = text().replace("version: 1\n", f"version: 1  # {KEY}\n")
    new = scrubbed(sheet(content), Redaction())
    assert new is not None
    assert new.text == content.replace(KEY, "[redacted]")


def test_the_difference_shows_what_is_the_same_and_how_long_a_secret_was() -> None:
    content = text(chat(url=f"https://a.example/?key={KEY}&n=1&sig=abc"))
    content = content.replace("{content-type: application/json}", "{x-own: abc, accept: a}")
    new = scrubbed(sheet(content), Redaction())
    assert new is not None
    assert "\n".join(difference(content, new.text)) == (
        "@@ -7,4 +7,4 @@\n"
        "     method: POST\n"
        "-    url: https://a.example/?key=<29 characters>&n=1&sig=<3 characters>\n"
        "-    headers: {<12 characters>accept: a}\n"
        "+    url: https://a.example/?key=[redacted]&n=1&sig=[redacted]\n"
        "+    headers: {accept: a}\n"
        "     json:"
    )


def test_of_a_header_that_goes_the_name_is_shown() -> None:
    content = text().replace(
        "    headers: {content-type: application/json}\n",
        "    headers:\n      accept: a\n      x-own: secret\n",
    )
    old = content.replace("      x-own: secret\n", "")
    assert list(difference(content, old, names={"x-own"}, context=0)) == [
        "@@ -11 +10,0 @@",
        "-      x-own: <6 characters>",
    ]
    assert list(difference(content, old, context=0))[1] == "-      <13 characters>"


def test_a_line_of_thousands_of_secrets_is_shown_in_no_time() -> None:
    old = "a: " + "x=secret, " * 5000
    new = "a: " + "x=[redacted], " * 5000
    lines = list(difference(old, new))
    assert lines[1] == "-a: x=<49996 characters>, "
