"""Read HAR files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aquila_cassette.importers import values
from aquila_cassette.model import Ended, Failure, Headers, Interaction, Request, Response
from aquila_cassette.storage.bodies import is_event_stream

_LONGEST = 1e9  # ms; what is longer, is infinite, or is -1 says nothing
_VERSIONS = {"2": "HTTP/2", "2.0": "HTTP/2", "3": "HTTP/3", "3.0": "HTTP/3", "1.0": "HTTP/1.0"}


def read(tree: Any) -> tuple[Interaction, ...] | None:
    """Return what a HAR file holds but for WebSockets; None if it is no such file."""
    log = tree["log"]
    entries = log.get("entries") if isinstance(log, Mapping) else None
    if not isinstance(entries, list):
        return None
    return values.read_each([one for one in entries if not _is_websocket(one)], _interaction)


def _is_websocket(entry: Any) -> bool:
    response = entry.get("response") if isinstance(entry, Mapping) else None
    return isinstance(response, Mapping) and response.get("status") == 101


def _interaction(entry: Mapping[str, Any]) -> Interaction:
    request, response = entry["request"], entry["response"]
    received = _headers(response)
    url = values.text(request, "url").partition("#")[0]
    return Interaction(
        Request(values.text(request, "method").upper(), url, _headers(request), _sent(request)),
        _response(response, received, entry.get("timings") or {}),
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
    post = request.get("postData") or {}
    if post.get("text"):
        return _text(post)
    pairs = [(one["name"], one.get("value") or "") for one in post.get("params") or ()]
    return urlencode(pairs).encode()


def _text(content: Mapping[str, Any]) -> bytes:
    if content.get("encoding") == "base64":
        return values.from_base64(content["text"])
    return values.as_bytes(content["text"])


def _response(response: Mapping[str, Any], received: Headers, timings: Any) -> Response:
    code = response.get("status")
    if code in (0, None):
        why = str(response.get("_error") or response.get("statusText") or "no answer came")
        return values.response(None, (), b"", ended="failed", error=Failure(None, why))
    status = values.status(code)
    content = response.get("content") or {}
    body = b""
    ended: Ended = "complete"
    size = content.get("size")
    if content.get("text") is not None:
        body = _text(content)
    elif isinstance(size, int) and size > 0 and not 300 <= status < 400:
        # What was not saved cannot be replayed: to read it raises, as past any cassette's end.
        ended = "closed"
    before = _ms(timings, "blocked", "dns", "connect", "send", "wait")  # ssl is a part of connect
    after = before + _ms(timings, "receive")
    is_stream = is_event_stream(Response(status, received))
    return values.response(
        status,
        received,
        body,
        decoded=True,
        pieces=None if is_stream else f"{after}+{len(body)}",
        headers_after=before,
        http_version=_version(str(response.get("httpVersion") or "")),
        ended=ended,
    )


def _ms(timings: Mapping[str, Any], *names: str) -> int:
    found = (timings.get(name) for name in names)
    return round(sum(one for one in found if isinstance(one, (int, float)) and 0 <= one < _LONGEST))


def _version(text: str) -> str:
    return _VERSIONS.get(text.lower().removeprefix("http/").removeprefix("h"), "HTTP/1.1")
