"""boto3 against bedrock: a binary event stream, signed requests, and errors that come through."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from aquila_cassette import aquila_cassette
from tests.http.cassettes import recorded
from tests.http.conftest import AWS_KEYS
from tests.servers import CHAT_TEXT, GateServer, answers
from tests.servers.bedrock import CONVERSE_FRAMES, EVENTSTREAM


def converse(url: str, *, prompt: str = "Say hello", **config: Any) -> Iterator[dict[str, Any]]:
    """Give the events of one stream."""
    options = {"retries": {"total_max_attempts": 1}, **config}
    client = boto3.client(
        "bedrock-runtime", endpoint_url=url, region_name="us-east-1", config=Config(**options)
    )
    try:
        answer = client.converse_stream(
            modelId="anthropic.claude-sonnet-5-5-v1:0",
            messages=[{"role": "user", "content": [{"text": prompt}]}],
        )
        with contextlib.closing(answer["stream"]) as events:
            yield from events
    finally:
        client.close()


def test_each_event_is_seen_before_the_next_is_sent(tmp_path: Path) -> None:
    with GateServer(CONVERSE_FRAMES, headers=EVENTSTREAM) as server:
        with aquila_cassette("bedrock") as cassette:
            live = []
            for event in converse(server.url):
                live.append(event)
                server.seen()
        url = server.url
    response = cassette.recorded[0].response
    assert [piece.data for piece in response.pieces] == list(CONVERSE_FRAMES)
    assert response.ended == "complete"
    text = [event["contentBlockDelta"]["delta"]["text"] for event in live[1:4]]
    assert tuple(text) == CHAT_TEXT
    with aquila_cassette("bedrock", mode="none"):
        assert list(converse(url)) == live
    file = (tmp_path / "cassettes" / "bedrock.yaml").read_text()
    assert "base64: |-" in file
    for secret in (*AWS_KEYS.values(), "AWS4-HMAC", "amz-sdk"):
        assert secret not in file


async def test_a_request_that_would_wait_for_100_continue_is_recorded() -> None:
    def put(url: str) -> None:
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        client.put_object(Bucket="b", Key="k", Body=b"x" * 2_000_000)
        client.close()

    server, _ = await recorded(answers(b""), put)
    assert "expect" not in server.requests[0].headers
    assert len(server.requests[0].body) >= 2_000_000
    with aquila_cassette("ends", mode="none", match_on=("method", "url")):
        put(server.url)
