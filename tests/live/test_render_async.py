"""`render_async` with the SDKs that people use, in tasks and in threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.live import render_async
from aquila_cassette.provider import Provider
from tests.live.scenarios import APPS, SCENARIOS, Page, Scenario, opened


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tapes")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The provider's address; it runs as long as something is recorded."""
    with Provider(gap=0.001) as provider:
        yield provider.url


@pytest.mark.parametrize("scenario", SCENARIOS, ids=repr)
@pytest.mark.parametrize("name", APPS)
async def test_the_page_is_whole_while_recording_and_on_replay(
    name: str, scenario: Scenario, tapes: Path, provider: str
) -> None:
    for mode in ("once", "none", "none"):
        page = Page()
        async with opened(name, provider) as app:
            with aquila_cassette(f"{name}-{scenario}", mode=mode, cassette_dir=tapes):
                scenario.start(app, page)
                # A request of a plain thread, or one that comes late, has not been made yet.
                streams = scenario.streams if app.threads or scenario.starts_late else None
                shown = await render_async(page, streams=streams)
                assert scenario.is_whole(page), (mode, page)
                assert shown == page.render()
