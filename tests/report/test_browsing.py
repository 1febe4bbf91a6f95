"""What one sees in the report, and how one gets about it: lists, search, filters, links, keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from aquila_cassette.report import ReportFile, load_file
from tests.cli.conftest import Lay
from tests.report.conftest import Show, texts


def test_a_conversation_is_shown_as_chat_with_details_to_open(show: Show, lay: Lay) -> None:
    lay("chat", "weather.asks")
    page = show("#weather.asks/1")
    assert page.title() == "weather.asks · aquila cassette"
    assert texts(page, "h1") == ["weather.asks"]
    usage = "21 prompt tokens|6 completion tokens|27 total tokens"
    messages = [re.sub(r"\n+", "|", text) for text in texts(page, ".message")]
    assert messages == [
        "system|Be brief.",
        "user|Is it warm in Paris?|In Celsius, please.",
        'assistant|get_weather|{|  "city": "Paris"|}',
        "tool|result|18 degrees",
        f"answer|gpt-4o-mini-2024-07-18|It is 18 °C.|complete|stop|{usage}",
    ]
    assert texts(page, ".badges > .badge") == ["gpt-4o-mini", "OpenAI chat completions", "200 OK"]
    provenance = ["recorded 6 years ago", "by tests/test_weather.py::test_paris"]
    assert texts(page, ".badges > .when") == provenance
    assert texts(page, ".section summary span") == ["Tools", "Settings", "Headers", "Wire"]
    assert texts(page, ".section .inside") == []
    for summary in page.locator(".section summary").all():
        summary.click()
    page.locator(".section .inside").nth(3).wait_for()
    tools, settings, headers, wire = texts(page, ".section .inside")
    assert tools == "get_weather(city, unit?)"
    assert settings == "stream: true\nstream_options: {include_usage: true}"
    assert "received\ncontent-type\ntext/event-stream; charset=utf-8" in headers
    assert wire.startswith('300 ms\n155 B\ndata: {"id":"1","object":"chat.completion.chunk"')


def test_how_an_answer_ended_is_shown(show: Show, lay: Lay) -> None:
    lay("failed")
    lay("closed")
    page = show()
    for link, badges, answer in (
        ("#failed/1", ["200 OK", "failed"], "One, two\nfailed: ReadError: [Errno 104]"),
        ("#failed/2", ["429 Too Many Requests"], "the provider's error\nRate limit reached."),
        ("#failed/3", ["no answer", "failed"], "failed: ConnectError: [Errno 111]"),
        ("#closed/1", ["200 OK", "closed"], 'thought\nThe left one?\nlook\n{"where": "le\nclosed'),
    ):
        page.goto(page.url.partition("#")[0] + link)
        assert texts(page, ".badges > .badge")[-len(badges) :] == badges
        (shown,) = texts(page, ".answer")
        assert answer in re.sub(r"\n+", "\n", shown)


def test_the_overview_says_how_much_there_is_and_what_is_worth_a_look(show: Show, lay: Lay) -> None:
    for name in ("chat", "closed", "damaged", "failed", "plain"):
        lay(name)
    page = show()
    assert page.title() == "cassettes · aquila cassette"
    size = sum(path.stat().st_size for path in Path("cassettes").iterdir())
    assert texts(page, ".tile")[:2] == [
        f"5\ncassettes\n{size / 1000:.1f} kB",
        "6\ninteractions\n2 streamed",
    ]
    ends = ["complete\n2", "failed\n2", "closed\n1", "HTTP error\n1"]
    assert texts(page, ".panel .key")[:4] == ends
    worth = page.locator(".panel", has_text="Cut short").locator(".entry")
    names = [one.split("\n")[0] for one in worth.all_inner_texts()]
    assert names == ["damaged", "closed", "failed", "failed", "failed"]
    worth.nth(3).click()
    assert page.url.endswith("#failed/2")
    page.locator(".row", has_text="damaged").click()
    (said,) = texts(page, ".card.failed")
    assert said == (
        "This file cannot be read\n\n"
        "cassettes/damaged.yaml, line 6: 'ended' has a wrong value.\n\n"
        "  expected: one of complete, closed, failed\n"
        "  got:      'perhaps'\n"
        "Fix: make it one of complete, closed, failed"
    )
    assert not page.locator("#player").is_visible()


def test_a_page_with_little_to_show_says_so(show: Show, lay: Lay) -> None:
    Path("cassettes").mkdir()
    (text,) = texts(show(), ".nothing")
    assert text.startswith("No cassettes here yet\n")
    assert "def test_reply(cassette):" in text
    Path("cassettes/new.yaml").write_text("version: 1\ninteractions: []\n")
    assert texts(show("#new/1"), ".nothing h2") == ["This cassette holds no interactions."]
    assert texts(show(), "h1") == ["new"]  # the only one is opened at once


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
    page.emulate_media(color_scheme="light")
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
    assert texts(page, "#player, .side") == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert len(texts(page, ".answer")) == 1
    assert page.pdf().startswith(b"%PDF")


def test_all_that_can_be_pressed_has_a_name(show: Show, lay: Lay) -> None:
    for name in ("chat", "failed", "damaged"):
        lay(name)
    for link in ("", "#chat/1", "#failed/2"):
        page = show(link)
        page.keyboard.press("f")
        nameless = page.evaluate(
            """[...document.querySelectorAll("button, a, input, summary")].filter((node) =>
              !(node.textContent.trim() || node.getAttribute("aria-label") || node.title ||
                node.labels?.[0]?.textContent.trim())).map((node) => node.outerHTML)"""
        )
        assert nameless == []


def rows(page: Page) -> list[str]:
    return [re.sub(r"\s*\n\s*", " | ", text.strip()) for text in texts(page, ".row")]


@pytest.fixture
def six(show: Show, lay: Lay) -> Callable[..., Page]:
    """Six cassettes, one of them damaged."""
    lay("chat", "weather/asks")
    for name in ("closed", "damaged", "failed", "gemini", "ollama"):
        lay(name)
    return show


def test_the_list_has_each_cassette_folder_by_folder(six: Show) -> None:
    page = six()
    assert texts(page, "#found") == ["6 cassettes, 7 interactions"]
    assert rows(page) == [
        "closed | claude-sonnet-5-5 | anthropic",
        "damaged | cannot be read",
        "failed | llama | groq | 3\u00d7",
        "gemini | gemini-2.5-flash | gemini",
        "ollama | llama3.2 | ollama",
        "asks | gpt-4o-mini | openai",
    ]
    assert texts(page, "h3.folder") == ["weather/"]
    page.locator(".row", has_text="failed").click()
    assert rows(page)[2:6] == [
        "failed | llama | groq | 3\u00d7",
        "1 | POST /openai/v1/chat/completions",
        "2 | POST /openai/v1/chat/completions",
        "3 | GET /openai/v1/models",
    ]


def test_a_search_finds_whatever_was_said_or_named(six: Show) -> None:
    page = six()
    chat = "asks | gpt-4o-mini | openai"
    gemini = "gemini | gemini-2.5-flash | gemini"
    for query, found in {
        "CELSIUS": [f"{chat} | In Celsius, please."],
        "warm please": [f"{chat} | Is it warm in Paris?"],
        "get_weather": [f'{chat} | get_weather {{"city":"Paris"}}'],
        "test_paris": [f"{chat} | tests/test_weather.py::test_paris"],
        '"left one"': ["closed | claude-sonnet-5-5 | anthropic | The left one?"],
        "dot.": [f"{gemini} | A dot."],
        "d.t": [],
        "(": [f"{chat} | get_weather(city, unit?)"],
        "image/png": [f"{gemini} | [image/png, 18 B]"],
        "weather/": [chat],
        "perhaps": ["damaged | cannot be read"],
        "reset by peer": [
            "failed | llama | groq | 3\u00d7",
            "1 | POST /openai/v1/chat/completions | … [Errno 104] Connection reset by peer",
        ],
    }.items():
        page.fill("#query", query)
        assert rows(page) == found, query
    page.fill("#query", "paris")
    assert texts(page, "#found") == ["1 interaction in 1 of 6 cassettes"]
    assert texts(page, "mark") == ["Paris"]
    page.fill("#query", "zebra")
    assert texts(page, "#rows .nothing p") == ["Nothing matches zebra."]
    page.get_by_role("button", name="Clear search and filters").click()
    assert (len(rows(page)), page.input_value("#query")) == (6, "")


def test_a_long_text_is_folded_until_it_is_wanted_or_found_and_marked(six: Show, lay: Lay) -> None:
    path = lay("chat", "long")
    path.write_text(path.read_text().replace("Be brief.", "Be brief. " * 400 + "Zebra!"))
    page = six("#long/1")
    height = "document.querySelector('.system .folded').offsetHeight"
    folded = page.evaluate(height)
    page.get_by_role("button", name="Show all 4,006 characters").click()
    assert page.evaluate(height) > folded
    page.get_by_role("button", name="Show less").click()
    assert page.evaluate(height) == folded
    marked = """[...(CSS.highlights.get("found") ?? [])].map((range) => range.toString())"""
    assert page.evaluate(marked) == []
    page.fill("#query", "zebra 18")
    assert page.evaluate(marked) == ["Zebra", "18", "18", "18"]
    assert page.locator(".folded.open").count() == 1
    page.get_by_role("searchbox").press("Escape")
    assert page.evaluate(marked) == []
    assert texts(page, "#found") == ["7 cassettes, 8 interactions"]


def test_filters_leave_what_fits_all_of_their_kinds(six: Show) -> None:
    page = six()
    page.keyboard.press("f")
    for chips, names in {
        "openai": ["asks"],
        "openai anthropic": ["closed", "asks"],
        "llama": ["failed"],
        "failed": ["failed"],
        "unreadable": ["damaged"],
        "HTTP_error": ["failed"],
        "429": ["failed"],
        "no_answer": ["failed"],
        "complete openai": ["asks"],
        "closed openai": [],
    }.items():
        pressed = [
            page.locator(".chip").filter(has=page.get_by_text(chip.replace("_", " "), exact=True))
            for chip in chips.split()
        ]
        for chip in pressed:
            chip.click()
        shown = [row.partition(" | ")[0] for row in rows(page)]
        assert [name for name in shown if not name.isdigit()] == names, chips
        for chip in pressed:
            chip.click()
        assert len(rows(page)) == 6


def test_a_link_leads_to_a_cassette_and_one_of_its_interactions(six: Show) -> None:
    page = six()
    address = page.url
    asks = "asks | gpt-4o-mini | openai"
    for link, (heading, current) in {
        "#weather/asks/1": ("weather/asks", [asks]),
        "#weather/asks": ("weather/asks", [asks]),
        "#weather%2Fasks/1": ("weather/asks", [asks]),
        "#failed/2": ("failed", ["2 | POST /openai/v1/chat/completions"]),
        "#failed/77": ("failed", ["3 | GET /openai/v1/models"]),
        "#damaged/1": ("damaged", ["damaged | cannot be read"]),
        "#nowhere/1": ("nowhere/1", []),
        "#%E0%A4/1": ("%E0%A4/1", []),
        "#constructor": ("constructor", []),
        "#": ("cassettes", []),
    }.items():
        page.goto(address + link)
        page.reload()
        assert texts(page, "h1") == [heading], link
        here = page.locator(".row[aria-current=page]").all_inner_texts()
        assert [re.sub(r"\s*\n\s*", " | ", text.strip()) for text in here] == current, link


def test_a_name_that_no_link_could_hold_is_linked_to_all_the_same(show: Show, lay: Lay) -> None:
    names = ["100% {a} [b]", "für/ß ü", "a#b&c=d+e", "x/1", "x"]
    for name in names:
        lay("plain", name)
    page = show()
    for name in names:
        page.goto(page.url.partition("#")[0])
        page.locator(".row").filter(has=page.get_by_title(name, exact=True)).click()
        assert texts(page, "h1") == [name]
        page.reload()
        assert texts(page, "h1") == [name]


def test_keys_walk_through_all_interactions_search_help_and_copy_the_link(six: Show) -> None:
    page = six()
    numbers = ["closed/1", "damaged/1", "failed/1", "failed/2", "failed/3", "gemini/1", "ollama/1"]
    forth = [*numbers, "weather/asks/1", "weather/asks/1"]
    back = [*reversed(numbers), "closed/1"]
    for key, expected in (("j", forth), ("k", back)):
        for link in expected:
            page.keyboard.press(key)
            assert page.evaluate("location.hash") == f"#{link}"
    page.keyboard.press("?")
    assert "play or pause" in page.locator("dialog").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.evaluate("location.hash") == "#closed/1"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    page.get_by_title("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.keyboard.press("h")
    assert texts(page, "h1") == ["cassettes"]
    page.keyboard.press("/")
    page.keyboard.type("paris")
    page.keyboard.press("Enter")
    assert texts(page, "h1") == ["weather/asks"]
    page.keyboard.press("t")  # a letter is a key again, and no more text
    assert page.input_value("#query") == "paris"


def test_of_500_cassettes_only_those_in_sight_are_on_the_page(show: Show, lay: Lay) -> None:
    one = load_file(lay("chat"), "chat")
    names = [f"folder{place // 50}/cassette{place}" for place in range(500)]
    found = [ReportFile({**one.summary, "name": name}, one.details) for name in names]
    page = show(found=found)
    assert texts(page, "#found") == ["500 cassettes, 500 interactions"]
    assert 8 < page.locator(".row").count() < 40
    assert page.locator(".row", has_text="cassette499").count() == 0
    page.locator("#rows").evaluate("(box) => { box.scrollTop = box.scrollHeight }")
    page.locator(".row", has_text="cassette499").click()
    assert texts(page, "h1") == ["folder9/cassette499"]
    assert page.locator(".row").count() < 40
    page = show("#folder5/cassette250/1", found=found)
    row = page.locator(".row[aria-current=page]")
    assert row.inner_text().startswith("cassette250")
    box: Any = row.bounding_box()
    side: Any = page.locator("#rows").bounding_box()
    assert side["y"] < box["y"] < side["y"] + side["height"]
