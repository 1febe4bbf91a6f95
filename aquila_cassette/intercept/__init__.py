"""The heads: where requests of each HTTP library are met. Put in once, and never taken out.

A dispatcher that is patched in for a block and taken out after it dies with the first block that
ends out of order, or with the first other tool that restores "the original" it saw. Ours stay, and
pass everything through while no cassette is open.
"""

from __future__ import annotations

from aquila_cassette.intercept import aiohttp_family, grpc_family, httpx_family
from aquila_cassette.intercept.imports import when_imported

__all__ = ["install"]


def install() -> None:
    """Put the heads into the HTTP libraries that are imported, and those that will be."""
    for name in ("httpx", "httpx2"):
        when_imported(name, httpx_family.install)
    when_imported("aiohttp", aiohttp_family.install)
    when_imported("grpc", grpc_family.install)
