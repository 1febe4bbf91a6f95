"""What the examples' tests record from, when they do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from aquila_cassette.api import Block
from aquila_cassette.provider import Provider

PORT = 8102  # it is part of the recorded URLs


@pytest.fixture(scope="session")
def chat_provider(request: pytest.FixtureRequest) -> Iterator[str]:
    """The provider's URL. It only runs when it is asked for something that is not on cassette."""
    if request.config.getoption("--aquila-record") in (None, "none"):
        yield f"http://127.0.0.1:{PORT}"
        return
    with Provider(port=PORT, gap=0.002) as provider:
        yield provider.url


@pytest.fixture
def held(
    request: pytest.FixtureRequest, aquila_cassette: Callable[..., Block]
) -> Callable[..., Block]:
    """Open a cassette of another test, held back; it is the other test that records it."""
    if request.config.getoption("--aquila-record") not in (None, "none"):
        pytest.skip("it plays what another test records")
    return functools.partial(aquila_cassette, hold=True)
