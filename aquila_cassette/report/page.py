"""Make the page: the data of each cassette, and `report/sources/` (page.html; CSS and JavaScript, a file for each part).

The page reads the summaries of all files at once, and the details of one when it is opened.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import responses
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aquila_cassette import importers
from aquila_cassette.dialects.message import TimedText, without_surrogates
from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.dialects.reading import timeline_text
from aquila_cassette.errors import CassetteError
from aquila_cassette.model import Piece, Response
from aquila_cassette.storage.bodies import one_at_a_time
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import body_lines, json_inline, json_lines, parse_time
from aquila_cassette.transcript.interaction_text import InteractionView, count_arrivals

_BARS = 24  # of the small picture in the list
_LONGEST_TITLE = 140
_MOST_WIRE = 200_000  # characters of raw pieces; the file has the rest
_MOST_LINES = 2_000  # of a body that is no model's


# A control character is shown by its picture, one that would reorder a line by a question mark:
# each by one other, so that places in the text stay.
_VISIBLE = {
    **{number: 0x2400 + number for number in range(0x20) if chr(number) not in "\t\n\r"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
}
# What would end the script element, break its lines, or not be written in UTF-8.
_ESCAPED = re.compile("[<>&\x7f\u2028\u2029\ufeff\ud800-\udfff]")

_STYLES = ("colours", "page", "list", "cassette", "conversation", "player", "overview", "print")
_PLAYING = ("timeline", "player")
_SCRIPTS = ("elements", "data", "conversation", *_PLAYING, "list", "cassette", "overview", "page")
# Only this very script and style run, whatever a cassette holds; nothing is fetched, sent or framed;
# and no text can be handed to the HTML parser.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file: what the list shows of it, and its interactions as JSON; None if it is damaged."""

    summary: dict[str, Any]
    details: list[str] | None


def load_file(path: Path, name: str) -> ReportFile:
    """Read a cassette for the page; of a damaged one, its error."""
    summary: dict[str, Any] = {
        "name": name,
        "path": display_path(path),
        "bytes": path.stat().st_size,
    }
    try:
        cassette = importers.load(path)
    except CassetteError as error:
        return ReportFile({**summary, "error": str(error)}, None)
    summaries, details = [], []
    for view in map(InteractionView, one_at_a_time(cassette.interactions)):
        summaries.append(summarize(view))
        details.append(as_json(detail(view)))
    return ReportFile(
        summary | {"with": cassette.recorded_with, "interactions": summaries}, details
    )


def summarize(view: InteractionView) -> dict[str, Any]:
    """Return what the list and the overview show of an interaction."""
    at = parse_time(view.interaction.recorded_at)
    times = _times(view.response.pieces)
    return {
        "title": _title(view),
        "provider": provider_name(view.request.url, None),
        "model": view.model,
        "outcome": view.outcome,
        "ended": view.response.ended,
        "status": view.response.status,
        "at": at and round(at.timestamp() * 1000),
        "first": times[0] if times else None,
        "last": times[-1] if times else None,
        "stream": view.events is not None,
        "spark": count_arrivals(times, _BARS) if len(times) > 1 and times[-1] else [],
    }


def detail(view: InteractionView) -> dict[str, Any]:
    """Return all that the page shows of an interaction."""
    request, response, asked, said = view.request, view.response, view.asked, view.said
    added = timeline_text(view.content_type, response.parts if view.is_read else [])
    parts, steps = _parts_and_steps(added)
    body = body_lines(response.body, view.content_type) if response.body and not parts else []
    return {
        "method": request.method,
        "url": request.url,
        "model": view.model,
        "answered": said.model or "",
        "speaks": view.title or view.content_type or "",
        "status": response.status,
        "reason": responses.get(response.status or 0, ""),
        "version": response.http_version,
        "recorded": view.interaction.recorded_at,
        "by": view.interaction.recorded_by or "",
        "turns": [list(turn) for turn in asked.turns],
        "tools": list(asked.tools),
        "rest": "\n".join(json_lines(asked.rest)) if asked.rest else "",
        "other": asked.other,
        "sent": [list(pair) for pair in request.headers],
        "got": [list(pair) for pair in response.headers],
        "wait": response.header("retry-after") or "",
        "ended": response.ended,
        "error": [response.error.type or "", response.error.message] if response.error else None,
        "finish": said.finish_reason or "",
        "usage": [
            [name, json_inline(number)]
            for name, number in (said.usage or {}).items()
            if type(number) is int and number
        ],
        "events": view.events,
        "headersAfter": response.headers_after,
        "times": _times(response.pieces),
        "sizes": [len(piece.data) for piece in response.pieces],
        "wire": _wire(response),
        "parts": parts,
        "steps": steps,
        "body": "\n".join(body[:_MOST_LINES]),
        "bodyLinesLeft": max(len(body) - _MOST_LINES, 0),
    }


def _title(view: InteractionView) -> str:
    """Return in a line what was asked: the user's last words, or a tool's result; else the path."""
    turns = [turn for turn in view.asked.turns if turn.kind in ("words", "result")]
    mine = [turn for turn in turns if turn.role == "user" or turn.kind == "result"]
    for turn in (mine or turns)[-1:]:
        line = ("↩ " if turn.kind == "result" else "") + " ".join(turn.text.split())
        return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
    return f"{view.request.method} {urlsplit(view.request.url).path or '/'}"


def _times(pieces: Sequence[Piece]) -> list[int]:
    """Return when each piece came; none before the one before it, whatever was edited by hand."""
    return list(accumulate((piece.at for piece in pieces), max))


def _parts_and_steps(added: Sequence[TimedText]) -> tuple[list[list[str]], list[list[int]]]:
    """Return the parts as kind, name, text; the steps as piece, part, length of the part from then.

    Lengths are in UTF-16 code units, as JavaScript counts.
    """
    heads = {one.part: one for one in added}
    texts: dict[int, list[str]] = {part: [] for part in sorted(heads)}
    lengths = dict.fromkeys(texts, 0)
    steps = []
    for one in added:
        texts[one.part].append(one.text)
        lengths[one.part] += len(one.text.encode("utf-16-le", "surrogatepass")) // 2
        steps.append([one.piece, one.part, lengths[one.part]])
    joined = {part: without_surrogates("".join(each)) for part, each in texts.items()}
    return [[heads[part].kind, heads[part].name, joined[part]] for part in texts], steps


def _wire(response: Response) -> list[str] | None:
    """Return the pieces as text, up to a limit; None where they are not text.

    A character that was cut in two comes with its second half.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    texts, left = [], _MOST_WIRE
    try:
        for piece in response.pieces:
            if left <= 0:
                break
            texts.append(decoder.decode(piece.data[: 4 * _MOST_WIRE])[:left])
            left -= len(texts[-1])
    except UnicodeDecodeError:
        return None
    return texts


def as_json(value: Any) -> str:
    """Return JSON that stays data in a script element, whatever the HTML parser makes of it."""
    text = json.dumps(_visible(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_VISIBLE)
    if isinstance(value, list):
        return [_visible(item) for item in value]
    if isinstance(value, dict):
        return {name: _visible(item) for name, item in value.items()}
    return value


# The page.


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
