"""Let a miss pass through botocore, which would wrap and retry it (boto3 itself: `http_client`)."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from aquila_cassette.errors import AquilaError
from aquila_cassette.http.patching import patch


def install(lib: ModuleType) -> None:
    """Patch the session of botocore, the module ``botocore.httpsession``."""
    patch(lib.URLLib3Session, "send", functools.partial(_send, lib.HTTPClientError))


def _send(wrapping: type[Exception], original: Any, _session: Any, request: Any) -> Any:
    __tracebackhide__ = True
    try:
        return original(request)
    except wrapping as error:
        cause = getattr(error, "kwargs", {}).get("error")
        if isinstance(cause, AquilaError):
            raise cause from None
        raise
