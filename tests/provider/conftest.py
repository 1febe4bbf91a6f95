from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from aquila_cassette.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(gap=0) as provider:
        yield provider


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    # A client with TLS takes a tenth of a second to make.
    with httpx.Client(verify=False, trust_env=False) as client:
        yield client
