"""Raise a miss at once through SDKs, tenacity, backoff and botocore, which would catch it and ask again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from aquila_cassette.errors import AquilaError
from aquila_cassette.http.patching import patch_each


def install(lib: ModuleType) -> None:
    patch_each(lib, _METHODS)


def _request(original: Any, _client: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    try:
        return original(*args, **kwargs)
    except Exception as error:
        _raise_ours(error)
        raise


async def _request_async(original: Any, _client: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    try:
        return await original(*args, **kwargs)
    except Exception as error:
        _raise_ours(error)
        raise


def _before_retry(original: Any, _client: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    _raise_ours(sys.exc_info()[1])
    return original(*args, **kwargs)


def _raise_ours(error: object) -> None:
    """Raise the error of ours that `error` is, or was raised from."""
    __tracebackhide__ = True
    while isinstance(error, BaseException) and not isinstance(error, AquilaError):
        error = getattr(error, "kwargs", {}).get("error") or error.__cause__  # botocore keeps it so
    if isinstance(error, AquilaError) and error.passes_sdks:
        raise error from error.__cause__


_METHODS: dict[str, Callable[..., Any]] = {
    # SDKs that Stainless generates, in their `_base_client`: openai, anthropic, groq, together, ...
    "SyncAPIClient._sleep_for_retry": _before_retry,
    "AsyncAPIClient._sleep_for_retry": _before_retry,
    "SyncAPIClient.request": _request,
    "AsyncAPIClient.request": _request_async,
    # tenacity, on which stamina, LangChain, LlamaIndex and instructor build
    "RetryCallState.set_exception": _before_retry,
    # backoff
    "_next_wait": lambda original, *args: _before_retry(original, None, *args),
    # botocore
    "URLLib3Session.send": _request,
}
"""What runs between a failure and the next try, or wraps what the transport raised."""
