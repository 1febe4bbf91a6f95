"""One interaction as people read of it: who answered, what was asked and said, when it came."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aquila_cassette import sse
from aquila_cassette.dialects import DIALECTS, ModelMessage, ndjson_lines, read_message, recognise
from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.transcript.request import RequestSummary, summarize_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.model import Interaction


__all__ = ["InteractionView", "arrival_bar", "count_arrivals"]

_TITLES = {dialect.name: dialect.title for dialect in DIALECTS}


class InteractionView:
    """One interaction, as the commands tell of it.

    Args:
        interaction: As it is on the cassette.
    """

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        self.request = interaction.request
        self.response = interaction.response

    @cached_property
    def asked(self) -> RequestSummary:
        """What the request asks."""
        return summarize_request(self.request)

    @cached_property
    def said(self) -> ModelMessage:
        """What the model said."""
        return read_message(self.content_type, self.response.body)

    @property
    def content_type(self) -> str | None:
        """The answer's content type."""
        return self.response.header("content-type")

    @cached_property
    def dialect(self) -> str | None:
        """The name of the dialect that was spoken; reading all that was said only at need."""
        found = recognise(self.content_type, self.response.body)
        return found.name if found else self.said.dialect

    @property
    def title(self) -> str | None:
        """The dialect's name as a person reads it."""
        return _TITLES.get(self.dialect or "")

    @property
    def provider(self) -> str:
        """Who answered."""
        return provider_name(self.request.url, self.dialect)

    @property
    def model(self) -> str:
        """The model asked for, else the one that answered; empty where neither is told."""
        return self.asked.model or self.said.model or ""

    @cached_property
    def events(self) -> int | None:
        """How many events came; None where the answer is no stream."""
        body = self.response.body
        match framing(self.content_type, body):
            case "sse":
                return len(sse.events(body))
            case "ndjson":
                return sum(1 for line in ndjson_lines(body) if line.strip())
            case "eventstream":
                return sum(1 for _ in read_events("eventstream", body))
            case "json":
                return None

    @property
    def outcome(self) -> str:
        """How it ended, in a word or two: ``complete``, ``closed``, ``failed``, ``HTTP 429``."""
        status = self.response.status or 0
        return f"HTTP {status}" if status >= 400 else self.response.ended

    def as_json(self) -> dict[str, Any]:
        """Give all there is to tell, as the JSON that programs read."""
        request, response, heard = self.request, self.response, self.said
        return {
            "recorded_at": self.interaction.recorded_at or None,
            "recorded_by": self.interaction.recorded_by,
            "request": {
                "method": request.method,
                "url": request.url,
                "headers": [list(pair) for pair in request.headers],
                "model": self.asked.model or None,
                **_body(request.body),
            },
            "response": {
                "status": response.status,
                "headers": [list(pair) for pair in response.headers],
                "provider": provider_name(request.url, None),
                "dialect": self.dialect,
                "model": heard.model,
                "text": heard.text,
                "reasoning": heard.reasoning,
                "refusal": heard.refusal,
                "tool_calls": [
                    {"name": call.name, "arguments": call.arguments} for call in heard.tool_calls
                ],
                "finish_reason": heard.finish_reason,
                "usage": heard.usage,
                "provider_error": heard.error,
                "events": self.events,
                "pieces": [[piece.at, len(piece.data)] for piece in response.pieces],
                "bytes": len(response.body),
                "ended": response.ended,
                "error": response.error
                and {"type": response.error.type, "message": response.error.message},
            },
        }


def _body(body: bytes) -> dict[str, Any]:
    """Give a request's body: as JSON where it is that, as text where it is that, and its size."""
    told: dict[str, Any] = {"bytes": len(body)}
    try:
        told["json"] = json.loads(body)
    except (ValueError, RecursionError):
        if body:
            told["text"] = body.decode("utf-8", "backslashreplace")
    return told


_BLOCKS = "·▁▂▃▄▅▆▇█"
_ASCII = ".:-=+*#%@"


def count_arrivals(times: Sequence[int], width: int) -> list[int]:
    """Count what came in each of `width` equal spans between the request and the last piece.

    Args:
        times: When each piece came, in ms since the request; in any order.
        width: How many spans.

    Example:
        >>> count_arrivals([0, 10, 90, 100], 4)
        [2, 0, 0, 2]
    """
    counts = [0] * width
    last = max(times, default=0)
    for at in times:
        counts[min(at * width // last, width - 1) if last else 0] += 1
    return counts


def arrival_bar(counts: Sequence[int], *, ascii_only: bool = False) -> str:
    """Draw `counts`, the most of them as a full block, none as a dot.

    Args:
        counts: How many came in each span.
        ascii_only: Whether the blocks cannot be shown.

    Example:
        >>> arrival_bar([0, 1, 2, 4]), arrival_bar([0, 1, 2, 4], ascii_only=True)
        ('·▂▄█', '.-+@')
    """
    steps = _ASCII if ascii_only else _BLOCKS
    most = max(counts, default=0) or 1
    # Rounded up: one piece must not look like none.
    return "".join(steps[-(-number * (len(steps) - 1) // most)] for number in counts)
