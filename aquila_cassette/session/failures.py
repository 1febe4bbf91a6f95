"""What kind of failure an exception is, whatever the HTTP library calls it."""

from __future__ import annotations

from dataclasses import replace

from aquila_cassette.model import Failure

__all__ = ["category_of", "failure_of", "with_category"]

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


def category_of(name: str | None) -> str | None:
    """Return the category of an exception class of this name, or None.

    >>> category_of("ReadTimeout"), category_of("ValueError")
    ('timeout', None)
    """
    return _CATEGORIES.get(name or "")


def failure_of(error: BaseException) -> Failure:
    """Return `error` as a cassette keeps it."""
    names = [cls.__name__ for cls in type(error).__mro__]
    category = next((_CATEGORIES[name] for name in names if name in _CATEGORIES), None)
    return Failure(names[0], str(error), category)


def with_category(failure: Failure) -> Failure:
    """Return `failure` with a category, if its class has one: older cassettes state none."""
    if failure.category is not None:
        return failure
    return replace(failure, category=category_of(failure.type))
