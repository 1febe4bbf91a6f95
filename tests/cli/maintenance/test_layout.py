"""How files are laid out, and what is mended of it: nothing on a cassette changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette import importers
from aquila_cassette.cli.maintenance.layout import bare, comments, layout, relaid
from aquila_cassette.cli.maintenance.mending import mend
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.errors import CassetteSaveError
from aquila_cassette.model import CassetteData
from aquila_cassette.storage.format import dumps, loads
from tests.cli.maintenance.tapes import lay, text
from tests.storage.draws import tapes

PATH = Path("x.yaml")
notes = st.sampled_from(["", "", "# mine", "#", "# sse: |+", "   # far in"])


def sheet(content: str) -> Sheet:
    return Sheet(PATH, content.encode(), loads(content.encode(), path=PATH))


@given(tapes, st.data())
@settings(max_examples=25, deadline=None)
def test_notes_and_blank_lines_are_all_that_the_bare_text_lacks(
    tape: CassetteData, data: st.DataObject
) -> None:
    written = dumps(tape)
    assert bare(written) == written
    assert comments(written) == []
    items = written.split("- recorded_at: ")
    noted = items[0] + "".join(
        f"{note.strip()}\n- recorded_at: {item}" if note else f"- recorded_at: {item}"
        for item in items[1:]
        for note in [data.draw(notes)]
    )
    try:
        same = loads(noted.encode(), path=PATH).interactions
    except Exception:  # the body of the one before it held what looks like an interaction
        return
    if same != loads(written.encode(), path=PATH).interactions:
        return
    assert bare(noted) == written
    assert list(layout(sheet(noted))) == []


@given(tapes)
@settings(max_examples=25, deadline=None)
def test_a_tape_as_it_is_written_needs_no_mending(tape: CassetteData) -> None:
    written = sheet(dumps(tape))
    assert written.is_as_written
    assert list(layout(written)) == []


HAND = """\
# our first cassette
version: 1
interactions:

# about the weather
- request: {method: GET, url: "https://a.example/weather"}
  response: {status: 200, json: {"sky": blue}, ended: complete}  # it is always blue
- request: {method: GET, url: "https://a.example/snow"}
  response: {status: 204, ended: complete}
"""


def test_what_is_mended_keeps_its_comments_or_stays() -> None:
    mended = relaid(sheet(HAND))
    assert mended == HAND.replace(
        """\
- request: {method: GET, url: "https://a.example/snow"}
  response: {status: 204, ended: complete}
""",
        """\
- request:
    method: GET
    url: https://a.example/snow
  response:
    status: 204
    ended: complete
""",
    )


def test_where_a_comment_stands_in_the_way_it_is_said() -> None:
    (one,) = layout(sheet(HAND))
    assert one.fix == "comments stand in it: lay it out by hand"


@given(tapes, st.sampled_from(["    ended: ", "  request:\n", "    status: "]))
@settings(max_examples=25, deadline=None)
def test_mending_changes_nothing_that_is_on_the_tape(tape: CassetteData, where: str) -> None:
    changed = dumps(tape).replace(where, where.replace(":", ":  ", 1))
    try:
        before = sheet(changed)
    except Exception:  # it stood in a body, too, whose length it changed
        return
    mended = relaid(before)
    assert mended is not None
    assert loads(mended.encode(), path=PATH) == before.tape
    assert list(layout(sheet(mended))) == []


def test_a_file_is_mended_in_place_and_keeps_its_line_ends(tmp_path: Path) -> None:
    good = text()
    bad = good.replace("method: POST", 'method: "POST"').replace("\n", "\r\n")
    path = lay(tmp_path / "chat.yaml", bad)
    before = importers.load(path)
    assert mend(Sheet.of(path)) is not None
    assert path.read_bytes() == good.replace("\n", "\r\n").encode()
    assert importers.load(path) == before
    assert [one.name for one in tmp_path.iterdir()] == ["chat.yaml"]


def test_a_file_that_was_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    path = lay(tmp_path / "chat.yaml", text().replace("method: POST", 'method: "POST"'))
    read = Sheet.of(path)
    path.write_text("something else")
    with pytest.raises(CassetteSaveError) as caught:
        mend(read)
    assert str(caught.value) == (
        f"{path} was changed while it was looked at.\nNothing was written. Run the command again"
    )
    assert path.read_text() == "something else"
