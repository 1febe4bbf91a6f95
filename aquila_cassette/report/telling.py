"""An interaction as the page tells of it: plain strings and numbers, nothing to be interpreted."""

from __future__ import annotations

import codecs
from http.client import responses
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.dialects.timeline import timeline_text
from aquila_cassette.transcript.humanize import body_lines, json_inline, json_lines, parse_time
from aquila_cassette.transcript.interaction import count_arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.dialects.timeline import TimedText
    from aquila_cassette.model import Piece, Response
    from aquila_cassette.transcript.interaction import InteractionView

__all__ = ["in_full", "in_short"]

_BARS = 24  # of the small picture in the list
_TITLE = 140  # characters of what was asked, in the list
_MOST_WIRE = 200_000  # characters of raw pieces; the file has the rest
_MOST_LINES = 2_000  # of a body that is no model's
_LATEST = 10**12  # ms: what no stream reaches, and JavaScript still counts exactly


def in_short(told: InteractionView) -> dict[str, Any]:
    """Give what the list and the overview show of an interaction.

    Args:
        told: The interaction.
    """
    at = parse_time(told.interaction.recorded_at)
    times = _times(told.response.pieces)
    return {
        "title": _title(told),
        "provider": provider_name(told.request.url, None),
        "model": told.model,
        "outcome": told.outcome,
        "ended": told.response.ended,
        "status": told.response.status,
        "at": at and round(at.timestamp() * 1000),
        "first": times[0] if times else None,
        "last": times[-1] if times else None,
        "stream": told.events is not None,
        "spark": count_arrivals(times, _BARS) if len(times) > 1 and times[-1] else [],
    }


def in_full(told: InteractionView) -> dict[str, Any]:
    """Give all that the page shows of an interaction.

    Args:
        told: The interaction.
    """
    request, response, asked, said = told.request, told.response, told.asked, told.said
    parts, steps = _unfolded(
        timeline_text(told.content_type, [piece.data for piece in response.pieces])
    )
    body = body_lines(response.body, told.content_type) if response.body and not parts else []
    return {
        "method": request.method,
        "url": request.url,
        "model": told.model,
        "answered": said.model or "",
        "speaks": told.title or told.content_type or "",
        "status": response.status,
        "reason": responses.get(response.status or 0, ""),
        "version": response.http_version,
        "recorded": told.interaction.recorded_at,
        "by": told.interaction.recorded_by or "",
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
        "usage": _counts(said.usage or {}),
        "events": told.events,
        "headersAfter": response.headers_after and min(response.headers_after, _LATEST),
        "times": _times(response.pieces),
        "sizes": [len(piece.data) for piece in response.pieces],
        "wire": _wire(response),
        "parts": parts,
        "steps": steps,
        "body": "\n".join(body[:_MOST_LINES]),
        "bodyLinesLeft": max(len(body) - _MOST_LINES, 0),
    }


def _title(told: InteractionView) -> str:
    """Say in a line what was asked: the user's last words, or a tool's result; else where."""
    turns = [turn for turn in told.asked.turns if turn.kind in ("words", "result")]
    mine = [turn for turn in turns if turn.role == "user" or turn.kind == "result"]
    for turn in (mine or turns)[-1:]:
        line = ("↩ " if turn.kind == "result" else "") + " ".join(turn.text.split())
        return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
    return f"{told.request.method} {urlsplit(told.request.url).path or '/'}"


def _times(pieces: Sequence[Piece]) -> list[int]:
    """Give when each piece came; none came before the one before it, whatever a hand wrote."""
    return list(accumulate((min(piece.at, _LATEST) for piece in pieces), max))


def _unfolded(chunks: Sequence[TimedText]) -> tuple[list[list[str]], list[list[int]]]:
    """Give the parts as kind, name and text; and the steps as piece, part and length from then on.

    Lengths are in UTF-16 code units, as JavaScript counts.
    """
    heads = {chunk.part: chunk for chunk in chunks}
    texts: dict[int, list[str]] = {part: [] for part in sorted(heads)}
    lengths = dict.fromkeys(texts, 0)
    steps = []
    for chunk in chunks:
        texts[chunk.part].append(chunk.text)
        lengths[chunk.part] += len(chunk.text.encode("utf-16-le", "surrogatepass")) // 2
        steps.append([chunk.piece, chunk.part, lengths[chunk.part]])
    parts = [[heads[part].kind, heads[part].name, _joined(texts[part])] for part in texts]
    return parts, steps


def _joined(texts: list[str]) -> str:
    """Join chunks; two halves of a character become one, and a lone half its replacement."""
    return "".join(texts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _counts(usage: dict[str, Any]) -> list[list[str]]:
    return [
        [name, json_inline(count)] for name, count in usage.items() if type(count) is int and count
    ]


def _wire(response: Response) -> list[str] | None:
    """Give the pieces as text, as many as are wanted; None where they are none.

    A character that was cut in two comes with its second half.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    texts = []
    room = _MOST_WIRE
    for piece in response.pieces:
        try:
            text = decoder.decode(piece.data)
        except UnicodeDecodeError:
            return None
        texts.append(text[:room])
        room -= len(text)
        if room <= 0:
            break
    return texts
