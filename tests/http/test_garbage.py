"""What the garbage collector finds at any moment may be a stream that is being recorded."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila_cassette import Response, aquila_cassette
from aquila_cassette.options import Mode
from aquila_cassette.session.current_session import owner_finders
from tests.servers import RawServer, chat


def test_a_stream_that_is_collected_while_its_recording_is_redacted_blocks_nobody(
    tmp_path: Path,
) -> None:
    def collecting(response: Response) -> Response:
        gc.collect()
        return response

    with (
        RawServer(chat) as server,
        aquila_cassette(
            "garbage", mode="once", cassette_dir=tmp_path, before_record_response=collecting
        ) as cassette,
        httpx.Client(verify=False) as client,
    ):
        request = client.build_request("POST", f"{server.url}/v1/chat/completions", json={})
        response = client.send(request, stream=True)
        pieces: Any = response.iter_raw()
        for piece in pieces:
            if b"[DONE]" in piece:
                break
        response.close()
        cycle: list[Any] = [pieces, response]
        cycle.append(cycle)
        del pieces, response, cycle
        assert len(cassette.recorded) == 1


@pytest.fixture
def outside_pytest() -> Iterator[None]:
    """Let blocks answer for themselves; a test's are held until it ends."""
    owner_finders.append(lambda: None)
    yield
    owner_finders.pop()


@pytest.mark.usefixtures("outside_pytest")
async def test_a_task_that_lives_on_holds_no_cassette_of_the_blocks_it_was_in(
    tmp_path: Path,
) -> None:
    async def ask(mode: Mode) -> weakref.ref[Any]:
        async with (
            aquila_cassette("one", mode=mode, cassette_dir=tmp_path) as cassette,
            httpx.AsyncClient(verify=False) as client,
        ):
            await client.post(f"{server.url}/v1/chat/completions", json={})
        return weakref.ref(cassette)

    with RawServer(chat) as server:
        await ask("all")
        cassettes = [await ask("none") for _ in range(3)]
    await asyncio.sleep(0)  # its loop lets go of timers that were called off
    gc.collect()
    assert [one() for one in cassettes] == [None, None, None]
