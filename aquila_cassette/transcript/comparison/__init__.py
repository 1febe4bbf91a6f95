"""How a cassette differs from an older one, for whoever has just recorded it again.

What differs each time one asks (ids, dates, padding, latencies, the cut into pieces) is left out
unless everything is asked for. ``docs/cli.md`` says what counts.

Example:
    >>> from aquila_cassette.transcript.comparison import compare
    >>> from aquila_cassette.model import Interaction, Piece, Request, Response, CassetteData
    >>> def answered(body: bytes) -> CassetteData:
    ...     request = Request("POST", "https://a.example/v1", body=b'{"model": "m"}')
    ...     return CassetteData((Interaction(request, Response(200, pieces=(Piece(5, body),))),))
    >>> old = answered(b'{"id": "1", "choices": [{"message": {"content": "Hello, you"}}]}')
    >>> new = answered(b'{"id": "2", "choices": [{"message": {"content": "Hello, there"}}]}')
    >>> compare(old, old).same, compare(old, new).summary()
    (True, '1 of 1 changed')
    >>> compare(old, new).interactions[0].changes[0].aspect
    'text'
"""

from aquila_cassette.transcript.comparison.compare import compare
from aquila_cassette.transcript.comparison.result import (
    Aspect,
    Change,
    Compared,
    Comparison,
    Detail,
    Sign,
    Span,
    Value,
    Words,
)

__all__ = [
    "Aspect",
    "Change",
    "Compared",
    "Comparison",
    "Detail",
    "Sign",
    "Span",
    "Value",
    "Words",
    "compare",
]
