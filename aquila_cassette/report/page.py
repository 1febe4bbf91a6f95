"""Build the page from the data and `report/sources/`: `page.html`, and CSS and JavaScript for each part of it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from aquila_cassette.report.data import ReportFile, as_json

_STYLES = ("colours", "page", "list", "cassette", "conversation", "player", "overview", "print")
_PLAYING = ("timeline", "player")
_SCRIPTS = ("elements", "data", "conversation", *_PLAYING, "list", "cassette", "overview", "page")
# Only this very script and style run, whatever a cassette holds; nothing is fetched, sent or framed;
# and no text can be handed to the HTML parser.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def render_page(entries: Sequence[ReportFile], *, about: dict[str, Any]) -> bytes:
    """Return the page; `about` has its ``place``, ``made`` (ms since 1970) and ``by``."""
    style = "".join(_source(f"{name}.css") for name in _STYLES)
    script = "".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    summaries = [entry.summary for entry in entries]
    data = [_data("report", as_json({**about, "cassettes": summaries}))]
    data += [
        _data(f"cassette-{place}", f"[{','.join(entry.details)}]")
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


def _data(name: str, text: str) -> str:
    return f'<script type="application/json" id="{name}">{text}</script>'
