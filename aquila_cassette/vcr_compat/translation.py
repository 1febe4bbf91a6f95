"""vcrpy's requests and responses as ours and back, and redacting them as suites need it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from http.client import responses
from typing import Any
from urllib.parse import unquote_plus

from vcr.request import Request as TheirRequest  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict, read_body  # type: ignore[import-untyped]

from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.model import Ended, Failure, Headers, Request, Response
from aquila_cassette.redaction import Redaction, environment_secrets
from aquila_cassette.redaction.names import FRAMING, SecretNames
from aquila_cassette.storage.pieces import LazyBody, LazyResponse, is_timeline, timeline

OURS = "aquila"
"""The key of what vcrpy's format has no place for; vcrpy ignores it."""

_KNOWN_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate", "br"})


def their_request(request: Request) -> Any:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return TheirRequest(request.method, request.url, request.body, headers)


def our_request(theirs: Any) -> Request:
    return Request(
        str(theirs.method),
        str(theirs.uri),
        tuple((name.lower(), _text(value)) for name, value in theirs.headers.items()),
        _bytes(read_body(theirs)),
    )


def their_response(response: Response) -> dict[str, Any]:
    """Return a response as vcrpy keeps it; what only we know of it is at `OURS`."""
    headers = CaseInsensitiveDict()
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    theirs: dict[str, Any] = {
        "status": {"code": response.status, "message": responses.get(response.status or 0, "")},
        "headers": headers,
        "body": {"string": response.body},
    }
    more = _only_ours(response)
    if more:
        theirs[OURS] = more
    return theirs


def our_response(theirs: Mapping[str, Any]) -> Response:
    """Return a response without content encoding; vcrpy's old form for httpx is known too."""
    if "status_code" in theirs:
        status, body = theirs["status_code"], theirs.get("content")
    else:
        status, body = theirs["status"]["code"], (theirs.get("body") or {}).get("string")
    ours = theirs.get(OURS) or {}
    pieces = ours.get("pieces")
    headers, data = _decoded(tuple(_headers(theirs.get("headers") or {})), _bytes(body))
    error = ours.get("error")
    ended: Ended = ours.get("ended", "complete")
    return LazyResponse.of(
        LazyBody(data, pieces if isinstance(pieces, str) and is_timeline(pieces) else None),
        status=status,
        headers=headers,
        headers_after=ours.get("headers_after"),
        http_version=ours.get("http_version", "HTTP/1.1"),
        ended=ended,
        error=error and Failure(error.get("type"), error["message"], error.get("category")),
    )


def _only_ours(response: Response) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if len(response.pieces) > 1:
        more["pieces"] = timeline(response.pieces)
        if response.headers_after is not None:
            more["headers_after"] = response.headers_after
    if response.http_version != "HTTP/1.1":
        more["http_version"] = response.http_version
    if response.ended != "complete":
        more["ended"] = response.ended
    if response.error is not None:
        more["error"] = asdict(response.error)
        if response.error.category is None:
            del more["error"]["category"]
    return more


def _headers(theirs: Mapping[str, Any] | Iterable[Any]) -> Iterable[tuple[str, str]]:
    pairs: Iterable[Any] = theirs.items() if isinstance(theirs, Mapping) else theirs
    for name, values in pairs:
        for value in values if isinstance(values, list | tuple) else (values,):
            yield _text(name).lower(), _text(value)


def _decoded(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    encoding = ", ".join(value for name, value in headers if name == "content-encoding")
    gone = {"transfer-encoding"}
    if encoding:
        pieces = decode_pieces(encoding, [body])
        known = {part.strip().lower() for part in encoding.split(",")} <= _KNOWN_ENCODINGS
        if pieces is not None:
            body = pieces[0]
        if pieces is not None or known:  # vcrpy, or a hook, has decoded it and left the header
            gone.add("content-encoding")
    return tuple(
        (name, value)
        for name, value in headers
        if name not in gone and not (name == "content-length" and body and value != str(len(body)))
    ), body


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(value: Any) -> bytes:
    """Return a body as bytes, in whichever form a serializer or a hook has left it."""
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if hasattr(value, "read"):
        return _bytes(value.read())
    if isinstance(value, dict):
        return json.dumps(value).encode()
    return b"".join(_bytes(part) for part in value)


class SuiteRedaction:
    """Redacts as `Redaction` does, but keeps all headers: matchers and tests of suites read them.

    Nor does it change `replacements`, what the suite itself puts in the place of secrets.
    """

    def __init__(self, redact: Redaction, replacements: Iterable[str] = ()) -> None:
        self._replacements = frozenset(replacements)
        # What is allowed counts as a value and as a name: "password" must not allow itself.
        names = SecretNames()
        values = [
            text
            for text in self._replacements
            if text and names.sensitivity(text, "sent") == "never"
        ]
        rules = redact | Redaction(allow=values)

        @lru_cache(maxsize=64)
        def keeping(names: frozenset[str]) -> Redaction:
            return rules | Redaction(keep_headers=sorted(names))

        self._keeping = keeping

    def request(self, request: Request) -> Request:
        env = environment_secrets(os.environ)
        clean = self._rules(request.headers).request(request, env=env)
        return replace(
            clean,
            url=self._url(request.url, clean.url),
            headers=self._all(request.headers, clean.headers),
        )

    def response(self, response: Response) -> Response:
        env = environment_secrets(os.environ)
        clean = self._rules(response.headers).response(response, env=env)
        return replace(clean, headers=self._all(response.headers, clean.headers))

    def _rules(self, headers: Headers) -> Redaction:
        return self._keeping(frozenset(name.lower() for name, _ in headers) - FRAMING)

    def _url(self, before: str, after: str) -> str:
        """Return `after`, with the parameters that are replacements as they were."""
        was, now = before.partition("?")[2].split("&"), after.split("?", 1)
        if before == after or len(now) == 1 or len(was) != len(now[1].split("&")):
            return after
        pairs = zip(was, now[1].split("&"), strict=True)
        query = [
            old if unquote_plus(old.partition("=")[2]) in self._replacements else new
            for old, new in pairs
        ]
        return f"{now[0]}?{'&'.join(query)}"

    def _all(self, before: Headers, after: Headers) -> Headers:
        """Return `after`, with the headers that redaction drops, or that are replacements."""
        rest = iter(after)
        pairs = [(pair, pair if pair[0].lower() in FRAMING else next(rest)) for pair in before]
        return tuple(old if old[1] in self._replacements else new for old, new in pairs)
