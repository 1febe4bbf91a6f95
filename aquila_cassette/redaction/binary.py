"""Secrets in Amazon's binary event streams: what is hidden changes lengths and checksums too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aquila_cassette.dialects import eventstream
from aquila_cassette.redaction.spans import Span, replaced

__all__ = ["is_binary", "with_framing"]


def is_binary(content_type: str) -> bool:
    """Tell whether a body of this content type is such a stream."""
    return content_type.lower().startswith(eventstream.CONTENT_TYPE)


def with_framing(body: bytes, spans: Sequence[Span]) -> list[Span]:
    """Give `spans` with those added that make each message whole again after its replacements.

    Args:
        body: The stream.
        spans: What is replaced in it, in order, apart from each other.
    """
    return sorted([*spans, *_framing(body, spans)])


def _framing(body: bytes, spans: Sequence[Span]) -> Iterator[Span]:
    start = 0
    for message in eventstream.split(body):
        end = start + len(message)
        payload = start + eventstream.payload_at(message), end - 4
        inside = [span for span in spans if start <= span.start and span.end <= end]
        if inside and all(payload[0] <= one.start and one.end <= payload[1] for one in inside):
            shifted = [Span(a - start, b - start, kind, text) for a, b, kind, text in inside]
            whole = eventstream.reframed(replaced(message, shifted))
            yield Span(start, start + 12, "", whole[:12])
            yield Span(end - 4, end, "", whole[-4:])
        start = end
