"""Build the page from `report/sources/` (HTML, CSS, JavaScript) and the data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.report.data import ReportFile

_STYLES = ("colours", "page", "list", "cassette", "conversation", "player", "overview", "print")
_PLAYING = ("timeline", "player")
_SCRIPTS = ("elements", "data", "conversation", *_PLAYING, "list", "cassette", "overview", "page")
# Only this very script and style run, whatever a cassette holds; nothing is fetched, sent or framed;
# and no text can be handed to the HTML parser.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

# A control character is shown by its picture, one that would reorder a line by a question mark:
# each by one other, so that places in the text stay.
_VISIBLE = {
    **{number: 0x2400 + number for number in range(0x20) if chr(number) not in "\t\n\r"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
}
# What would end the script element, break its lines, or not be written in UTF-8.
_ESCAPED = re.compile("[<>&\x7f\u2028\u2029\ufeff\ud800-\udfff]")


def render_page(entries: Sequence[ReportFile], *, about: dict[str, Any]) -> bytes:
    """Return the page; `about` has its ``place``, ``made`` (ms since 1970) and ``by``."""
    style = "".join(_source(f"{name}.css") for name in _STYLES)
    script = "".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    data = [_data("report", {**about, "cassettes": [entry.summary for entry in entries]})]
    data += [
        _data(f"cassette-{place}", entry.details)
        for place, entry in enumerate(entries)
        if entry.details is not None
    ]
    parts = {
        "policy": _POLICY.format(script=_digest(script), style=_digest(style)),
        "style": style,
        "script": script,
        "data": "\n".join(data),
    }
    html = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("page.html"))
    return html.encode()


def _source(name: str) -> str:
    return files("aquila_cassette.report").joinpath("sources", name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(name: str, value: Any) -> str:
    """Return a script element of JSON that stays data whatever the HTML parser makes of it."""
    text = json.dumps(_visible(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return f'<script type="application/json" id="{name}">{text}</script>'


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_VISIBLE)
    if isinstance(value, list):
        return [_visible(item) for item in value]
    if isinstance(value, dict):
        return {name: _visible(item) for name, item in value.items()}
    return value
