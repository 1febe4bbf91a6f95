from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from tests.sdks.driver import WEATHER, Ask, Driver, called
from tests.sdks.wires import TOOL
from tests.sdks.wires.bedrock import BEDROCK

__all__ = ["DRIVER"]


def _client(ask: Ask) -> Any:
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=ask.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def _arguments(ask: Ask) -> dict[str, Any]:
    spec = {"name": TOOL, "inputSchema": {"json": WEATHER}}
    tools = {"toolConfig": {"tools": [{"toolSpec": spec}]}} if ask.tool else {}
    messages = [{"role": "user", "content": [{"text": ask.prompt}]}]
    return {"modelId": "amazon.nova-lite-v1:0", "messages": messages, **tools}


def _shown(event: dict[str, Any]) -> Iterator[str]:
    if start := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
        yield called(start["name"], "")
    delta = event.get("contentBlockDelta", {}).get("delta", {})
    if "text" in delta:
        yield delta["text"]
    if "toolUse" in delta:
        yield called("", delta["toolUse"]["input"])


def stream(ask: Ask) -> Iterator[str]:
    with contextlib.closing(_client(ask)) as client:
        with contextlib.closing(client.converse_stream(**_arguments(ask))["stream"]) as events:
            for event in events:
                yield from _shown(event)


DRIVER = Driver(BEDROCK, stream, None)
