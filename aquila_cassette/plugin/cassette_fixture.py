"""The fixture `cassette`, a plugin of its own: where cassetter is installed the name is taken.

cassetter has an automatic fixture of this name. A second one would shadow it, and its tests would
run without their cassettes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from aquila_cassette.plugin import naming
from aquila_cassette.plugin.fixtures import MARKED, opened

if TYPE_CHECKING:
    from aquila_cassette.session.cassette import Cassette

__all__ = ["cassette"]


@pytest.fixture
def cassette(request: pytest.FixtureRequest, _aquila_test: None) -> Iterator[Cassette]:
    """Open the cassette of the test's marker, or one that is named after the test."""
    if MARKED in request.node.stash:
        yield request.node.stash[MARKED]
        return
    yield from opened(request, naming.default_name(request.node))
