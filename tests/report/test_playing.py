"""A stream is played as it came: the clock of the page is the test's."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from aquila_cassette import Interaction, Request, Response, importers
from aquila_cassette.dialects.reading import read_message
from aquila_cassette.model import Piece
from aquila_cassette.report.page import ReportFile, as_json, detail, summarize
from aquila_cassette.sse import split
from aquila_cassette.storage import files
from aquila_cassette.transcript.interaction_text import InteractionView
from tests.cli.conftest import Lay
from tests.corpus import RECORDED, needs_corpus
from tests.dialects.streams import typed
from tests.report.conftest import Show, texts

# The cassette `chat`: "It is " came 300 ms after the request, "18 °C." at 420 ms, its end at 1000 ms.
FRAME = 17  # ms; the page draws once in so many


def whole_frames(path: Path) -> None:
    """Have each of the first pieces end where a frame does."""
    (one,) = importers.load(path).interactions
    first, second, *rest = map(len, split(one.response.body))
    pieces = f"pieces: 300+{first} 420+{second} 1000+{sum(rest)}"
    path.write_text(re.sub(r"pieces: .*", pieces, path.read_text("utf-8")), "utf-8")


def said(page: Page) -> str:
    return "".join(texts(page, ".answer .said"))


@pytest.fixture
def page(show: Show, lay: Lay) -> Page:
    whole_frames(lay("chat"))
    page = show("#chat/1")
    assert said(page) == "It is 18 °C."
    return page


def test_a_stream_plays_at_its_recorded_pace_and_ends_whole(page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    seen = {}
    for before, now in pairwise((0, 250, 350, 470, 950, 1050)):
        page.clock.run_for(now - before)
        seen[now] = said(page), page.locator(".waiting").is_visible(), texts(page, ".end .how")
    assert seen == {
        250: ("", True, []),
        350: ("It is ", False, []),
        470: ("It is 18 °C.", False, []),
        950: ("It is 18 °C.", False, []),
        1050: ("It is 18 °C.", False, ["complete"]),
    }
    assert texts(page, ".clock") == ["1.00 s\nof 1.00 s"]
    page.keyboard.press("Space")  # again, with a pause
    page.clock.run_for(350)
    page.keyboard.press("Space")
    page.clock.run_for(5000)
    assert said(page) == "It is "
    page.keyboard.press("Space")
    page.clock.run_for(120)
    assert said(page) == "It is 18 °C."


def test_it_plays_as_much_faster_or_slower_as_one_likes(page: Page) -> None:
    page.get_by_role("radio", name="¼\u00d7", exact=True).check()
    page.keyboard.press("Space")
    page.clock.run_for(3600 - FRAME)
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(400 + 2 * FRAME)
    assert page.get_by_role("button", name="Play").is_visible()


def test_the_time_line_is_dragged_to_any_moment(page: Page) -> None:
    box = page.get_by_role("slider", name="Time").bounding_box()
    assert box is not None
    for share, shown in ((0.35, "It is "), (0.1, ""), (0.6, "It is 18 °C.")):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 20)
        page.mouse.down()
        assert said(page) == shown
    page.mouse.up()
    (text,) = re.findall(r"\d+", page.locator(".clock b").inner_text())
    assert abs(int(text) - 600) < 25
    assert page.locator(".hint").inner_text() == "420 ms\npiece 2 of 3, 161 B\n18 °C."


def test_keys_step_from_piece_to_piece_and_the_facts_are_shown(page: Page) -> None:
    steps = []
    for key in ("0", "ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        page.keyboard.press(key)
        steps.append((texts(page, ".clock b")[0], said(page)))
    assert steps == [
        ("0 ms", ""),
        ("300 ms", "It is "),
        ("420 ms", "It is 18 °C."),
        ("300 ms", "It is "),
        ("1.00 s", "It is 18 °C."),
    ]
    slider = page.get_by_role("slider", name="Time")
    assert slider.get_attribute("aria-valuetext") == "1.00 s of 1.00 s"
    assert texts(page, "#player .facts > div") == [
        "first piece\n300 ms",
        "first token\n300 ms",
        "longest gap\n580 ms",
        "came\n4 events in 3 pieces, 521 B",
    ]


def test_a_cassette_without_times_plays_evenly_and_says_so(show: Show, lay: Lay) -> None:
    lay("closed")
    page = show("#closed/1")
    assert texts(page, ".axis") == ["no times in this cassette: an even pace"]
    assert texts(page, ".clock") == ["5\nof 5 pieces"]
    page.keyboard.press("Space")
    page.clock.run_for(15 * FRAME)
    assert texts(page, ".answer .thought .words") == ["The left one?"]


def test_reasoning_and_tool_calls_grow_in_their_order(show: Show) -> None:
    call = {"type": "tool_use", "name": "look"}
    events: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "Let me look."}},
        {"type": "content_block_start", "index": 1, "content_block": call},
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": '{"far": tr'}},
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": "ue}"}},
    ]
    pieces = tuple(Piece(10 * at + 10, typed(event)) for at, event in enumerate(events))
    response = Response(200, (("content-type", "text/event-stream"),), pieces)
    request = Request("POST", "https://api.anthropic.com/v1/messages")
    files.save(Path("cassettes/look.yaml"), [Interaction(request, response)])
    page = show("#look/1")
    page.keyboard.press("0")
    grown = []
    for _ in events:
        page.keyboard.press("ArrowRight")
        parts = texts(page, ".answer .thought, .answer .card")
        grown.append([re.sub(r"\n+", "\n", text) for text in parts][1:])
    assert grown == [[], [], ["look"], ['look\n{\n  "far": tr'], ['look\n{\n  "far": true\n}']]


def test_where_nothing_came_there_is_nothing_to_play(show: Show, lay: Lay) -> None:
    lay("failed")
    lay("plain")
    page = show("#failed/3")
    assert not page.locator("#player").is_visible()
    page.keyboard.press("Space")
    page.goto(page.url.replace("#failed/3", "#plain/1"))
    assert page.get_by_role("button", name="Play").is_disabled()
    page.keyboard.press("Space")
    assert "the cassette does not say when" in page.locator("#player").inner_text()


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
  const seen = [said()];
  press("0");
  seen.push(said());
  press("End");
  return [...seen, said()];
})"""


@needs_corpus
def test_a_recorded_stream_is_shown_whole_and_plays_from_nothing_to_all(show: Show) -> None:
    found = []
    for recorded in SOME:
        kind = (("content-type", recorded.content_type),)
        pieces = tuple(Piece(100 + 10 * at, data) for at, data in enumerate(recorded.pieces))
        request = Request("POST", "https://provider.example/v1")
        view = InteractionView(Interaction(request, Response(200, kind, pieces)))
        file = {"name": recorded.file, "path": recorded.file, "bytes": 1}
        found.append(
            ReportFile({**file, "interactions": [summarize(view)]}, [as_json(detail(view))])
        )
    seen = show(found=found).evaluate(WALK, [one.file for one in SOME])
    for recorded, texts_ in zip(SOME, seen, strict=True):
        text = read_message(recorded.content_type, recorded.body).text
        assert texts_ == [text, "", text], recorded.file
