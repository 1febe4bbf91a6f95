"""gRPC: no cassette can hold it, so a call inside a block says so instead of slipping by."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from aquila_cassette.errors import UnsupportedError
from aquila_cassette.http.patching import put_in
from aquila_cassette.session import current as scope

__all__ = ["install"]


def install(grpc: ModuleType) -> None:
    """Let each channel that is made from now on refuse calls inside a block.

    Args:
        grpc: The module ``grpc`` of grpcio.
    """
    if not hasattr(grpc, "intercept_channel"):
        return  # another thread is importing it; the next block that opens comes by again
    refusal = _refusal(grpc)
    for name in ("insecure_channel", "secure_channel"):
        put_in(grpc, name, lambda make: _guarded(make, grpc, refusal))
        put_in(grpc.aio, name, lambda make: _guarded_aio(make, _aio_refusals(grpc)))


def _guarded(make: Callable[..., Any], grpc: Any, refusal: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: grpc.intercept_channel(make(*args, **kwargs), refusal)


def _guarded_aio(make: Callable[..., Any], refusals: list[Any]) -> Callable[..., Any]:
    def channel(*args: Any, interceptors: Any = None, **kwargs: Any) -> Any:
        return make(*args, interceptors=[*refusals, *(interceptors or ())], **kwargs)

    return channel


def _refuse(method: Any) -> None:
    cassette = scope.current_session()
    if cassette is None:
        return
    name = method.decode() if isinstance(method, bytes) else method
    raise UnsupportedError(
        f"A gRPC call to {name} was made inside a cassette, which cannot hold gRPC.",
        facts=[f"cassette: {cassette.shown_path}"],
        fix="Fix: make the call outside the block, or use the provider's HTTP interface",
    )


def _refusal(grpc: Any) -> Any:
    """Make one interceptor for all four kinds of calls."""

    def intercept(self: Any, proceed: Any, details: Any, request: Any) -> Any:
        _refuse(details.method)
        return proceed(details, request)

    kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    bases = (
        grpc.UnaryUnaryClientInterceptor,
        grpc.UnaryStreamClientInterceptor,
        grpc.StreamUnaryClientInterceptor,
        grpc.StreamStreamClientInterceptor,
    )
    return type("Refusal", bases, {f"intercept_{kind}": intercept for kind in kinds})()


def _aio_refusals(grpc: Any) -> list[Any]:
    """Make an interceptor for each kind of call: grpc.aio sorts them by their one base."""

    async def intercept(self: Any, proceed: Any, details: Any, request: Any) -> Any:
        _refuse(details.method)
        return await proceed(details, request)

    kinds = {
        "unary_unary": grpc.aio.UnaryUnaryClientInterceptor,
        "unary_stream": grpc.aio.UnaryStreamClientInterceptor,
        "stream_unary": grpc.aio.StreamUnaryClientInterceptor,
        "stream_stream": grpc.aio.StreamStreamClientInterceptor,
    }
    return [
        type("Refusal", (base,), {f"intercept_{kind}": intercept})() for kind, base in kinds.items()
    ]
