"""Translate requests and responses between vcrpy and our model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from vcr.request import Request as TheirRequest  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict, read_body  # type: ignore[import-untyped]

from aquila_cassette.importers import values, vcrpy
from aquila_cassette.model import Headers, Request, Response
from aquila_cassette.redaction import REDACTED, Redaction, environment_secrets
from aquila_cassette.redaction.rules import FRAMING, SecretNames


def their_request(request: Request) -> Any:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return TheirRequest(request.method, request.url, request.body, headers)


def our_request(theirs: Any) -> Request:
    body = read_body(theirs)
    data = json.dumps(body).encode() if isinstance(body, dict | list) else values.as_bytes(body)
    return Request(str(theirs.method), str(theirs.uri), values.headers(theirs.headers), data)


def their_response(response: Response) -> dict[str, Any]:
    fields = vcrpy.response_fields(response)
    return {**fields, "headers": CaseInsensitiveDict(fields["headers"])}


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
        return self._keeping(frozenset(name.lower() for name, _ in headers) - FRAMING)

    def _all(self, before: Headers, after: Headers) -> Headers:
        """Return `after`, with the headers that redaction drops, or that are replacements."""
        rest = iter(after)
        pairs = [(pair, pair if pair[0].lower() in FRAMING else next(rest)) for pair in before]
        return tuple(old if old[1] in self._replacements else new for old, new in pairs)
