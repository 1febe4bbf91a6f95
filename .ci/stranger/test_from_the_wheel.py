"""A suite of somebody who has just installed the wheel: no other package, no repository."""

import httpx

from aquila_cassette import aquila_cassette
from aquila_cassette.provider import Provider

PROMPT = {
    "model": "aquila-1",
    "stream": True,
    "messages": [{"role": "user", "content": "Say hello"}],
}


def ask(url: str) -> bytes:
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=PROMPT) as response:
        return b"".join(response.iter_raw())


def test_a_recorded_stream_replays_without_its_provider() -> None:
    with Provider(port=8123) as provider, aquila_cassette("hello") as cassette:
        first = ask(provider.url)
    if cassette.recorded:
        with aquila_cassette("hello", mode="none"):
            assert ask(provider.url) == first
    assert b"[DONE]" in first
