"""Recorded streams of real providers, on the page: shown and played to the last word."""

from __future__ import annotations

from aquila_cassette import Interaction, Request, Response
from aquila_cassette.dialects import read_message
from aquila_cassette.model import Piece
from aquila_cassette.report.shelf import Entry
from aquila_cassette.report.telling import in_full, in_short
from aquila_cassette.transcript.interaction import InteractionView
from tests.corpus import RECORDED, Recorded, needs_corpus
from tests.report.conftest import Show

SOME = RECORDED[::6]

# Follows each link, and gives what is said at the end, at the start, and at the end again.
WALK = """(names) => names.map((name) => {
  const link = document.body.appendChild(document.createElement("a"));
  link.href = `#${name}/1`;
  link.click();
  const said = () => [...document.querySelectorAll(".answer .said")]
    .filter((node) => !node.hidden).map((node) => node.textContent).join("");
  const press = (key) =>
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const seen = [read_message()];
  press("0");
  seen.push(read_message());
  press("End");
  return [...seen, read_message()];
})"""


def entry_of(recorded: Recorded) -> Entry:
    one = Interaction(
        Request("POST", "https://provider.example/v1"),
        Response(
            200,
            (("content-type", recorded.content_type),),
            tuple(Piece(100 + 10 * place, piece) for place, piece in enumerate(recorded.pieces)),
        ),
    )
    told = InteractionView(one)
    short = {
        "name": recorded.file,
        "path": recorded.file,
        "bytes": 1,
        "interactions": [in_short(told)],
    }
    return Entry(short, [in_full(told)])


@needs_corpus
def test_a_recorded_stream_is_shown_whole_and_plays_from_nothing_to_all(show: Show) -> None:
    page = show(found=[entry_of(one) for one in SOME])
    seen = page.evaluate(WALK, [one.file for one in SOME])
    for one, heard in zip(SOME, seen, strict=True):
        text = read_message(one.content_type, one.body).text
        assert heard == [text, "", text], one.file
