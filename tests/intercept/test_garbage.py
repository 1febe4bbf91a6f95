"""What the garbage collector finds at any moment may be a stream that is being recorded."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import httpx

from aquila_cassette import Response, aquila_cassette
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
