"""HAR 1.2, what browsers and proxies save of their traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aquila_cassette.importers import values
from aquila_cassette.model import Ended, Failure, Headers, Interaction, Request, Response
from aquila_cassette.storage.bodies import is_event_stream

_BEFORE = ("blocked", "dns", "connect", "send", "wait")  # ssl is a part of connect
_LONGEST = 1e9  # ms; what is longer, is infinite, or is -1 says nothing
_VERSIONS = {"2": "HTTP/2", "3": "HTTP/3", "1.0": "HTTP/1.0"}


def interactions(tree: Any) -> tuple[Interaction, ...] | None:
    """Return what a HAR file holds, None if it is none; SchemaError if it is damaged."""
    entries = _entries(tree)
    if entries is None:
        return None
    places = range(len(entries))
    return tuple(_interaction(entries, at) for at in places if not _is_upgrade(entries[at]))


def skipped(tree: Any) -> tuple[str, ...]:
    """Return a line for what no cassette can hold: upgrades to another protocol."""
    upgrades = sum(map(_is_upgrade, _entries(tree) or ()))
    return (f"{upgrades} of WebSocket",) if upgrades else ()


def _entries(tree: Any) -> list[Any] | None:
    log = tree.get("log") if isinstance(tree, Mapping) else None
    entries = log.get("entries") if isinstance(log, Mapping) else None
    return entries if isinstance(entries, list) else None


def _is_upgrade(entry: Any) -> bool:
    response = entry.get("response") if isinstance(entry, Mapping) else None
    return isinstance(response, Mapping) and response.get("status") == 101


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
    post = request.get("postData")
    if not isinstance(post, Mapping):
        return b""
    if post.get("encoding") == "base64" and "text" in post:
        return values.from_base64(post, "text")
    if post.get("text"):
        return values.as_bytes(post["text"]) or b""
    params = post.get("params")
    pairs = [one for one in params if isinstance(one, Mapping)] if isinstance(params, list) else []
    return urlencode([(one.get("name", ""), one.get("value") or "") for one in pairs]).encode()


def _response(response: Mapping[str, Any], received: Headers, timings: Any) -> Response:
    code = response.get("status")
    if code in (0, None):
        why = str(response.get("_error") or response.get("statusText") or "no answer came")
        return values.response(None, (), b"", ended="failed", error=Failure(None, why))
    status = values.status(response, "status", code)
    content = response.get("content")
    content = content if isinstance(content, Mapping) else {}
    body = b""
    ended: Ended = "complete"
    if content.get("text") is not None:
        is_base64 = content.get("encoding") == "base64"
        body = (
            values.from_base64(content, "text")
            if is_base64
            else values.as_bytes(content["text"]) or b""
        )
    else:
        size = content.get("size")
        # What was not saved cannot be replayed: to read it raises, as past any cassette's end.
        if isinstance(size, int) and size > 0 and not 300 <= status < 400:
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
    if not isinstance(timings, Mapping):
        return None, None

    def ms(name: str) -> float:
        value = timings.get(name)
        return value if isinstance(value, (int, float)) and 0 <= value < _LONGEST else 0.0

    if ms("wait") == 0 and ms("receive") == 0:
        return None, None
    before = sum(map(ms, _BEFORE))
    return round(before), round(before + ms("receive"))


def _version(text: str) -> str:
    number = text.lower().removeprefix("http/").removeprefix("h").removesuffix(".0")
    return _VERSIONS.get(number if number != "1" else "1.0", "HTTP/1.1")
