"""Translate requests and responses between vcrpy and our model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import cache
from http.client import responses
from typing import Any
from urllib.parse import unquote_plus

from vcr.request import Request as TheirRequest  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict, read_body  # type: ignore[import-untyped]

from aquila_cassette.importers import values
from aquila_cassette.model import Failure, Headers, Request, Response
from aquila_cassette.redaction import REDACTED, Redaction, environment_secrets
from aquila_cassette.redaction.rules import FRAMING, SecretNames
from aquila_cassette.storage.bodies import timeline

OURS = "aquila"
"""The key of what vcrpy's format has no place for; vcrpy ignores it."""


def their_request(request: Request) -> Any:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return TheirRequest(request.method, request.url, request.body, headers)


def our_request(theirs: Any) -> Request:
    headers = values.headers(theirs.headers)
    return Request(str(theirs.method), str(theirs.uri), headers, _bytes(read_body(theirs)))


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
    more: dict[str, Any] = {}
    if len(response.pieces) > 1:
        more["pieces"] = timeline(response)
        if response.headers_after is not None:
            more["headers_after"] = response.headers_after
    for name, usual in (("http_version", "HTTP/1.1"), ("ended", "complete")):
        if getattr(response, name) != usual:
            more[name] = getattr(response, name)
    if response.error is not None:
        more["error"] = asdict(response.error)
    return {**theirs, OURS: more} if more else theirs


def our_response(theirs: Mapping[str, Any]) -> Response:
    """Return a response without content encoding; vcrpy's old form for httpx is known too."""
    if "status_code" in theirs:
        status, body = theirs["status_code"], theirs.get("content")
    else:
        status, body = theirs["status"]["code"], (theirs.get("body") or {}).get("string")
    ours = dict(theirs.get(OURS) or {})
    if "error" in ours:
        ours["error"] = Failure(**ours["error"])
    return values.response(status, values.headers(theirs.get("headers")), _bytes(body), **ours)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, dict | list):
        return json.dumps(value).encode()
    if isinstance(value, Iterator):
        return b"".join(_bytes(part) for part in value)
    return bytes(value or b"")


class SuiteRedaction:
    """Redacts as `Redaction` does, but keeps all headers: matchers and tests of suites read them.

    Nor does it change `replacements`, what the suite itself puts in the place of secrets.
    """

    def __init__(self, redact: Redaction, replacements: Iterable[str]) -> None:
        self._replacements = frozenset(replacements)
        # What is allowed counts as a value and as a name: "password" must not allow itself.
        sensitivity = SecretNames().sensitivity
        allowed = [one for one in self._replacements if one and sensitivity(one, "sent") == "never"]
        rules = redact | Redaction(allow=allowed)
        self._keeping = cache(lambda names: rules | Redaction(keep_headers=names))

    def request(self, request: Request) -> Request:
        env = environment_secrets(os.environ)
        clean = self._rules(request.headers).request(request, env=env)
        url = clean.url
        for pair in request.url.partition("?")[2].split("&"):
            name, _, value = pair.partition("=")
            if unquote_plus(value) in self._replacements:
                url = url.replace(f"{name}={REDACTED}", pair)
        return replace(clean, url=url, headers=self._all(request.headers, clean.headers))

    def response(self, response: Response) -> Response:
        env = environment_secrets(os.environ)
        clean = self._rules(response.headers).response(response, env=env)
        return replace(clean, headers=self._all(response.headers, clean.headers))

    def _rules(self, headers: Headers) -> Redaction:
        return self._keeping(frozenset(name for name, _ in headers) - FRAMING)

    def _all(self, before: Headers, after: Headers) -> Headers:
        """Return `after`, with the headers that redaction drops, or that are replacements."""
        rest = iter(after)
        pairs = [(pair, pair if pair[0] in FRAMING else next(rest)) for pair in before]
        return tuple(old if old[1] in self._replacements else new for old, new in pairs)
