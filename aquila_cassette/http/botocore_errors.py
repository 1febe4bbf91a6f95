"""botocore wraps what it does not know, and tries it again; a miss shall come out as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from aquila_cassette.errors import AquilaError
from aquila_cassette.http.patching import put_in

__all__ = ["install"]


def install(lib: ModuleType) -> None:
    """Let errors of ours pass through botocore's session.

    Args:
        lib: The module ``botocore.httpsession``.
    """
    session = getattr(lib, "URLLib3Session", None)
    if session is not None:
        put_in(session, "send", functools.partial(_send, lib))


def _send(lib: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    def send(session: Any, request: Any) -> Any:
        try:
            return original(session, request)
        except lib.HTTPClientError as error:
            cause = error.kwargs.get("error")
            if isinstance(cause, AquilaError):
                raise cause from None
            raise

    return send
