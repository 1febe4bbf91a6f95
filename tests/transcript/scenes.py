"""The same scene recorded twice: what a provider streams, and what differs each time it does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from aquila_cassette.model import Headers, Interaction, Piece, Request, Response
from tests.dialects.streams import SSE, data

__all__ = ["Noise", "Scene", "noises", "record"]


@dataclass(frozen=True)
class Noise:
    """What differs each time."""

    mark: str = "a1"  # of ids, fingerprints and signatures
    number: int = 1  # of dates, latencies and counters
    padding: str = "abc"
    cuts: tuple[int, ...] = ()  # of texts into chunks
    pieces: tuple[int, ...] = ()  # of bodies
    late: int = 0  # ms
    pings: bool = False  # events that only keep the connection open


noises = st.builds(
    Noise,
    st.text("abc0123456789", min_size=2, max_size=8),
    st.integers(1, 10**9),
    st.integers(1, 36).map(lambda size: "abcdefghijklmnopqrstuvwxyz0123456789"[:size]),
    st.lists(st.integers(1, 12), max_size=3).map(lambda some: tuple(sorted(set(some)))),
    st.lists(st.integers(1, 400), max_size=4).map(lambda some: tuple(sorted(set(some)))),
    st.integers(0, 499),
    st.booleans(),
)


@dataclass(frozen=True)
class Scene:
    """What is the same each time, unless a test changes it."""

    ask: str = "Is it warm?"
    thought: str = "I must look."
    text: str = "One moment, please."
    city: str = "Paris"
    stop: str = "tool"
    tokens: int = 12


def record(scene: Scene = Scene(), noise: Noise = Noise()) -> Interaction:
    """Return the scene as a provider that speaks OpenAI's chat completions streams it."""
    body = _stream(scene, noise)
    asked = {"model": "m", "messages": [{"role": "user", "content": scene.ask}]}
    headers: Headers = (("content-type", SSE), ("x-ratelimit-remaining", str(noise.number)))
    bounds = [0, *(cut for cut in noise.pieces if cut < len(body)), len(body)]
    pieces = tuple(Piece(700 + noise.late, body[a:b]) for a, b in pairwise(bounds))
    return Interaction(
        Request("POST", "https://example.com/v1/chat/completions", body=json.dumps(asked).encode()),
        Response(200, headers, pieces, headers_after=noise.late),
        recorded_at=f"2026-11-{noise.number % 28 + 1:02d}T10:30:00Z",
    )


def _chunks(text: str, noise: Noise) -> list[str]:
    bounds = [0, *(cut for cut in noise.cuts if cut < len(text)), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


def _call(scene: Scene) -> str:
    return json.dumps({"city": scene.city})


def _stream(scene: Scene, noise: Noise) -> bytes:
    call = {"name": "get_weather", "arguments": ""}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        *({"reasoning_content": chunk} for chunk in _chunks(scene.thought, noise)),
        *({"content": chunk} for chunk in _chunks(scene.text, noise)),
        {"tool_calls": [{"index": 0, "id": f"call_{noise.mark}", "type": "function",
                         "function": call}]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": chunk}}]}
          for chunk in _chunks(_call(scene), noise)),
    ]  # fmt: skip
    head = {"id": f"chatcmpl-{noise.mark}", "object": "chat.completion.chunk", "model": "m",
            "created": noise.number, "system_fingerprint": f"fp_{noise.mark}"}  # fmt: skip
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
         "obfuscation": noise.padding, "p": noise.padding}
        for delta in deltas
    ]  # fmt: skip
    usage = {"completion_tokens": scene.tokens, "total_time": noise.number / 7}
    chunks += [
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": scene.stop}]},
        {**head, "choices": [], "usage": usage, "x_groq": {"id": f"req_{noise.mark}"}},
    ]
    comment = b": OPENROUTER PROCESSING\n\n" if noise.pings else b""
    return comment + data(*chunks, "[DONE]")
