"""What each SDK says is on the project's own cassettes, and stays there."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anthropic
import httpx
import openai
import pytest
from google import genai

from aquila_cassette.api import Block

Open = Callable[..., Block]

PROMPT = [{"role": "user", "content": "Say hello"}]
CASSETTES = Path(__file__).parents[2] / "cassettes"


def test_openai_chat_completions(aquila_cassette: Open, provider: str) -> None:
    with aquila_cassette("chat.completions"), _openai(provider) as client:
        stream = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=PROMPT,  # type: ignore[arg-type]
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.startswith("Hello")
    assert chunks[-1].usage is not None


async def test_openai_responses(aquila_cassette: Open, provider: str) -> None:
    async with (
        aquila_cassette("responses"),
        openai.AsyncOpenAI(base_url=f"{provider}/v1", api_key="sk-own") as client,
    ):
        stream = await client.responses.create(model="gpt-4o-mini", input="Say hello", stream=True)
        events = [event async for event in stream]
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text.startswith("Hello")


def test_anthropic_messages(aquila_cassette: Open, provider: str) -> None:
    with (
        aquila_cassette("messages"),
        anthropic.Anthropic(base_url=provider, api_key="sk-own") as client,
        client.messages.stream(
            model="claude-sonnet-5-5",
            max_tokens=100,
            messages=PROMPT,  # type: ignore[arg-type]
        ) as stream,
    ):
        text = "".join(stream.text_stream)
    assert text.startswith("Hello")


def test_gemini(aquila_cassette: Open, provider: str) -> None:
    with aquila_cassette("gemini"):
        client = genai.Client(api_key="own", vertexai=False, http_options={"base_url": provider})
        stream = client.models.generate_content_stream(
            model="gemini-2.5-flash", contents="Say hello"
        )
        text = "".join(part.text or "" for part in stream)
    assert text.startswith("Hello")


def test_a_reader_that_stops_early(aquila_cassette: Open, provider: str) -> None:
    with aquila_cassette("chat.stopped") as cassette, _openai(provider) as client:
        with client.chat.completions.create(
            model="gpt-4o-mini",
            messages=PROMPT,  # type: ignore[arg-type]
            stream=True,
        ) as stream:
            for _ in range(3):
                next(stream)
    (interaction,) = cassette.played or cassette.recorded
    assert interaction.response.ended == "closed"


def test_a_rate_limit(aquila_cassette: Open, provider: str) -> None:
    with aquila_cassette("chat.rate_limited"), _openai(provider) as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(
                model="error-429",
                messages=PROMPT,  # type: ignore[arg-type]
                stream=True,
            )


def test_what_the_docstrings_ask_for(aquila_cassette: Open, provider: str) -> None:
    with aquila_cassette("docs/models"):
        assert httpx.get(f"{provider}/v1/models").json()["object"] == "list"


def test_recording_them_again_changes_only_dates_and_timings(tmp_path: Path) -> None:
    this = [*Path(__file__).parts[-3:]]
    command = [sys.executable, "-m", "pytest", "/".join(this), "-q", "-n0", "-k", "not again"]
    subprocess.run(
        [*command, "--aquila-record=all", f"--aquila-cassette-dir={tmp_path}"],
        cwd=CASSETTES.parent,
        check=True,
        capture_output=True,
    )
    names = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.yaml"))
    assert names == sorted(
        path.relative_to(CASSETTES)
        for path in CASSETTES.rglob("*.yaml")
        if "recorded_by: tests/own/" in path.read_text("utf-8")
    )
    for name in names:
        assert _timeless(tmp_path / name) == _timeless(CASSETTES / name), name


def _timeless(path: Path) -> str:
    """Give a cassette without its dates and times, and without how pieces coalesced."""
    text = path.read_text("utf-8")
    text = re.sub(r'recorded_at: "[^"]+"', "recorded_at: -", text)
    return re.sub(r"^    (pieces|headers_after): .*$", r"    \1: -", text, flags=re.MULTILINE)


def _openai(provider: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{provider}/v1", api_key="sk-own", max_retries=0)
