"""Make the page: the data of each cassette, and `report/sources/` (page.html; CSS and JavaScript, a file for each part).

The page reads the summaries of all files at once, and the details of one when it is opened.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http.client import responses
from importlib.resources import files
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aquila_cassette import importers
from aquila_cassette.dialects.message import TimedText, without_surrogates
from aquila_cassette.dialects.providers import provider_name
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
# each by one other, so that places in the text stay. (A backslash keeps its escape apart from them.)
_SHOWN = {
    r"\\": r"\\",
    **{json.dumps(char)[1:-1]: chr(0x2400 + ord(char)) for char in map(chr, range(0x20))},
    **{json.dumps(char)[1:-1]: json.dumps(char)[1:-1] for char in "\t\n\r"},
    "\x7f": "\u2421",
    **dict.fromkeys(map(chr, range(0x80, 0xA0)), "\ufffd"),
    **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "\ufffd"),
}
# Those, and what would break the lines of the script element, or not be written in UTF-8.
_UNSEEN = re.compile(
    r"\\\\|\\u00[01].|\\[bf]|[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)

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
    details: list[bytes] | None


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
        details.append(as_json(detail(view)))  # first: it reads all that the summary needs
        summaries.append(summarize(view))
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
    parts, steps = _parts_and_steps(view.timeline())
    request, response, asked, said = view.request, view.response, view.asked, view.said
    body = iter(body_lines(response.body, view.content_type) if response.body and not parts else [])
    shown = {
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
        "body": "\n".join(islice(body, _MOST_LINES)),
        "bodyLinesLeft": sum(1 for _ in body),
    }
    response.forget()
    return shown


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


def as_json(value: Any) -> bytes:
    """Return JSON that stays data in a script element, whatever the HTML parser makes of it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _UNSEEN.sub(lambda one: _SHOWN.get(one[0]) or f"\\u{ord(one[0]):04x}", text).encode()


# The page.


def render_page(entries: Iterable[ReportFile], *, about: dict[str, Any]) -> Iterator[bytes]:
    """Yield the page in parts, a file at a time; `about` has `place`, `made` (ms since 1970), `by`."""
    style = "".join(_source(f"{name}.css") for name in _STYLES)
    script = "".join(_source(f"{name}.js") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    parts = {
        "policy": _POLICY.format(script=_digest(script), style=_digest(style)),
        "style": style,
        "script": script,
    }
    before, after = (
        re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], half).encode()
        for half in _source("page.html").split("{{data}}")
    )
    summaries = []
    yield before
    for place, entry in enumerate(entries):
        summaries.append(entry.summary)
        if entry.details is not None:
            details = chain.from_iterable((b",", one) for one in entry.details)
            next(details, None)
            yield from _data(f"cassette-{place}", b"[", *details, b"]")
    yield from _data("report", as_json({**about, "cassettes": summaries}))
    yield after


def _source(name: str) -> str:
    return files("aquila_cassette.report").joinpath("sources", name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(name: str, *parts: bytes) -> Iterator[bytes]:
    yield f'<script type="application/json" id="{name}">'.encode()
    yield from parts
    yield b"</script>\n"
