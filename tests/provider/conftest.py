from collections.abc import Iterator

import httpx
import pytest

from aquila_cassette.provider import Provider


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with Provider(gap=0) as provider:
        yield provider


@pytest.fixture(scope="session")
def http(provider: Provider) -> Iterator[httpx.Client]:
    # A client with TLS takes a tenth of a second to make.
    with httpx.Client(base_url=provider.url, verify=False, trust_env=False) as client:
        yield client
