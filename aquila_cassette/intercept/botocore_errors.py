"""botocore wraps what it does not know, and tries it again; a miss shall come out as it is."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from aquila_cassette.errors import AquilaError

__all__ = ["install"]

_MARK = "__aquila_head__"


def install(lib: ModuleType) -> None:
    """Let errors of ours pass through botocore's session.

    Args:
        lib: The module ``botocore.httpsession``.
    """
    session = getattr(lib, "URLLib3Session", None)
    if session is None or hasattr(session.send, _MARK):
        return
    original = session.send

    @functools.wraps(original)
    def send(self: Any, request: Any) -> Any:
        try:
            return original(self, request)
        except lib.HTTPClientError as error:
            cause = error.kwargs.get("error")
            if _is_ours(cause):
                raise cause from None
            raise

    setattr(send, _MARK, True)
    session.send = send


def _is_ours(error: object) -> bool:
    # By name: an earlier import of this package (pytester makes such) has classes of its own.
    return any(
        (cls.__module__, cls.__name__) == (AquilaError.__module__, AquilaError.__name__)
        for cls in type(error).__mro__
    )
