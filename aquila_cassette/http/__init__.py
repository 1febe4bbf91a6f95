"""Adapters: they intercept the requests of HTTP libraries, and hand them to the dispatcher."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from aquila_cassette.http.patching import when_imported

__all__ = ["install"]

_LIBRARIES = {
    "httpx": ("httpx", "AsyncHTTPTransport"),
    "httpx2": ("httpx", "AsyncHTTPTransport"),
    "http.client": ("http_client", "error"),
    "botocore.httpsession": ("botocore", "URLLib3Session"),
    "aiohttp": ("aiohttp", "BaseConnector"),
    "tornado.simple_httpclient": ("tornado", "_HTTPConnection"),
    "lm15.transports": ("lm15", "StdlibAsyncTransport"),
    "dspy._vendor.lm15.transports": ("lm15", "StdlibAsyncTransport"),
    "grpc": ("grpc", "intercept_channel"),
}
"""The adapter of each library, and a name without which the library is not fully imported yet."""


def install() -> None:
    """Patch the HTTP libraries that are imported, and those that will be."""
    for name, (adapter, needed) in _LIBRARIES.items():
        when_imported(name, functools.partial(_install, adapter, needed))


def _install(adapter: str, needed: str, lib: ModuleType) -> None:
    if hasattr(lib, needed):  # else another thread is importing it: the next block comes here again
        importlib.import_module(f"aquila_cassette.http.{adapter}").install(lib)
