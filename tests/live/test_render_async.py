"""`render_async` with the SDKs that people use, in tasks and in threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila_cassette import RenderTimeout, aquila_cassette
from aquila_cassette.live import render_async
from aquila_cassette.provider import Provider
from tests.live.scenarios import APPS, SCENARIOS, Page, Scenario, opened


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cassettes")


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


@pytest.mark.parametrize("name", APPS)
async def test_a_stream_that_hangs_is_told_with_its_reader_when_the_time_is_up(
    name: str, tapes: Path, provider: str
) -> None:
    async with opened(name, provider) as app:
        tape = {"cassette_dir": tapes, "on_unplayed": "ignore"}
        for hold in (False, True):
            page = Page()
            mode = "none" if hold else "once"
            with aquila_cassette(f"{name}-hang", mode=mode, hold=hold, **tape):
                SCENARIOS[0].start(app, page)
                if not hold:
                    await render_async(page, streams=1)
                    continue
                with pytest.raises(RenderTimeout) as raised:
                    await render_async(page, streams=1, timeout=0.2)
            await render_async(page)
    text = str(raised.value)
    assert text.startswith("render_async: 1 thing still going on after 0.2 s.\n  pending: POST ")
    assert "    prompt: 'Say hello'\n" in text
    assert "    events: 0 of " in text
    assert "    reader: tests/live/scenarios.py:" in text
