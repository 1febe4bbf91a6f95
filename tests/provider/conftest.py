from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila_cassette.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(gap=0) as provider:
        yield provider
