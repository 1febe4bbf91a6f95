"""A miss shows no live key, however much pytest is asked to print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Suite = Callable[..., pytest.RunResult]

KEY = "sk-test-1234567890abcdef"
SOURCE = """
import asyncio, anthropic, openai

def test_openai(aquila_cassette):
    with aquila_cassette("x"):
        openai.OpenAI(base_url=URL, max_retries=0).models.list()

def test_openai_async(aquila_cassette):
    async def ask():
        async with aquila_cassette("x"):
            await openai.AsyncOpenAI(base_url=URL, max_retries=0).chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
    asyncio.run(ask())

def test_anthropic(cassette):
    anthropic.Anthropic(base_url=URL, max_retries=0).messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
    )

def test_swallowed(cassette):
    try:
        openai.OpenAI(base_url=URL, max_retries=0).models.list()
    except Exception:
        pass
"""


@pytest.mark.parametrize("shown", [["-vvv"], ["-l", "-vv"]])
def test_a_miss_shows_no_key(
    suite: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, shown: list[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    result = suite(SOURCE, "--aquila-record=none", "--junitxml=report.xml", *shown)
    result.assert_outcomes(failed=4)
    texts = [result.stdout.str(), result.stderr.str(), Path("report.xml").read_text("utf-8")]
    assert [line for text in texts for line in text.splitlines() if KEY in line] == []
    assert texts[0].count("No interaction matches") >= 4
