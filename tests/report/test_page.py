"""The file itself: sealed, whole, and the data in it what was put there."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.report.page import ReportFile, as_json, render_page
from tests.report.conftest import ABOUT, CHROMIUM


class Reader(HTMLParser):
    """Reads the elements that hold text as a browser does."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: dict[str, str] = {}
        self.policy = ""
        self._in = ""
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.names.append(tag)
        self._in = named.get("id") or tag
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.texts[self._in] = self.texts.get(self._in, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


PLAIN = Reader(b"".join(render_page([], about=ABOUT)))


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_only_its_own_script_and_style_may_run_and_nothing_may_be_fetched() -> None:
    directives = dict(part.strip().split(" ", 1) for part in PLAIN.policy.split(";"))
    assert directives == {
        "default-src": "'none'",
        "script-src": f"'{digest(PLAIN.texts['script'])}'",
        "style-src": f"'{digest(PLAIN.texts['style'])}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


TEXTS = st.text(st.characters(exclude_characters="\x00"), max_size=60) | st.sampled_from(
    ["</script>", "</SCRIPT ", "<!--<script", "]]>", "\u2028\u2029", "\ud800", "&lt;", "{{data}}"]
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_whatever_is_in_a_cassette_comes_out_of_the_page_as_data(said: list[str]) -> None:
    short: dict[str, Any] = {"name": said[0], "path": said[-1], "bytes": 1, "interactions": []}
    html = render_page(
        [
            ReportFile(short, [as_json({"texts": said})]),
            ReportFile({**short, "error": said[0]}, None),
        ],
        about=ABOUT,
    )
    read = Reader(b"".join(html))
    assert read.names == [*PLAIN.names[:-1], "script", "script"]
    assert not re.search("[<>&\u2028\u2029]", read.texts["cassette-0"] + read.texts["report"])
    # Each character is itself or, where nobody would see it, one other.
    shown = json.loads(read.texts["cassette-0"])[0]["texts"]
    for text, visible in zip(said, shown, strict=True):
        assert len(visible) == len(text)
        changed = [one for one, other in zip(text, visible, strict=True) if one != other]
        assert not any(map(str.isprintable, changed))
        assert not re.search(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", visible
        )
    assert "cassette-1" not in read.texts
    assert json.loads(read.texts["report"])["cassettes"][1]["error"] == shown[0]


def test_the_page_is_tried_in_a_browser() -> None:
    if CHROMIUM is None:
        pytest.skip("there is no chromium: test_browsing, test_hostile and test_playing do not run")
