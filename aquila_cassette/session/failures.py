"""Decide whether an answer failed, and sort exceptions of HTTP libraries into categories."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from aquila_cassette.dialects import read_message
from aquila_cassette.model import Failure, Interaction

_CLASSES = {
    "connect": "ConnectError ConnectionRefusedError gaierror ProxyError NewConnectionError"
    " ClientConnectorError ClientConnectorDNSError ClientProxyConnectionError",
    "tls": "SSLError SSLCertVerificationError ClientSSLError"
    " ClientConnectorSSLError ClientConnectorCertificateError",
    "connect-timeout": "ConnectTimeout PoolTimeout ConnectionTimeoutError",
    "timeout": "TimeoutError ReadTimeout WriteTimeout ServerTimeoutError SocketTimeoutError"
    " HTTPTimeoutError",
    "reset": "ConnectionError ConnectionResetError ConnectionAbortedError BrokenPipeError"
    " ReadError WriteError CloseError ClientOSError",
    "closed": "RemoteDisconnected ServerDisconnectedError HTTPStreamClosedError",
    "protocol": "HTTPException IncompleteRead BadStatusLine InvalidChunkLengthError ProtocolError"
    " RemoteProtocolError LocalProtocolError ClientPayloadError",
    "decode": "DecodingError ContentEncodingError",
}
"""The classes that libraries raise, by category: also for cassettes that state no category."""

_CATEGORIES = {name: category for category, names in _CLASSES.items() for name in names.split()}


def failure_of(error: BaseException) -> Failure:
    """Return `error` as a cassette keeps it."""
    names = [cls.__name__ for cls in type(error).__mro__]
    category = next((_CATEGORIES[name] for name in names if name in _CATEGORIES), None)
    return Failure(names[0], str(error), category)


def with_category(failure: Failure) -> Failure:
    """Return `failure` with a category, if its class has one: older cassettes state none."""
    if failure.category is not None:
        return failure
    return replace(failure, category=_CATEGORIES.get(failure.type or ""))


_KEY_STATUSES = (401, 403, 407)
_LIMIT_STATUSES = (402, 408, 425, 429)
_KEY_WORDS = re.compile(r"api.?key", re.IGNORECASE)
_ACCOUNT_WORDS = re.compile(r"api.?key|credit|billing|quota", re.IGNORECASE)

_CHECK_PROVIDER = "check that the provider answers"


class HowFailed(NamedTuple):
    """How an answer failed. An outage has nothing to do with what was asked."""

    kind: str
    words: str
    advice: str
    is_outage: bool


def how_failed(one: Interaction) -> HowFailed | None:
    """Return how an answer failed, None for a good one; nothing else defines a failed answer.

    A consumer that stops early is no failure, but an answer of which nothing was read is one.

    >>> from aquila_cassette.model import Interaction, Request, Response
    >>> asked = Request("GET", "https://a.example")
    >>> how_failed(Interaction(asked, Response(200))) is None
    True
    >>> how_failed(Interaction(asked, Response(401))).advice
    'check the API key'
    """
    response = one.response
    status, error, body = response.status, response.error, response.body
    reported = ""
    if b"error" in body:  # parsing the whole answer takes a thousand times as long
        reported = read_message(response.header("content-type"), body).error or ""
    if response.ended == "failed":
        name = error.type if error else None
        message = error.message if error else ""
        words = f"{name}: {message}" if name else message
        begun = "" if status is None else f"HTTP {status}, then "
        return HowFailed(name or "a stream that broke off", begun + words, _CHECK_PROVIDER, True)
    if status is None or (response.ended == "closed" and not response.pieces):
        words = "the request was given up before an answer came"
        return HowFailed("no answer", words, _CHECK_PROVIDER, True)
    if status >= 400:
        words = f"HTTP {status}: {reported}" if reported else f"HTTP {status}"
        if status in _KEY_STATUSES or _KEY_WORDS.search(reported):
            return HowFailed(f"HTTP {status}", words, "check the API key", True)
        if status in _LIMIT_STATUSES or _ACCOUNT_WORDS.search(reported):
            advice = "wait, or check the account's limits"
            return HowFailed(f"HTTP {status}", words, advice, True)
        return HowFailed(f"HTTP {status}", words, _CHECK_PROVIDER, status >= 500)
    if reported:
        words = f"HTTP {status}, then the error: {reported}"
        return HowFailed("an error of the provider", words, _CHECK_PROVIDER, True)
    return None
