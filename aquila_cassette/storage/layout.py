"""A whole cassette in exactly the layout that `format_.dumps` writes, read at the speed of memory.

Nearly every file read is one that this package wrote. One regular expression knows an interaction
of it, field by field in their order; what any of it does not fit, a comment for example, makes
`read` give None, and the file is read the general way, to the same cassette.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aquila_cassette.model import CassetteData, Interaction, Request
from aquila_cassette.storage import bodies
from aquila_cassette.storage import format as format_
from aquila_cassette.storage.fast_reader import Decline, Fields, cut, value_of
from aquila_cassette.storage.pieces import LazyBody, LazyResponse, is_timeline
from aquila_cassette.storage.yaml_reader import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila_cassette.model import Headers, Response

__all__ = ["read"]

_DEEPER = r"(?:      .*+\n)*+"
_HEADERS = rf"(    headers:.*+\n{_DEEPER})?+"
_BODY = r"((?:    (?:(?:json|json_style|sse|text|eol|base64):|- |  ).*+\n)*+)"
_HEAD = re.compile(rf"version: {format_.VERSION}\n(?:recorded_with: (.*+)\n)?+interactions:\n")
_ITEM = re.compile(
    r"- recorded_at: (.*+)\n"
    r"(?:  recorded_by: (.*+)\n)?+"
    r"  request:\n"
    r"    method: (.*+)\n"
    r"    url: (.*+)\n"
    rf"{_HEADERS}{_BODY}"
    r"  response:\n"
    r"(?:    status: ([1-9][0-9]{2})\n)?+"
    r"(?:    http_version: (.*+)\n)?+"
    rf"{_HEADERS}{_BODY}"
    r"(?:    headers_after: (0|[1-9][0-9]{0,8})\n)?+"
    r"(?:    pieces: (.*+)\n)?+"
    r"    ended: (complete|closed|failed)\n"
    r"(    error: .*+\n)?+"
)
# The usual body of a response; its text stays in the file's bytes until someone asks.
_BLOCK_BODY = re.compile(r"(?:    eol: (crlf)\n)?+    (?:sse|text): \|2?[-+]?\0\n")
# The usual body of a request; one in another style names that before it.
_JSON = "    json:\n      "


def read(data: bytes) -> CassetteData | None:
    """Read a whole file, or give None where it is laid out otherwise.

    Args:
        data: What `clean_utf8` gives.
    """
    if not data.endswith(b"\n"):
        return None
    try:
        return _Reading(data).tape()
    except (Decline, SchemaError, ValueError):  # the last is a number that JSON has not
        return None


class _Reading:
    """One reading of one file; what recurs in it is read once."""

    def __init__(self, data: bytes) -> None:
        self._skeleton, blocks = cut(data)
        self._blocks = blocks
        self._fields = Fields(blocks)
        self._texts: dict[str, str] = {}
        self._headers: dict[str, Headers] = {"": ()}

    def tape(self) -> CassetteData:
        skeleton = self._skeleton
        head = _HEAD.match(skeleton)
        if head is None:
            raise Decline
        at = head.end()
        interactions = []
        while at != len(skeleton):
            item = _ITEM.match(skeleton, at)
            if item is None:
                raise Decline
            interactions.append(self._interaction(item))
            at = item.end()
        if not interactions or next(self._blocks, None) is not None:
            raise Decline
        return CassetteData(
            tuple(interactions), recorded_with=self._text(head[1]) if head[1] else ""
        )

    def _interaction(self, item: re.Match[str]) -> Interaction:
        at, by, method, url, sent, body, *rest = item.groups()
        return Interaction(
            Request(self._text(method), self._text(url), self._headers_of(sent), self._sent(body)),
            self._response(*rest),
            self._text(at),
            None if by is None else self._text(by),
        )

    def _sent(self, body: str) -> bytes:
        if not body:
            return b""
        if body.startswith(_JSON):
            value = self._fields.read(body[len(_JSON) - 6 :], 6)
            return bodies.STYLES["compact"](value).encode()
        held = bodies.read(self._fields.read(body, 4))
        return held if isinstance(held, bytes) else held()

    def _response(
        self,
        status: str | None,
        http_version: str | None,
        headers: str | None,
        body: str,
        headers_after: str | None,
        pieces: str | None,
        ended: Any,
        error: str | None,
    ) -> Response:
        if (pieces is not None and not is_timeline(pieces)) or (ended == "failed") != bool(error):
            raise Decline
        return LazyResponse.of(
            LazyBody(self._received(body), pieces),
            status=None if status is None else int(status),
            headers=self._headers_of(headers),
            headers_after=None if headers_after is None else int(headers_after),
            http_version="HTTP/1.1" if http_version is None else self._text(http_version),
            ended=ended,
            error=format_.parse_error(self._fields.read(error, 4)) if error else None,
        )

    def _received(self, body: str) -> bytes | Callable[[], bytes]:
        if block := _BLOCK_BODY.fullmatch(body):
            return bodies.from_text(self._fields.block(4), crlf=bool(block[1]))
        return bodies.read(self._fields.read(body, 4)) if body else b""

    def _text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            known = value_of(text)
            if not isinstance(known, str):
                raise Decline
            self._texts[text] = known
        return known

    def _headers_of(self, text: str | None) -> Headers:
        text = text or ""
        known = self._headers.get(text)
        if known is None:
            if "\0" in text:
                raise Decline
            known = self._headers[text] = format_.parse_headers(self._fields.read(text, 4))
        return known
