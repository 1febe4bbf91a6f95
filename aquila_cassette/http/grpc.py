"""Refuse gRPC calls inside a block with an error."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from aquila_cassette.errors import UnsupportedError
from aquila_cassette.http.patching import patch
from aquila_cassette.session.current_session import current_session

_KINDS = {
    "UnaryUnary": "intercept_unary_unary",
    "UnaryStream": "intercept_unary_stream",
    "StreamUnary": "intercept_stream_unary",
    "StreamStream": "intercept_stream_stream",
}


def install(grpc: ModuleType) -> None:
    """Have each channel that is made from now on refuse calls inside a block."""
    bases = tuple(getattr(grpc, f"{kind}ClientInterceptor") for kind in _KINDS)
    refusal = type("Refusal", bases, dict.fromkeys(_KINDS.values(), _intercept))()
    refusals = []
    for kind, method in _KINDS.items():  # grpc.aio sorts interceptors by their one base
        base = getattr(grpc.aio, f"{kind}ClientInterceptor")
        refusals.append(type("Refusal", (base,), {method: _intercept_async})())

    def channel(original: Any, *args: Any, **kwargs: Any) -> Any:
        return grpc.intercept_channel(original(*args, **kwargs), refusal)

    def async_channel(original: Any, *args: Any, interceptors: Any = None, **kwargs: Any) -> Any:
        return original(*args, interceptors=[*refusals, *(interceptors or ())], **kwargs)

    for name in ("insecure_channel", "secure_channel"):
        patch(grpc, name, channel)
        patch(grpc.aio, name, async_channel)


def _intercept(_self: Any, proceed: Any, details: Any, request: Any) -> Any:
    __tracebackhide__ = True
    _refuse(details.method)
    return proceed(details, request)


async def _intercept_async(_self: Any, proceed: Any, details: Any, request: Any) -> Any:
    __tracebackhide__ = True
    _refuse(details.method)
    return await proceed(details, request)


def _refuse(method: Any) -> None:
    __tracebackhide__ = True
    session = current_session()
    if session is None:
        return
    session.warns_if_empty = False
    name = method.decode() if isinstance(method, bytes) else method
    raise UnsupportedError(
        f"A gRPC call to {name} was made inside a cassette, which cannot hold gRPC.",
        facts=[f"cassette: {session.shown_path}"],
        fix="Fix: make the call outside the block, or use the provider's HTTP interface",
    )
