"""The heads: where requests of each HTTP library are met. Put in once, and never taken out.

A dispatcher that is patched in for a block and taken out after it dies with the first block that
ends out of order, or with the first other tool that restores "the original" it saw. Ours stay, and
pass everything through while no cassette is open.
"""

from __future__ import annotations

from aquila_cassette.http import aiohttp as aiohttp_family
from aquila_cassette.http import botocore_errors, http_client
from aquila_cassette.http import grpc as grpc_family
from aquila_cassette.http import httpx as httpx_family
from aquila_cassette.http import lm15 as lm15_family
from aquila_cassette.http import tornado as tornado_simple
from aquila_cassette.http.imports import when_imported

__all__ = ["install"]


def install() -> None:
    """Put the heads into the HTTP libraries that are imported, and those that will be."""
    for name in ("httpx", "httpx2"):
        when_imported(name, httpx_family.install)
    when_imported("http.client", http_client.install)
    when_imported("botocore.httpsession", botocore_errors.install)
    when_imported("tornado.simple_httpclient", tornado_simple.install)
    when_imported("aiohttp", aiohttp_family.install)
    for name in ("lm15.transports", "dspy._vendor.lm15.transports"):
        when_imported(name, lm15_family.install)
    when_imported("grpc", grpc_family.install)
