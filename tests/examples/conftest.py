"""What the examples' tests record from, when they do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from aquila_cassette.api import Block
from aquila_cassette.provider import Provider


@pytest.fixture(scope="session")
def chat_provider(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from _provider(request, 8102)


@pytest.fixture(scope="session")
def textual_provider(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from _provider(request, 8103)


def _provider(request: pytest.FixtureRequest, port: int) -> Iterator[str]:
    """Give the URL, with a port that is part of the recorded URLs; it runs only to be recorded."""
    if request.config.getoption("--aquila-record") in (None, "none"):
        yield f"http://127.0.0.1:{port}"
        return
    with Provider(port=port, gap=0.002) as provider:
        yield provider.url


@pytest.fixture
def held(
    request: pytest.FixtureRequest, aquila_cassette: Callable[..., Block]
) -> Callable[..., Block]:
    """Open a cassette of another test, held back; it is the other test that records it."""
    if request.config.getoption("--aquila-record") not in (None, "none"):
        pytest.skip("it plays what another test records")
    return functools.partial(aquila_cassette, hold=True)
