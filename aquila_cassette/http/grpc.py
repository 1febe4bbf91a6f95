"""gRPC: no cassette can hold it, so a call inside a block is refused instead of passing unseen."""

from __future__ import annotations

import functools
import re
from types import ModuleType
from typing import Any

from aquila_cassette.errors import UnsupportedError
from aquila_cassette.http.patching import patch
from aquila_cassette.session.current import current_session

__all__ = ["install"]

_KINDS = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")


def install(grpc: ModuleType) -> None:
    """Have each channel that is made from now on refuse calls inside a block."""
    refusal = _refusal(grpc)
    refusals = [_async_refusal(grpc.aio, kind) for kind in _KINDS]
    for name in ("insecure_channel", "secure_channel"):
        patch(grpc, name, functools.partial(_channel, grpc, refusal))
        patch(grpc.aio, name, functools.partial(_async_channel, refusals))


def _channel(grpc: Any, refusal: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    return grpc.intercept_channel(original(*args, **kwargs), refusal)


def _async_channel(
    refusals: list[Any], original: Any, *args: Any, interceptors: Any = None, **kwargs: Any
) -> Any:
    return original(*args, interceptors=[*refusals, *(interceptors or ())], **kwargs)


def _refuse(method: Any) -> None:
    __tracebackhide__ = True
    session = current_session()
    if session is None:
        return
    name = method.decode() if isinstance(method, bytes) else method
    raise UnsupportedError(
        f"A gRPC call to {name} was made inside a cassette, which cannot hold gRPC.",
        facts=[f"cassette: {session.shown_path}"],
        fix="Fix: make the call outside the block, or use the provider's HTTP interface",
    )


def _refusal(grpc: Any) -> Any:
    """Make one interceptor for all four kinds of calls."""

    def intercept(self: Any, proceed: Any, details: Any, request: Any) -> Any:
        __tracebackhide__ = True
        _refuse(details.method)
        return proceed(details, request)

    bases = tuple(getattr(grpc, f"{kind}ClientInterceptor") for kind in _KINDS)
    return type("Refusal", bases, dict.fromkeys(map(_method_name, _KINDS), intercept))()


def _async_refusal(aio: Any, kind: str) -> Any:
    """Make an interceptor for one kind of call: grpc.aio sorts them by their one base."""

    async def intercept(self: Any, proceed: Any, details: Any, request: Any) -> Any:
        __tracebackhide__ = True
        _refuse(details.method)
        return await proceed(details, request)

    base = getattr(aio, f"{kind}ClientInterceptor")
    return type("Refusal", (base,), {_method_name(kind): intercept})()


def _method_name(kind: str) -> str:
    return "intercept" + re.sub("[A-Z]", lambda found: "_" + found[0].lower(), kind)
