"""Read what providers send. The functions that other layers call."""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import ndjson_lines
from aquila_cassette.dialects.message import ModelMessage, ModelToolCall, TimedText
from aquila_cassette.dialects.reading import (
    DIALECTS,
    Ending,
    ending,
    read_message,
    recognise,
    speaks_a_dialect,
    timeline_text,
)

__all__ = [
    "DIALECTS",
    "Dialect",
    "Ending",
    "ModelMessage",
    "ModelToolCall",
    "TimedText",
    "ending",
    "ndjson_lines",
    "read_message",
    "recognise",
    "speaks_a_dialect",
    "timeline_text",
]
