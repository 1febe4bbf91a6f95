"""What one sees in the report, and how one gets about it: lists, search, filters, links, keys."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from aquila_cassette.report.page import ReportFile, load_file
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
    assert texts(page, ".tile")[1] == "6\ninteractions\n2 streamed"
    ends = ["complete\n2", "failed\n2", "closed\n1", "HTTP error\n1"]
    assert texts(page, ".panel .key")[:4] == ends
    worth = page.locator(".panel", has_text="Cut short").locator(".entry")
    names = [one.split("\n")[0] for one in worth.all_inner_texts()]
    assert names == ["damaged", "closed", "failed", "failed", "failed"]
    worth.nth(3).click()
    assert page.url.endswith("#failed/2")
    page.locator(".row", has_text="damaged").click()
    (said,) = texts(page, ".card.failed")
    assert said.startswith(
        "This file cannot be read\n\ncassettes/damaged.yaml, line 6: 'ended' has"
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
    page.reload()
    assert paper() == dark


def test_on_paper_a_cassette_is_whole(show: Show, lay: Lay) -> None:
    lay("failed")
    page = show("#failed/2")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert texts(page, ".ordinal") == [f"Interaction {number} of 3" for number in (1, 2, 3)]
    assert texts(page, "#player, .side") == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert len(texts(page, ".answer")) == 1


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


def rows(page: Page, selector: str = ".row") -> list[str]:
    return [re.sub(r"\s*\n\s*", " | ", text.strip()) for text in texts(page, selector)]


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
    page.locator(".row", has_text="failed").click()
    assert rows(page) == [
        "closed | claude-sonnet-5-5 | anthropic",
        "damaged | cannot be read",
        "failed | llama | groq | 3\u00d7",
        "1 | POST /openai/v1/chat/completions",
        "2 | POST /openai/v1/chat/completions",
        "3 | GET /openai/v1/models",
        "gemini | gemini-2.5-flash | gemini",
        "ollama | llama3.2 | ollama",
        "asks | gpt-4o-mini | openai",
    ]
    assert texts(page, "h3.folder") == ["weather/"]


def test_a_search_finds_whatever_was_said_or_named(six: Show) -> None:
    page = six()
    chat = "asks | gpt-4o-mini | openai"
    for query, found in {
        "CELSIUS": [f"{chat} | In Celsius, please."],
        "warm please": [f"{chat} | Is it warm in Paris?"],
        "get_weather": [f'{chat} | get_weather {{"city":"Paris"}}'],
        "test_paris": [f"{chat} | tests/test_weather.py::test_paris"],
        '"left one"': ["closed | claude-sonnet-5-5 | anthropic | The left one?"],
        "d.t": [],
        "weather/": [chat],
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
    assert len(rows(page)) == 6


def test_a_long_text_is_folded_until_it_is_wanted_or_found_and_marked(six: Show, lay: Lay) -> None:
    path = lay("chat", "long")
    path.write_text(path.read_text().replace("Be brief.", "Be brief. " * 400 + "Zebra!"))
    page = six("#long/1")
    height = "document.querySelector('.system .folded').offsetHeight"
    folded = page.evaluate(height)
    page.get_by_role("button", name="Show all 4,006 characters").click()
    assert page.evaluate(height) > folded
    page.get_by_role("button", name="Show less").click()
    marked = """[...(CSS.highlights.get("found") ?? [])].map((range) => range.toString())"""
    assert (page.evaluate(height), page.evaluate(marked)) == (folded, [])
    page.fill("#query", "zebra 18")
    assert page.evaluate(marked) == ["Zebra", "18", "18", "18"]
    assert page.locator(".folded.open").count() == 1


def test_filters_leave_what_fits_all_of_their_kinds(six: Show) -> None:
    page = six()
    page.keyboard.press("f")
    for chips, names in {
        "openai anthropic": ["closed", "asks"],
        "llama": ["failed"],
        "unreadable": ["damaged"],
        "HTTP_error": ["failed"],
        "no_answer": ["failed"],
        "complete openai": ["asks"],
        "closed openai": [],
    }.items():
        pressed = [page.get_by_text(chip.replace("_", " "), exact=True) for chip in chips.split()]
        chips_found = [page.locator(".chip").filter(has=one) for one in pressed]
        for chip in chips_found:
            chip.click()
        shown = [row.partition(" | ")[0] for row in rows(page)]
        assert [name for name in shown if not name.isdigit()] == names, chips
        for chip in chips_found:
            chip.click()
        assert len(rows(page)) == 6


def test_a_link_leads_to_a_cassette_and_one_of_its_interactions(six: Show) -> None:
    page = six()
    address = page.url
    for link, heading, current in (
        ("#weather/asks/1", "weather/asks", ["asks | gpt-4o-mini | openai"]),
        ("#weather%2Fasks", "weather/asks", ["asks | gpt-4o-mini | openai"]),
        ("#failed/77", "failed", ["3 | GET /openai/v1/models"]),
        ("#damaged/1", "damaged", ["damaged | cannot be read"]),
        ("#%E0%A4/1", "%E0%A4/1", []),
        ("#constructor", "constructor", []),
        ("#", "cassettes", []),
    ):
        page.goto(address + link)
        page.reload()
        assert texts(page, "h1") == [heading], link
        assert rows(page, ".row[aria-current=page]") == current, link


def test_a_name_that_no_link_could_hold_is_linked_to_all_the_same(show: Show, lay: Lay) -> None:
    names = ["100% {a} [b]", "für/ß ü", "a#b&c=d+e", "x/1", "x"]
    for name in names:
        lay("plain", name)
    page = show()
    for name in names:
        page.goto(page.url.partition("#")[0])
        page.locator(".row").filter(has=page.get_by_title(name, exact=True)).click()
        page.reload()
        assert texts(page, "h1") == [name]


def test_keys_walk_through_all_interactions_search_help_and_copy_the_link(six: Show) -> None:
    page = six()
    forth = ["closed/1", "damaged/1", "failed/1", "failed/2", "failed/3", "gemini/1", "ollama/1"]
    for key, expected in (("j", forth), ("k", [*reversed(forth[:-1]), "closed/1"])):
        for link in expected:
            page.keyboard.press(key)
            assert page.evaluate("location.hash") == f"#{link}"
    page.keyboard.press("?")
    assert "play or pause" in page.locator("dialog").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert page.evaluate("location.hash") == "#closed/1"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    page.get_by_title("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
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
    page = show("#folder5/cassette250/1", found=found)
    assert texts(page, "#found") == ["500 cassettes, 500 interactions"]
    assert 8 < page.locator(".row").count() < 40
    assert page.locator(".row[aria-current=page]").inner_text().startswith("cassette250")
    page.locator("#rows").evaluate("(box) => { box.scrollTop = box.scrollHeight }")
    page.locator(".row", has_text="cassette499").click()
    assert texts(page, "h1") == ["folder9/cassette499"]
    assert page.locator(".row").count() < 40
