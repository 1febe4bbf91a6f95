"""One interaction as text: request, answer, times, ending.

`show` prints these rows, `diff` compares them, and the report draws them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from http.client import responses
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from aquila_cassette.dialects.json_access import load_json
from aquila_cassette.dialects.message import MessageBuilder, ModelMessage, TimedText
from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.dialects.reading import DIALECTS, read_body
from aquila_cassette.model import Interaction
from aquila_cassette.transcript import humanize
from aquila_cassette.transcript.request_text import RequestSummary, summarize_request

_TITLES = {dialect.name: dialect.title for dialect in DIALECTS}
_BARS = "·▁▂▃▄▅▆▇█"
_BAR_WIDTH = 40


class Row(NamedTuple):
    """A labelled text; `kind` says what it is, for its colour."""

    section: Literal["turn", "request", "answer", "arrival"]
    label: str
    text: str
    kind: str = ""


class InteractionView:
    """What the commands and the report say about one interaction, computed when it is asked for."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction = interaction
        self.request = interaction.request
        self.response = interaction.response

    @cached_property
    def asked(self) -> RequestSummary:
        return summarize_request(self.request)

    @property
    def is_read(self) -> bool:
        """Whether the answer is small enough to be read as a model's."""
        return len(self.response.body) <= humanize.MOST_READ

    def timeline(self) -> list[TimedText]:
        """Return what each piece added to what the model wrote; `said` and `events` come with it."""
        parts = self.response.parts if self.is_read else ()
        self._answer, builder = self._read(list(accumulate(map(len, parts))))
        return builder.timeline()

    @cached_property
    def _answer(self) -> tuple[ModelMessage, int | None]:
        return self._read()[0]

    def _read(
        self, ends: Sequence[int] = ()
    ) -> tuple[tuple[ModelMessage, int | None], MessageBuilder]:
        body = self.response.body if self.is_read else b""
        builder, dialect, events = read_body(self.content_type, body, ends)
        return (builder.build(dialect), events if self.is_read else None), builder

    @property
    def said(self) -> ModelMessage:
        return self._answer[0]

    @property
    def content_type(self) -> str | None:
        return self.response.header("content-type")

    @property
    def title(self) -> str | None:
        """The dialect's name as people read it."""
        return _TITLES.get(self.said.dialect or "")

    @property
    def provider(self) -> str:
        return provider_name(self.request.url, self.said.dialect)

    @property
    def model(self) -> str:
        """The model asked for, else the one that answered, else empty."""
        return self.asked.model or self.said.model or ""

    @property
    def events(self) -> int | None:
        """The number of events; None where the answer is no stream."""
        return self._answer[1]

    @property
    def outcome(self) -> str:
        """How it ended, in a word or two: ``complete``, ``closed``, ``failed``, ``HTTP 429``."""
        status = self.response.status or 0
        return f"HTTP {status}" if status >= 400 else self.response.ended

    def provenance(self) -> str:
        """When and by what it was recorded; empty where nothing is noted."""
        recorded_at, recorded_by = self.interaction.recorded_at, self.interaction.recorded_by
        at = humanize.parse_time(recorded_at)
        if at is not None:
            age = humanize.format_age(at, datetime.now(UTC))
            ago = "just now" if age == "now" else f"{age} ago"
            recorded_at = f"{at:%Y-%m-%d %H:%M} UTC ({ago})"
        when = f"recorded {recorded_at}" if recorded_at else ""
        return ", ".join(filter(None, [when, f"by {recorded_by}" if recorded_by else ""]))

    def request_rows(self) -> Iterator[Row]:
        asked = self.asked
        rest = "\n".join(humanize.json_lines(asked.rest)) if asked.rest else ""
        rows = [
            Row("request", "model", asked.model),
            *(Row("turn", role, text, kind) for role, kind, text in asked.turns),
            Row("request", "tools", "\n".join(asked.tools), "tools"),
            Row("request", "with", rest, "detail"),
            Row("request", "body", asked.other, "detail"),
        ]
        yield from (row for row in rows if row.text or row.section == "turn")

    def answer_rows(self) -> Iterator[Row]:
        said = self.said
        yield Row("answer", "answer", self.answer_head())
        texts = [
            Row("answer", "thought", said.reasoning, "thought"),
            Row("answer", "said", said.text, "words"),
            Row("answer", "refused", said.refusal, "refusal"),
            *(
                Row("answer", "called", f"{call.name} {call.arguments}", "call")
                for call in said.tool_calls
            ),
            Row("answer", "error", said.error or "", "error"),
        ]
        texts = [row for row in texts if row.text]
        yield from texts
        if self.response.body and not texts:
            lines = humanize.body_lines(self.response.body, self.content_type)
            yield Row("answer", "body", "\n".join(lines), "detail")

    def arrival_rows(self) -> Iterator[Row]:
        """Yield how the answer came and ended, and what it cost."""
        pieces = self.response.pieces
        came = f"{humanize.count(len(pieces), 'piece')}, {humanize.format_size(len(self.response.body))}"
        if self.events is not None:
            came = f"{humanize.count(self.events, 'event')} in {came}"
        yield Row("arrival", "came", came if pieces else "nothing")
        times = [piece.at for piece in pieces]
        if len(times) > 1 and max(times):
            counts = count_arrivals(times, _BAR_WIDTH)
            # Rounded up: one piece must not look like none.
            heights = [-(-number * (len(_BARS) - 1) // max(counts)) for number in counts]
            bar = "".join(_BARS[height] for height in heights)
            spans = f"{humanize.format_duration(max(times))}, first after {humanize.format_duration(min(times))}"
            yield Row("arrival", "arrived", f"{bar} {spans}", "timing")
        yield Row("arrival", "ended", self.ending(), self.response.ended)
        if usage := format_usage(self.said.usage):
            yield Row("arrival", "usage", usage, "detail")

    def answer_head(self) -> str:
        """The status, the dialect, and the model where another was asked for."""
        status = self.response.status
        if status is None:
            return "none"
        phrase = responses.get(status, "") if status >= 400 else ""
        model = self.said.model if self.said.model != self.asked.model else ""
        wait = self.response.header("retry-after")
        retry = f"retry after {wait}" if wait else ""
        parts = (f"{status} {phrase}".rstrip(), self.title or self.content_type, model, retry)
        return ", ".join(filter(None, parts))

    def ending(self) -> str:
        """How it ended, with the error or with the model's reason to stop."""
        error, reason = self.response.error, self.said.finish_reason
        how: str = self.response.ended
        if how == "closed":
            how = "closed by its consumer"
        if error is not None:
            how = ": ".join(filter(None, [how, error.type, error.message]))
        return f"{how} ({reason})" if reason else how

    def as_json(self) -> dict[str, Any]:
        """Return all of it as the JSON that programs read."""
        request, response, said = self.request, self.response, self.said
        error = response.error
        return {
            "recorded_at": self.interaction.recorded_at or None,
            "recorded_by": self.interaction.recorded_by,
            "request": {
                "method": request.method,
                "url": request.url,
                "headers": [list(pair) for pair in request.headers],
                "model": self.asked.model or None,
                **_body_as_json(request.body),
            },
            "response": {
                "status": response.status,
                "headers": [list(pair) for pair in response.headers],
                "provider": provider_name(request.url, None),
                **asdict(said),
                "tool_calls": [
                    {"name": call.name, "arguments": call.arguments} for call in said.tool_calls
                ],
                "provider_error": said.error,
                "events": self.events,
                "pieces": [[piece.at, len(piece.data)] for piece in response.pieces],
                "bytes": len(response.body),
                "ended": response.ended,
                "error": error and {"type": error.type, "message": error.message},
            },
        }


def count_arrivals(times: Sequence[int], width: int) -> list[int]:
    """Count the pieces in each of `width` equal spans from the request to the last piece (ms)."""
    counts = [0] * width
    last = max(times, default=0)
    for at in times:
        counts[min(at * width // last, width - 1) if last else 0] += 1
    return counts


def format_usage(usage: dict[str, Any] | None) -> str:
    """Return the provider's counts that are not zero, under its own names."""
    pairs = (usage or {}).items()
    return ", ".join(f"{name} {number}" for name, number in pairs if type(number) is int and number)


def _body_as_json(body: bytes) -> dict[str, Any]:
    if (value := load_json(body)) is not None:
        return {"bytes": len(body), "json": value}
    text = {"text": body.decode("utf-8", "backslashreplace")} if body else {}
    return {"bytes": len(body), **text}
