"""The requests and the streams that every contestant records and replays."""

from __future__ import annotations

import json
import random
from functools import lru_cache

MODEL = "gpt-4o-mini"
_WORDS = (
    " the", " of", " stream", " to", " a", " piece", " that", " is", "ing", " token", ",", ".",
    " and", " naïve", " café", "\n\n", " —", " it", " record", " each", " \"quoted\"", " model",
)  # fmt: skip


def request_body(stream: int, events: int, gap: float = 0.0) -> bytes:
    """Write the body of the request for stream number `stream`; `gap` is in seconds."""
    return _json(
        {
            "model": MODEL,
            "stream": True,
            "temperature": 0.2,
            "messages": [
                {
                    "role": "system",
                    "content": "You are a careful assistant. Use plain words.",
                },
                {"role": "user", "content": f"Tell me all that you know about topic {stream}."},
            ],
            "metadata": {"stream": str(stream), "events": str(events), "gap": str(gap)},
        }
    )


@lru_cache(maxsize=2048)
def answer(stream: int, events: int) -> tuple[bytes, ...]:
    """Write stream number `stream` as OpenAI's chat completions do, `events` frames in all."""
    words = random.Random(stream)
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": words.choice(_WORDS)} for _ in range(events - 3)]
    frames = [_frame(stream, delta, None) for delta in deltas]
    return (*frames, _frame(stream, {}, "stop"), b"data: [DONE]\n\n")


def _frame(stream: int, delta: dict[str, str], finish_reason: str | None) -> bytes:
    chunk = {
        "id": f"chatcmpl-BenchmarkStreamNumber{stream:06d}",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": MODEL,
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return b"data: " + _json(chunk) + b"\n\n"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
