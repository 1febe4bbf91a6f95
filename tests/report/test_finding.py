"""Search, filters, links and keys: how one gets about a shelf."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from aquila_cassette.report.shelf import Entry
from tests.cli.conftest import Lay
from tests.report.conftest import Show, texts


def rows(page: Page) -> list[str]:
    return [re.sub(r"\s*\n\s*", " | ", text.strip()) for text in texts(page, ".row")]


@pytest.fixture
def shelf(show: Show, lay: Lay) -> Callable[..., Page]:
    """A shelf of six."""
    lay("chat", "weather/asks")
    for tape in ("closed", "damaged", "failed", "gemini", "ollama"):
        lay(tape)
    return show


def test_the_list_has_each_cassette_folder_by_folder(shelf: Show) -> None:
    page = shelf()
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


def test_a_search_finds_whatever_was_said_or_named(shelf: Show) -> None:
    page = shelf()
    chat = "asks | gpt-4o-mini | openai"
    gemini = "gemini | gemini-2.5-flash | gemini"
    for query, found in {
        "CELSIUS": [f"{chat} | In Celsius, please."],
        "warm please": [f"{chat} | Is it warm in Paris?"],
        "get_weather": [f'{chat} | get_weather {{"city":"Paris"}}'],
        "test_paris": [f"{chat} | tests/test_weather.py::test_paris"],
        '"left one"': ["closed | claude-sonnet-5-5 | anthropic | The left one?"],
        '"left one" "le': ["closed | claude-sonnet-5-5 | anthropic | The left one?"],
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
        "zebra": [],
    }.items():
        page.fill("#query", query)
        assert rows(page) == found, query
    page.fill("#query", "paris")
    assert texts(page, "#found") == ["1 interaction in 1 of 6 cassettes"]
    assert texts(page, "mark") == ["Paris"]


def test_what_is_found_is_marked_in_the_conversation_and_unfolded(shelf: Show, lay: Lay) -> None:
    path = lay("chat", "long")
    path.write_text(path.read_text().replace("Be brief.", "Be brief. " * 400 + "Zebra!"))
    page = shelf("#long/1")
    marked = """[...(CSS.highlights.get("found") ?? [])].map((range) => range.toString())"""
    assert page.evaluate(marked) == []
    page.fill("#query", "zebra 18")
    assert page.evaluate(marked) == ["Zebra", "18", "18", "18"]
    assert page.locator(".folded.open").count() == 1
    page.get_by_role("searchbox").press("Escape")
    assert page.evaluate(marked) == []
    assert texts(page, "#found") == ["7 cassettes, 8 interactions"]


def test_nothing_found_says_so_and_can_be_taken_back(shelf: Show) -> None:
    page = shelf()
    page.fill("#query", "zebra")
    assert texts(page, "#rows .nothing p") == ["Nothing matches zebra."]
    page.get_by_role("button", name="Clear search and filters").click()
    assert len(rows(page)) == 6
    assert page.input_value("#query") == ""


def test_filters_leave_what_fits_all_of_their_kinds(shelf: Show) -> None:
    page = shelf()
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


def test_a_part_of_the_overview_filters_the_list(shelf: Show) -> None:
    page = shelf()
    page.get_by_role("button", name="closed 1").last.click()
    assert [row.partition(" | ")[0] for row in rows(page)] == ["closed"]
    pressed = page.locator(".chip[aria-pressed=true]").all_inner_texts()
    assert [re.sub(r"\s", "", text) for text in pressed] == ["closed1"]


def test_a_link_leads_to_a_cassette_and_one_of_its_interactions(shelf: Show) -> None:
    page = shelf()
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
        page.locator(".row", has_text=name.rpartition("/")[2]).filter(
            has=page.get_by_title(name, exact=True)
        ).click()
        assert texts(page, "h1") == [name]
        page.reload()
        assert texts(page, "h1") == [name]


def test_keys_walk_through_all_interactions(shelf: Show) -> None:
    page = shelf()
    seen = []
    for _ in range(9):
        page.keyboard.press("j")
        seen.append(page.evaluate("location.hash"))
    assert seen == [
        "#closed/1",
        "#damaged/1",
        "#failed/1",
        "#failed/2",
        "#failed/3",
        "#gemini/1",
        "#ollama/1",
        "#weather/asks/1",
        "#weather/asks/1",
    ]
    back = []
    for _ in range(8):
        page.keyboard.press("k")
        back.append(page.evaluate("location.hash"))
    assert back == [*seen[6::-1], "#closed/1"]
    page.keyboard.press("h")
    assert texts(page, "h1") == ["cassettes"]


def test_a_row_that_was_opened_by_the_keyboard_keeps_the_focus(shelf: Show) -> None:
    page = shelf()
    page.locator(".row", has_text="gemini").focus()
    page.keyboard.press("Enter")
    assert texts(page, "h1") == ["gemini"]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert texts(page, "h1") == ["ollama"]


def test_from_the_search_one_goes_on_to_what_was_found(shelf: Show) -> None:
    page = shelf()
    page.keyboard.press("/")
    page.keyboard.type("paris")
    page.keyboard.press("Enter")
    assert texts(page, "h1") == ["weather/asks"]
    page.keyboard.press("t")  # a letter is a key again, and no more text
    assert page.input_value("#query") == "paris"


def test_the_keys_are_listed(shelf: Show) -> None:
    page = shelf("#closed/1")
    page.keyboard.press("?")
    assert "play or pause" in page.locator("dialog").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.evaluate("location.hash") == "#closed/1"


def test_the_link_of_an_interaction_is_copied(shelf: Show) -> None:
    page = shelf("#failed/2")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    page.get_by_title("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def many(lay: Lay, number: int) -> list[Entry]:
    """One cassette, under many names."""
    entry = Entry.of(lay("chat"), Path("cassettes"))
    return [
        Entry({**entry.short, "name": f"folder{place // 50}/cassette{place}"}, entry.full)
        for place in range(number)
    ]


def test_of_500_tapes_only_those_in_sight_are_on_the_page(show: Show, lay: Lay) -> None:
    page = show(found=many(lay, 500))
    assert texts(page, "#found") == ["500 cassettes, 500 interactions"]
    assert 8 < page.locator(".row").count() < 40
    assert page.locator(".row", has_text="tape499").count() == 0
    page.locator("#rows").evaluate("(box) => { box.scrollTop = box.scrollHeight }")
    page.locator(".row", has_text="tape499").click()
    assert texts(page, "h1") == ["folder9/tape499"]
    assert page.locator(".row").count() < 40
    page.keyboard.press("k")
    assert texts(page, "h1") == ["folder9/tape498"]


def test_a_link_into_a_long_list_brings_its_row_into_sight(show: Show, lay: Lay) -> None:
    page = show("#folder5/tape250/1", found=many(lay, 500))
    row = page.locator(".row[aria-current=page]")
    assert row.inner_text().startswith("tape250")
    box, side = row.bounding_box(), page.locator("#rows").bounding_box()
    assert box is not None
    assert side is not None
    assert side["y"] < box["y"] < side["y"] + side["height"]
    page.fill("#query", "tape25")
    assert len(rows(page)) == 11
