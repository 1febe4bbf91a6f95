"""What one sees of a shelf: conversations, ends, errors, the overview."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import TAPES, Lay
from tests.report.conftest import Show, texts


def test_a_conversation_is_shown_as_chat(show: Show, lay: Lay) -> None:
    lay("chat", "weather.asks")
    page = show("#weather.asks/1")
    assert page.title() == "weather.asks · aquila cassette"
    assert texts(page, "h1") == ["weather.asks"]
    messages = [re.split(r"\n+", text) for text in texts(page, ".message")]
    assert messages == [
        ["system", "Be brief."],
        ["user", "Is it warm in Paris?", "In Celsius, please."],
        ["assistant", "get_weather", "{", '  "city": "Paris"', "}"],
        ["tool", "result", "18 degrees"],
        [
            "answer",
            "gpt-4o-mini-2024-07-18",
            "It is 18 °C.",
            "complete",
            "stop",
            "21 prompt tokens",
            "6 completion tokens",
            "27 total tokens",
        ],
    ]
    assert texts(page, ".badges > .badge") == ["gpt-4o-mini", "OpenAI chat completions", "200 OK"]
    assert texts(page, ".badges > .when") == [
        "recorded 6 years ago",
        "by tests/test_weather.py::test_paris",
    ]


def test_the_details_are_there_when_they_are_opened(show: Show, lay: Lay) -> None:
    lay("chat")
    page = show("#chat/1")
    assert texts(page, ".section summary span") == ["Tools", "Settings", "Headers", "Wire"]
    assert texts(page, ".section .inside") == []
    for summary in page.locator(".section summary").all():
        summary.click()
    tools, settings, headers, wire = texts(page, ".section .inside")
    assert tools == "get_weather(city, unit?)"
    assert settings == "stream: true\nstream_options: {include_usage: true}"
    assert "received\ncontent-type\ntext/event-stream; charset=utf-8" in headers
    assert wire.startswith('300 ms\n155 B\ndata: {"id":"1","object":"chat.completion.chunk"')


@pytest.mark.parametrize(
    ("link", "badges", "answer"),
    [
        ("#failed/1", ["200 OK", "failed"], "One, two\nfailed: ReadError: [Errno 104]"),
        ("#failed/2", ["429 Too Many Requests"], "the provider's error\nRate limit reached."),
        ("#failed/3", ["no answer", "failed"], "failed: ConnectError: [Errno 111]"),
        ("#closed/1", ["200 OK", "closed"], 'thought\nThe left one?\nlook\n{"where": "le\nclosed'),
    ],
)
def test_how_an_answer_ended_is_told(
    show: Show, lay: Lay, link: str, badges: list[str], answer: str
) -> None:
    lay("failed")
    lay("closed")
    page = show(link)
    assert texts(page, ".badges > .badge")[-len(badges) :] == badges
    (shown,) = texts(page, ".answer")
    assert answer in re.sub(r"\n+", "\n", shown)


def test_images_are_named_and_answers_that_are_no_models_are_shown(show: Show, lay: Lay) -> None:
    lay("gemini")
    lay("plain")
    page = show("#gemini/1")
    assert texts(page, ".message.user .part") == ["image/png, 18 B"]
    page.goto(page.url.replace("#gemini", "#plain"))
    assert texts(page, ".answer .body") == ['temperature: 18\nsky: [blue, "no"]']


def test_a_long_text_is_folded_until_it_is_wanted(show: Show, lay: Lay) -> None:
    path = lay("chat")
    path.write_text(path.read_text().replace("Be brief.", "Be brief. " * 400))
    page = show("#chat/1")
    height = page.evaluate("document.querySelector('.system .folded').offsetHeight")
    page.get_by_role("button", name="Show all 3,999 characters").click()
    assert page.evaluate("document.querySelector('.system .folded').offsetHeight") > height
    page.get_by_role("button", name="Show less").click()
    assert page.evaluate("document.querySelector('.system .folded').offsetHeight") == height


def test_a_long_history_is_folded_to_its_last_turns(show: Show, lay: Lay) -> None:
    path = lay("chat")
    more = "".join(
        f"      - {{role: {role}, content: turn {number}}}\n"
        for number in range(10)
        for role in ("user", "assistant")
    )
    path.write_text(path.read_text().replace("      messages:\n", f"      messages:\n{more}"))
    page = show("#chat/1")
    assert texts(page, ".earlier summary") == ["14 earlier messages"]
    assert texts(page, ".message .words")[:2] == ["turn 7", "turn 7"]
    page.locator(".earlier summary").click()
    assert texts(page, ".message .words")[:2] == ["turn 0", "turn 0"]


def test_a_file_that_cannot_be_read_is_listed_with_its_error(show: Show, lay: Lay) -> None:
    lay("damaged")
    lay("plain")
    page = show()
    assert texts(page, ".row .facts") == ["cannot be read", "example.org"]
    page.locator(".row", has_text="damaged").click()
    (said,) = texts(page, ".card.failed")
    assert said == (
        "This file cannot be read\n\n"
        "cassettes/damaged.yaml, line 6: 'ended' is not what it must be.\n\n"
        "  expected: one of complete, closed, failed\n"
        "  got:      'perhaps'\n"
        "Fix: make it one of complete, closed, failed"
    )
    assert not page.locator("#deck").is_visible()


def test_the_overview_says_how_much_there_is_and_what_is_worth_a_look(show: Show, lay: Lay) -> None:
    for tape in ("chat", "closed", "damaged", "failed", "plain"):
        lay(tape)
    page = show()
    assert page.title() == "cassettes · aquila cassette"
    size = sum(path.stat().st_size for path in Path("cassettes").iterdir())
    assert texts(page, ".tile")[:2] == [
        f"5\ncassettes\n{size / 1000:.1f} kB",
        "6\ninteractions\n2 streamed",
    ]
    assert texts(page, ".panel h2") == [
        "How they ended",
        "Who answered",
        "Cut short, failed, refused or unreadable",
        "Latest recordings",
    ]
    assert texts(page, ".panel .key")[:4] == [
        "complete\n2",
        "failed\n2",
        "closed\n1",
        "HTTP error\n1",
    ]
    worth = page.locator(".panel", has_text="Cut short").locator(".entry")
    assert [one.split("\n")[0] for one in worth.all_inner_texts()] == [
        "damaged",
        "closed",
        "failed",
        "failed",
        "failed",
    ]
    worth.nth(3).click()
    assert page.url.endswith("#failed/2")


def test_a_shelf_without_cassettes_says_how_to_make_one(show: Show) -> None:
    Path("cassettes").mkdir()
    page = show()
    (said,) = texts(page, ".nothing")
    assert said.startswith("No cassettes here yet\n")
    assert "def test_reply(cassette):" in said


def test_a_cassette_without_interactions_says_so(show: Show) -> None:
    Path("cassettes").mkdir()
    Path("cassettes/new.yaml").write_text("version: 1\ninteractions: []\n")
    page = show("#new/1")
    assert texts(page, ".nothing h2") == ["This cassette holds no interactions."]


def test_the_only_cassette_is_opened_at_once(show: Show, lay: Lay) -> None:
    lay("plain")
    assert texts(show(), "h1") == ["plain"]


def test_it_is_light_or_dark_as_the_system_is_unless_somebody_chose(show: Show, lay: Lay) -> None:
    lay("chat")
    page = show("#chat/1")

    def paper() -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    light = paper()
    page.emulate_media(color_scheme="dark")
    dark = paper()
    assert dark < 120 < 700 < light
    page.get_by_role("button", name="Theme: as the system (t)").click()
    assert paper() == light
    page.keyboard.press("t")
    assert paper() == dark
    page.emulate_media(color_scheme="light")
    assert paper() == dark
    page.reload()
    assert paper() == dark
    page.get_by_role("button", name="Theme: dark (t)").click()
    assert paper() == light


def test_on_a_narrow_screen_the_list_comes_when_it_is_asked_for(show: Show, lay: Lay) -> None:
    lay("chat")
    lay("plain")
    page = show("#chat/1")
    page.set_viewport_size({"width": 400, "height": 800})
    assert not page.locator(".row").first.is_visible()
    page.get_by_role("button", name="Show the list").click()
    page.locator(".row", has_text="plain").click()
    assert texts(page, "h1") == ["plain"]
    assert page.locator("#app.listing").count() == 0


def test_on_paper_a_cassette_is_whole(show: Show, lay: Lay) -> None:
    lay("failed")
    page = show("#failed/2")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert texts(page, ".ordinal") == [f"Interaction {number} of 3" for number in (1, 2, 3)]
    assert [text.split("\n")[0] for text in texts(page, ".answer")] == [
        "answer",
        "429 Too Many Requests",
        "no answer came",
    ]
    assert page.locator(".timeline:visible").count() == 1
    assert texts(page, "#deck, .side") == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert len(texts(page, ".answer")) == 1
    assert page.pdf().startswith(b"%PDF")


def test_all_that_can_be_pressed_has_a_name(show: Show, lay: Lay) -> None:
    for tape in ("chat", "failed", "damaged"):
        lay(tape)
    for link in ("", "#chat/1", "#failed/2"):
        page = show(link)
        page.keyboard.press("f")
        nameless = page.evaluate(
            """[...document.querySelectorAll("button, a, input, summary")].filter((node) =>
              !(node.textContent.trim() || node.getAttribute("aria-label") || node.title ||
                node.labels?.[0]?.textContent.trim())).map((node) => node.outerHTML)"""
        )
        assert nameless == []


def test_a_tape_in_a_folder_elsewhere_is_named_from_there(show: Show) -> None:
    shutil.copytree(TAPES, "other/deep")
    page = show("#deep/plain/1", place="other")
    assert texts(page, "h1") == ["deep/plain"]
    assert texts(page, "h3.folder") == ["deep/"]
