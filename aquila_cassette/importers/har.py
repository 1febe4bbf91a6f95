"""Read HAR files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aquila_cassette.importers import values
from aquila_cassette.model import Ended, Failure, Headers, Interaction, Request, Response
from aquila_cassette.storage.bodies import is_event_stream

_BEFORE = ("blocked", "dns", "connect", "send", "wait")  # ssl is a part of connect
_LONGEST = 1e9  # ms; what is longer, is infinite, or is -1 says nothing
_VERSIONS = {"2": "HTTP/2", "2.0": "HTTP/2", "3": "HTTP/3", "3.0": "HTTP/3", "1.0": "HTTP/1.0"}


def read(tree: Any) -> tuple[tuple[Interaction, ...], tuple[str, ...]] | None:
    """Return what a HAR file holds, and a line for what is skipped; None if it is no such file."""
    entries = _mapping(_mapping(tree).get("log")).get("entries")
    if not isinstance(entries, list):
        return None
    kept = [
        place
        for place, entry in enumerate(entries)
        if _mapping(_mapping(entry).get("response")).get("status") != 101  # another protocol
    ]
    upgrades = len(entries) - len(kept)
    found = tuple(_interaction(entries, place) for place in kept)
    return found, (f"{upgrades} of WebSocket",) if upgrades else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _interaction(entries: list[Any], place: int) -> Interaction:
    what = f"entry {place + 1}"
    entry = values.mapping(entries, place, what)
    request = values.mapping(entry, "request", f"the request of {what}")
    response = values.mapping(entry, "response", f"the response of {what}")
    received = _headers(response)
    return Interaction(
        Request(
            values.text(request, "method", "the request").upper(),
            values.text(request, "url", "the request").partition("#")[0],
            _headers(request),
            _sent(request),
        ),
        _response(response, received, entry.get("timings")),
        recorded_at=values.timestamp(entry.get("startedDateTime"), received),
    )


def _headers(fields: Mapping[str, Any]) -> Headers:
    # Those that begin with a colon are HTTP/2's for the method and the URL. Browsers join fields of
    # one name, such as set-cookie, by line breaks.
    return tuple(
        (name, line)
        for name, value in values.headers(fields.get("headers"))
        if not name.startswith(":")
        for line in value.split("\n")
    )


def _sent(request: Mapping[str, Any]) -> bytes:
    post = _mapping(request.get("postData"))
    if post.get("text"):
        return _text(post)
    params = post.get("params")
    pairs = [one for one in params if isinstance(one, Mapping)] if isinstance(params, list) else []
    return urlencode([(one.get("name", ""), one.get("value") or "") for one in pairs]).encode()


def _text(content: Mapping[str, Any]) -> bytes:
    if content.get("encoding") == "base64":
        return values.from_base64(content, "text")
    return values.as_bytes(content["text"]) or b""


def _response(response: Mapping[str, Any], received: Headers, timings: Any) -> Response:
    code = response.get("status")
    if code in (0, None):
        why = str(response.get("_error") or response.get("statusText") or "no answer came")
        return values.response(None, (), b"", ended="failed", error=Failure(None, why))
    status = values.status(response, "status", code)
    content = _mapping(response.get("content"))
    body = b""
    ended: Ended = "complete"
    size = content.get("size")
    if content.get("text") is not None:
        body = _text(content)
    elif isinstance(size, int) and size > 0 and not 300 <= status < 400:
        # What was not saved cannot be replayed: to read it raises, as past any cassette's end.
        ended = "closed"
    before, after = _times(timings)
    is_stream = is_event_stream(Response(status, received))
    return values.response(
        status,
        received,
        body,
        decoded=True,
        pieces=None if after is None or is_stream else f"{after}+{len(body)}",
        headers_after=before,
        http_version=_version(str(response.get("httpVersion") or "")),
        ended=ended,
    )


def _times(timings: Any) -> tuple[int | None, int | None]:
    """Return the ms from the request to the headers, and to the end of the body."""
    times = _mapping(timings)

    def ms(name: str) -> float:
        value = times.get(name)
        return value if isinstance(value, (int, float)) and 0 <= value < _LONGEST else 0.0

    if ms("wait") == 0 and ms("receive") == 0:
        return None, None
    before = sum(map(ms, _BEFORE))
    return round(before), round(before + ms("receive"))


def _version(text: str) -> str:
    return _VERSIONS.get(text.lower().removeprefix("http/").removeprefix("h"), "HTTP/1.1")
