"""Fetching and deleting a stored response."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aquila_cassette.client.conversation import Close, Head, Open, Read, joined
from aquila_cassette.client.events import Meta, Response
from aquila_cassette.client.round import Round
from aquila_cassette.errors import StreamError

if TYPE_CHECKING:
    from aquila_cassette.client.dialects.endpoint import Endpoint

__all__ = ["stored"]


def stored(
    method: str, response_id: str, endpoint: Endpoint, base_url: str, headers: Mapping[str, str]
) -> Generator[Open | Read | Close, Any, Response]:
    """Give the steps to fetch (GET) or delete (DELETE) a stored response, and at last what it says.

    Raises:
        StreamError: The provider refused.
    """
    path = f"{endpoint.stored}/{quote(response_id, safe='')}"
    head: Head = yield Open(method, joined(base_url, path), headers, b"")
    round_ = Round(endpoint, response_id, head.status, head.content_type)
    while not round_.over:
        piece: bytes | None = yield Read()
        for _ in round_.eof() if piece is None else round_.feed(piece):
            pass
    yield Close()
    flaw = round_.flaw()
    if flaw is not None and flaw.kind == "http":
        raise StreamError(
            flaw.reason, kind="http", status=head.status, facts=[f"status: {head.status}"]
        )
    said = round_.heard.build(None)
    meta = Meta(
        response_id=round_.response_id or response_id,
        model=said.model,
        usage=said.usage or {},
        finish_reason=said.finish_reason,
        status=flaw.kind if flaw else "completed",
        endpoint=endpoint.name,
    )
    return Response(said.text, meta, round_.messages())
