"""Intercept HTTP libraries: the list of adapters and the patches of each."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from aquila_cassette.http.patching import is_patched, when_imported

_LIBRARIES = {
    "httpx": ("httpx", "AsyncHTTPTransport.handle_async_request"),
    "httpx2": ("httpx", "AsyncHTTPTransport.handle_async_request"),
    "http.client": ("http_client", "HTTPConnection.connect"),
    "botocore.httpsession": ("retries", "URLLib3Session.send"),
    "*._base_client": ("retries", "SyncAPIClient.request"),
    "tenacity": ("retries", "RetryCallState.set_exception"),
    "backoff._sync": ("retries", "_next_wait"),
    "backoff._async": ("retries", "_next_wait"),
    "aiohttp": ("aiohttp", "ClientSession._request"),
    "tornado.simple_httpclient": ("tornado", "_HTTPConnection.run"),
    "lm15.transports": ("lm15", "StdlibAsyncTransport._do_stream"),
    "dspy._vendor.lm15.transports": ("lm15", "StdlibAsyncTransport._do_stream"),
    "grpc": ("grpc", "secure_channel"),
    "socket": ("connections", "getaddrinfo"),
    "asyncio.base_events": ("connections", "BaseEventLoop.getaddrinfo"),
    "uvloop": ("connections", "Loop.create_datagram_endpoint"),
    "curl_cffi.curl": ("connections", "Curl.setopt"),
    "pycurl": ("connections", "Curl.setopt"),
    "multiprocessing.process": ("connections", "BaseProcess.start"),
    "threading": ("connections", "Thread.start"),
    "concurrent.futures.thread": ("connections", "ThreadPoolExecutor.submit"),
}
"""The adapter of each library, and the last method that it patches; ``*`` is any package."""


def install() -> None:
    """Patch the HTTP libraries that are imported, and those that will be."""
    for name, hook in _HOOKS.items():
        when_imported(name, hook)


def _install(adapter: str, target: str, lib: ModuleType) -> None:
    name, _, method = target.rpartition(".")
    owner = getattr(lib, name, None) if name else lib
    if owner is not None and not is_patched(owner, method):
        module = importlib.import_module(f"aquila_cassette.http.{adapter}")
        if hasattr(module, "install"):  # not yet where its own import is what brought the library
            module.install(lib)


_HOOKS = {name: functools.partial(_install, *how) for name, how in _LIBRARIES.items()}
