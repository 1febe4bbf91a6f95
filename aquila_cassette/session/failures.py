"""Decide whether an answer failed, and so what a failed test keeps; categories of the exceptions of libraries."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from aquila_cassette.dialects.reading import read_message
from aquila_cassette.model import Failure, Interaction

_CLASSES = {
    "connect": "ConnectError ClientConnectorError NewConnectionError ConnectionRefusedError gaierror"
    " ProxyError ClientConnectorDNSError ClientProxyConnectionError",
    "tls": "ClientConnectorCertificateError SSLError (ConnectError) SSLCertVerificationError"
    " ClientSSLError ClientConnectorSSLError",
    "connect-timeout": "ConnectTimeout ConnectionTimeoutError (ConnectTimeoutError)"
    " (HTTPTimeoutError) (TimeoutError) PoolTimeout",
    "timeout": "ReadTimeout SocketTimeoutError HTTPTimeoutError TimeoutError WriteTimeout"
    " ServerTimeoutError",
    "reset": "ReadError ClientOSError ConnectionResetError ConnectionError ConnectionAbortedError"
    " BrokenPipeError WriteError CloseError",
    "closed": "(RemoteProtocolError) ServerDisconnectedError HTTPStreamClosedError (ReadError)"
    " RemoteDisconnected",
    "protocol": "RemoteProtocolError (ServerDisconnectedError) (HTTPStreamClosedError) ProtocolError"
    " ClientPayloadError HTTPException IncompleteRead BadStatusLine InvalidChunkLengthError"
    " LocalProtocolError",
    "decode": "DecodingError ContentEncodingError (ClientPayloadError) (ProtocolError)",
}
"""The classes of a category, of all libraries; on replay each raises the first that it has.

Those in brackets belong to another category, and are for libraries that have none of this one.
"""

RAISED = {
    category: tuple(re.sub("[()]", "", names).split()) for category, names in _CLASSES.items()
}
_CATEGORIES = {name: one for one, names in _CLASSES.items() for name in names.split()}


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


class HowFailed(NamedTuple):
    """How an answer failed: in a word or two, and in a line."""

    kind: str
    words: str


def how_failed(one: Interaction) -> HowFailed | None:
    """Return how an answer failed, None for a good one: this decides what is saved, and is shown.

    Our client raises for more, which a cassette keeps like any answer (refusals, say). A consumer that stops early is no failure, but an answer of which nothing was read is one.
    """
    response = one.response
    status, error, body = response.status, response.error, response.body
    if response.ended == "failed":
        name = error.type if error else None
        message = error.message if error else ""
        begun = "" if status is None else f"HTTP {status}, then "
        words = f"{begun}{name}: {message}" if name else begun + message
        return HowFailed(name or "a stream that broke off", words)
    if status is None:
        return HowFailed("no answer", "the request was given up before an answer came")
    reported = ""
    if b"error" in body:  # parsing the whole answer takes a thousand times as long
        reported = read_message(response.header("content-type"), body).error or ""
    if status >= 400:
        words = f"HTTP {status}: {reported}" if reported else f"HTTP {status}"
        return HowFailed(f"HTTP {status}", words)
    if response.ended == "closed" and not response.pieces:
        words = f"HTTP {status}, but nothing of the answer was read"
        return HowFailed("an answer that nobody read", words)
    if reported:
        words = f"HTTP {status}, then the error: {reported}"
        return HowFailed("an error of the provider", words)
    return None


def is_good(one: Interaction) -> bool:
    """Return whether an answer is kept after its owner failed: whole, and no failure."""
    return one.response.ended != "closed" and how_failed(one) is None
