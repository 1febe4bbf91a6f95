"""What the examples' tests record from, when they do, and read of a page."""

import functools
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from aquila_cassette.api import Block
from aquila_cassette.provider import Provider

Open = Callable[..., Block]

HELLO = "Hello! I am all ears. ☕ What shall we look at first?"


class Read(HTMLParser):
    """The tags of some HTML, with the names of their attributes, those still open, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[tuple[str, tuple[str, ...]]] = set()
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(name for name, _ in attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


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
def held(request: pytest.FixtureRequest, aquila_cassette: Open) -> Open:
    """Open a cassette of another test, held back; it is the other test that records it."""
    if request.config.getoption("--aquila-record") not in (None, "none"):
        pytest.skip("it plays what another test records")
    return functools.partial(aquila_cassette, hold=True)
