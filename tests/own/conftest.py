"""The project's own cassettes: recorded from the embedded provider, replayed without it.

``pytest tests/own --aquila-record=all`` records them again; `git diff` then shows dates and timings
only, since the provider answers the same request with the same bytes.
"""

from collections.abc import Iterator

import pytest

from aquila_cassette.provider import Provider

PORT = 8101  # it is part of the recorded URLs


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> Iterator[str]:
    """The provider's URL. It only runs when it is asked for something that is not on cassette."""
    if request.config.getoption("--aquila-record") in (None, "none"):
        yield f"http://127.0.0.1:{PORT}"
        return
    with Provider(port=PORT, gap=0.002) as provider:
        yield provider.url
