"""The examples of the client's documentation run as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.client import Client
from aquila_cassette.provider import Provider
from tests.client.talk import answering
from tests.servers import CHAT_FRAMES

DOCS = Path(__file__).parents[2] / "docs"


def examples(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)


def test_the_examples_of_the_clients_page_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
        scope: dict[str, Any] = {"__name__": "docs"}
        for source in examples("client.md"):
            exec(source, scope)
        scope["client"].close()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Hello!")
    assert re.fullmatch(r"stop, \d+ tokens", lines[1])


def test_the_endpoint_of_the_dialects_page_asks_and_listens() -> None:
    scope: dict[str, Any] = {}
    (source,) = examples("adding-a-dialect.md")
    exec(source, scope)
    asked: list[Any] = []
    client = Client(
        answering(b"".join(CHAT_FRAMES), asked=asked),
        endpoint=scope["HOUSE_CHAT"],
        model="house-1",
        api_key="k",
    )
    assert client.ask("Hi").text == "Hello, wörld"
    assert asked[0].url == "https://models.house.example/v2/talk"
    assert asked[0].headers["x-house-key"] == "k"
