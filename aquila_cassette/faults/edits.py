"""Change a recorded answer into what a failing provider or connection sends: cut, broken, stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, Literal

from aquila_cassette.dialects.framing import framing, split_events
from aquila_cassette.dialects.json_access import as_dict, as_dicts, load_json
from aquila_cassette.dialects.reading import read_body, timeline_text
from aquila_cassette.errors import UsageError
from aquila_cassette.faults import provider_errors
from aquila_cassette.model import Failure, Headers, Interaction, Piece, Response

Edit = Callable[[list[bytes], Response], list[bytes]]
"""Returns other events in place of those of a response."""

Reason = Literal["limit", "refusal"]

_REASONS: dict[str, tuple[bytes, dict[Reason, bytes]]] = {
    "openai-chat": (b"finish_reason", {"limit": b"length", "refusal": b"content_filter"}),
    "anthropic": (b"stop_reason", {"limit": b"max_tokens", "refusal": b"refusal"}),
    "gemini": (b"finishReason", {"limit": b"MAX_TOKENS", "refusal": b"SAFETY"}),
    "cohere": (b"finish_reason", {"limit": b"MAX_TOKENS"}),
    "ollama": (b"done_reason", {"limit": b"length"}),
}
"""The field in which a dialect says why it stopped, and its words for that."""

_INCOMPLETE: dict[Reason, str] = {"limit": "max_output_tokens", "refusal": "content_filter"}


def dialect_of(response: Response) -> str | None:
    return read_body(response.header("content-type"), response.body)[1]


def cut_off(recorded: Interaction, *, unit: str, count: int, error: Failure | None) -> Interaction:
    """Return what came until the connection was cut, or ended well without an `error`."""
    response = recorded.response
    parts: Sequence[bytes] = response.parts if unit == "pieces" else [response.body]
    if unit == "events" and count:
        parts = _events_of(response)
    there = len(response.body) if unit == "bytes" else len(parts)
    if count > there:
        raise _too_few(f"{count} {unit}", f"{there} {unit}")
    end = count if unit == "bytes" else sum(map(len, parts[:count]))
    pieces, start = list[Piece](), 0
    for at, data in response.pieces:
        if start < end:
            pieces.append(Piece(at, data[: end - start]))
        start += len(data)
    headers = response.headers if error else _without_length(response.headers)
    cut = replace(_plain(response), pieces=tuple(pieces), headers=headers)
    return replace(recorded, response=replace(cut, ended="failed", error=error))


def with_events(recorded: Interaction, *, edit: Edit) -> Interaction:
    """Return a stream with other events, each in a piece of its own."""
    response = recorded.response
    events = edit(_events_of(response), response)
    made = replace(_plain(response), headers=_without_length(response.headers))
    made = replace(made, pieces=_timed(events, response), ended="complete", error=None)
    return replace(recorded, response=made)


def slowed(recorded: Interaction, *, first: float, between: float) -> Interaction:
    """Return it with other times: of the headers, and between its events (or all of its body)."""
    response = recorded.response
    content_type = response.header("content-type")
    parts = split_events(content_type, response.body) or [response.body]
    times = accumulate([first, *[between] * len(parts)])
    next(times)
    pieces = tuple(Piece(round(at * 1000), part) for at, part in zip(times, parts, strict=False))
    made = replace(_plain(response), pieces=pieces, headers_after=round(first * 1000))
    return replace(recorded, response=made)


def sliced(response: Response, how: str | int) -> Response:
    """Return it in other pieces: of an ``events`` each, of ``bytes``, the ``whole``, or by a seed."""
    body = response.body
    if how == "events":
        parts = split_events(response.header("content-type"), body) or [body]
    elif how == "whole":
        parts = [body]
    elif how == "bytes":
        parts = [body[at : at + 1] for at in range(len(body))]
    else:
        parts = _random_parts(body, int(how))
    made = replace(_plain(response), pieces=_timed([part for part in parts if part], response))
    return replace(made, ended=response.ended, error=response.error)


def _random_parts(body: bytes, seed: int) -> list[bytes]:
    import random  # hardly ever needed

    chooser, parts, start = random.Random(seed), list[bytes](), 0
    while start < len(body):
        end = start + chooser.choice((1, 2, 3, 5, 8, 13, 40, 100, 400))
        parts.append(body[start:end])
        start = end
    return parts


# Edits.


def break_json(events: list[bytes], response: Response, *, event: int) -> list[bytes]:
    """Leave out the second half of an event's JSON."""
    raw = _event(events, event)
    start, end = raw.find(b"{"), raw.rfind(b"}") + 1
    if start < 0 or end <= start:
        raise _cannot(f"event {event} holds no JSON object", "choose another event")
    broken = raw[: (start + end) // 2] + raw[end:]
    return [*events[: event - 1], broken, *events[event:]]


def copy(events: list[bytes], response: Response, *, event: int, count: int) -> list[bytes]:
    """Have an event `count` times."""
    return [*events[: event - 1], *[_event(events, event)] * count, *events[event:]]


def end_with_error(
    events: list[bytes], response: Response, *, after: int, message: str
) -> list[bytes]:
    """End a stream with an error of its provider."""
    how = framing(response.header("content-type"), response.body)
    if how == "eventstream":
        raise _cannot("Amazon's binary streams have no error event here", "use disconnect()")
    error = provider_errors.event(dialect_of(response), message, is_sse=how == "sse")
    return [*_first(events, after), error]


def stop_for(events: list[bytes], response: Response, *, after: int, reason: Reason) -> list[bytes]:
    """End a stream after some events as its provider does, for another reason."""
    dialect, first = dialect_of(response), _first(events, after)
    if dialect == "openai-responses":
        return [*first, _incomplete(events, response, after, _INCOMPLETE[reason])]
    field, words = _REASONS.get(dialect or "", (b"", {}))
    if reason not in words:
        raise _cannot(f"this cannot be said in the dialect {dialect or 'unknown'}", "take it out")
    says_why = re.compile(rb'("%s"\s*:\s*)"[^"]*"' % field)
    spoken = {text.piece for text in timeline_text(response.header("content-type"), events)}
    last = []
    for number, raw in enumerate(events[after:], after):
        if says_why.search(raw):
            last.append(says_why.sub(rb'\1"%s"' % words[reason], raw))
        elif number not in spoken:
            last.append(raw)
    opened = {_block(raw) for raw in first}
    return [*first, *(raw for raw in last if _block(raw) is None or _block(raw) in opened)]


def break_arguments(events: list[bytes], response: Response) -> list[bytes]:
    """Leave out the second half of the last tool call's arguments, wherever they are repeated."""
    texts = timeline_text(response.header("content-type"), events)
    calls = [text for text in texts if text.kind == "call" and text.text]
    if not calls:
        raise _cannot("the answer calls no tool", "take it out")
    mine = [text for text in calls if text.part == calls[-1].part]
    whole = "".join(text.text for text in mine)
    left, edited = len(whole) // 2, list(events)
    for text in mine:
        edited[text.piece] = _replaced(edited[text.piece], text.text, text.text[: max(0, left)])
        left -= len(text.text)
    for number in range(mine[-1].piece + 1, len(events)):
        edited[number] = _replaced(edited[number], whole, whole[: len(whole) // 2])
    if edited == events:
        raise _cannot("the arguments are no text in this dialect", "take it out")
    return edited


def _replaced(raw: bytes, old: str, new: str) -> bytes:
    """Replace a JSON string in an event, in either way to write it."""
    for is_ascii in (True, False):
        was, now = (json.dumps(one, ensure_ascii=is_ascii).encode() for one in (old, new))
        raw = raw.replace(was, now)
    return raw


def _incomplete(events: list[bytes], response: Response, after: int, reason: str) -> bytes:
    """Return the terminal event of a stream of OpenAI's responses that ends early."""
    end = next((raw for raw in events[::-1] if b"response.completed" in raw), None)
    head, _, data = (end or b"").partition(b"data:")
    fields = as_dict(load_json(data))
    state = as_dict(fields.get("response"))
    if not state:
        raise _cannot("the stream has no response.completed", "take it out")
    texts = timeline_text(response.header("content-type"), events[:after])
    said = "".join(text.text for text in texts if text.kind == "words")
    for item in as_dicts(state.get("output")):
        for part in as_dicts(item.get("content")):
            part["text"] = said
    fields["type"] = "response.incomplete"
    state.update(status="incomplete", incomplete_details={"reason": reason})
    head = head.replace(b"response.completed", b"response.incomplete")
    return head + b"data: " + json.dumps(fields).encode() + b"\n\n"


def _block(raw: bytes) -> Any:
    """Return the number of the block of Anthropic's that an event belongs to, if any."""
    if b"content_block" not in raw:
        return None
    return as_dict(load_json(raw.partition(b"data:")[2])).get("index")


# Events.


def _events_of(response: Response) -> list[bytes]:
    found = split_events(response.header("content-type"), response.body)
    if not found:
        raise _cannot("the answer is no stream of events", "use bytes= or http_error()")
    return found


def _event(events: list[bytes], number: int) -> bytes:
    if not 1 <= number <= len(events):
        raise _too_few(f"event {number}", f"{len(events)} events")
    return events[number - 1]


def _first(events: list[bytes], count: int) -> list[bytes]:
    if count > len(events):
        raise _too_few(f"{count} events", f"{len(events)} events")
    return events[:count]


def _timed(parts: Iterable[bytes], response: Response) -> tuple[Piece, ...]:
    """Return parts as pieces, each at the time of the recorded one that brought as many bytes."""
    came = list(response.pieces)
    ends = list(accumulate(len(piece.data) for piece in came))
    pieces, end, place = list[Piece](), 0, 0
    for part in parts:
        end += len(part)
        while place < len(ends) - 1 and ends[place] < end:
            place += 1
        pieces.append(Piece(came[place].at if came else 0, part))
    return tuple(pieces)


def _plain(response: Response) -> Response:
    """Return it as a plain `Response`, to be changed with `replace`."""
    return Response(
        response.status,
        response.headers,
        response.pieces,
        response.headers_after,
        response.http_version,
        reason=response.reason,
    )


def _without_length(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != "content-length")


def _too_few(asked: str, there: str) -> UsageError:
    return _cannot(f"it needs {asked}, and there are {there}", "choose a smaller number")


def _cannot(why: str, fix: str) -> UsageError:
    return UsageError(f"does not fit the recorded answer: {why}.", fix=f"Fix: {fix}")
