"""The pieces of a body: when each came and how long it is, as ``pieces:`` has it."""

from __future__ import annotations

from dataclasses import fields
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Any

from aquila_cassette.model import Piece, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila_cassette.model import Request


def timeline(pieces: tuple[Piece, ...]) -> str:
    """Return `pieces` as ``pieces:`` has them: ``at+size``, ms since the request and bytes.

    Example:
        >>> timeline((Piece(312, b"data: 1"), Piece(330, b"")))
        '312+7 330+0'
    """
    return " ".join([f"{at}+{len(data)}" for at, data in pieces])


def is_timeline(text: str) -> bool:
    """Return whether `text` is words of digits with a plus in each, a space between two words.

    (A word without digits on a side of the plus passes, and adds up to no body.)
    """
    # A regular expression for the same takes ten times as long, and every load pays for it.
    signs = text.encode().translate(None, b"0123456789")
    return signs == b"+ " * (len(signs) // 2) + b"+"


def is_event_stream(message: Request | Response) -> bool:
    """Return whether `message` says that it is ``text/event-stream``."""
    content_type = message.header("content-type") or ""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def split_pieces(body: bytes, text: str | None, *, event_stream: bool) -> tuple[Piece, ...]:
    r"""Return the pieces of `body` that `text`, what ``pieces:`` says, describes.

    Where it is missing, or its sizes no longer add up to the body (which was edited by hand): one
    piece for each frame of an event stream, else one in all; the first at the times that it has,
    the rest at the last of these, or at 0.

    Example:
        >>> split_pieces(b"data: 1\n\ndata: 2\n\n", "5+4 9+14", event_stream=True)
        (Piece(at=5, data=b'data'), Piece(at=9, data=b': 1\n\ndata: 2\n\n'))
    """
    times: list[int] = []
    if text:
        try:
            numbers = list(map(int, text.replace("+", " ").split(" ")))
        except ValueError:  # no digits, or thousands, which Python does not read
            numbers = []
        times = numbers[::2]
        ends = list(accumulate(numbers[1::2]))
        if ends and ends[-1] == len(body):
            parts = map(body.__getitem__, map(slice, [0, *ends], ends))
            # tuple.__new__ spares the 200 calls of Piece's own, in Python, for a usual stream.
            return tuple(map(tuple.__new__, repeat(Piece), zip(times, parts, strict=False)))
    if not body:
        return ()
    frames = [body]
    if event_stream:
        from aquila_cassette.sse import split  # not needed to load what was recorded

        frames = split(body)
    last = times[-1] if times else 0
    return tuple(map(Piece, chain(times[: len(frames) - 1], repeat(last)), frames))


class LazyBody:
    """What the file says of a body, the bytes or what gives them, until someone asks for it."""

    __slots__ = ("_body", "_pieces")

    def __init__(self, body: Callable[[], bytes] | bytes, pieces: str | None) -> None:
        self._body = body
        self._pieces = pieces

    def body(self) -> bytes:
        body = self._body
        if not isinstance(body, bytes):  # or another thread has read it since
            body = self._body = body()
        return body

    def pieces(self, *, event_stream: bool) -> tuple[Piece, ...]:
        return split_pieces(self.body(), self._pieces, event_stream=event_stream)

    def is_of(self, pieces: tuple[Piece, ...]) -> bool:
        """Return whether this is sure to split into `pieces`, without doing it."""
        if not pieces or self._pieces != timeline(pieces):
            return False
        return self.body() == b"".join([piece.data for piece in pieces])


class LazyResponse(Response):
    """A response off a file: its body and pieces are read at their first use.

    A test that replays 2 of 100 recorded streams pays for 2. It equals the `Response` of the same
    values; where it is copied or pickled, that is what it becomes.
    """

    __slots__ = ("_source",)

    _source: LazyBody

    @classmethod
    def of(cls, source: LazyBody, **values: Any) -> LazyResponse:
        """Return a response of all the `values` that a `Response` has, but for its pieces."""
        self = object.__new__(cls)
        object.__setattr__(self, "_source", source)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self

    def __getattr__(self, name: str) -> Any:
        """Read the pieces: their slot is empty until they are first asked for."""
        if name != "pieces":
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=self)
        pieces = self._source.pieces(event_stream=is_event_stream(self))
        object.__setattr__(self, "pieces", pieces)
        return pieces

    @property
    def body(self) -> bytes:
        """The bytes of all pieces."""
        # dataclasses.replace() makes one that has pieces, but no source.
        return self._source.body() if hasattr(self, "_source") else super().body

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        # Each save compares what it wrote, and need not split it.
        same = hasattr(self, "_source") and self._source.is_of(other.pieces)
        return _values(self, pieces=not same) == _values(other, pieces=not same)

    __hash__ = Response.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Response, _values(self)


def _values(response: Response, *, pieces: bool = True) -> tuple[Any, ...]:
    names = [field.name for field in fields(Response) if pieces or field.name != "pieces"]
    return tuple([getattr(response, name) for name in names])
