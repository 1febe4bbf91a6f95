"""The same scene recorded twice: what providers answer, and what differs each time they do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from aquila_cassette.model import Headers, Interaction, Piece, Request, Response
from tests.dialects.streams import SSE, data, event, typed

__all__ = ["DIALECTS", "Noise", "Scene", "noises", "record"]

_TOOL = {"name": "get_weather", "arguments": {"city": "Paris"}}


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


def record(dialect: str, scene: Scene = Scene(), noise: Noise = Noise()) -> Interaction:
    """Return the scene as a provider of that dialect answers it."""
    path, body = DIALECTS[dialect](scene, noise)
    asked = {"model": "m", "messages": [{"role": "user", "content": scene.ask}]}
    headers: Headers = (("content-type", SSE), ("x-ratelimit-remaining", str(noise.number)))
    bounds = [0, *(cut for cut in noise.pieces if cut < len(body)), len(body)]
    pieces = tuple(Piece(700 + noise.late, body[a:b]) for a, b in pairwise(bounds))
    return Interaction(
        Request("POST", f"https://example.com{path}", body=json.dumps(asked).encode()),
        Response(200, headers, pieces, headers_after=noise.late),
        recorded_at=f"2026-11-{noise.number % 28 + 1:02d}T10:30:00Z",
    )


def _chunks(text: str, noise: Noise) -> list[str]:
    bounds = [0, *(cut for cut in noise.cuts if cut < len(text)), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


def _call(scene: Scene) -> str:
    return json.dumps({"city": scene.city})


def _chat(scene: Scene, noise: Noise) -> tuple[str, bytes]:
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
    return "/v1/chat/completions", comment + data(*chunks, "[DONE]")


def _responses(scene: Scene, noise: Noise) -> tuple[str, bytes]:
    ids = {"item_id": f"item_{noise.mark}", "sequence_number": noise.number}
    base = {"id": f"resp_{noise.mark}", "model": "m", "created_at": noise.number}
    call = {"type": "function_call", "call_id": f"call_{noise.mark}", "id": f"fc_{noise.mark}",
            "name": "get_weather"}  # fmt: skip
    texts = [("response.reasoning_summary_text.delta", 0, scene.thought),
             ("response.output_text.delta", 1, scene.text),
             ("response.function_call_arguments.delta", 2, _call(scene))]  # fmt: skip
    added = {"type": "response.output_item.added", "output_index": 2, "item": {**call}}
    deltas = [
        {"type": type_, "output_index": at, "delta": chunk, "obfuscation": noise.padding, **ids}
        for type_, at, text in texts
        for chunk in _chunks(text, noise)
    ]
    done = {
        **base,
        "status": scene.stop,
        "completed_at": noise.number + 5,
        "output": [
            {"type": "message", "id": f"msg_{noise.mark}", "content": [{"text": scene.text}]},
            {**call, "arguments": _call(scene)},
        ],
        "usage": {"output_tokens": scene.tokens},
    }
    return "/v1/responses", typed(
        {"type": "response.created", "response": {**base, "status": "in_progress"}},
        *([{"type": "keepalive", **ids}] if noise.pings else ()),
        added,
        *deltas,
        {"type": "response.output_text.done", "output_index": 1, "text": scene.text, **ids},
        {"type": "response.completed", "response": done},
    )


def _messages(scene: Scene, noise: Noise) -> tuple[str, bytes]:
    start = {"id": f"msg_{noise.mark}", "type": "message", "role": "assistant", "model": "m",
             "usage": {"output_tokens": 1 + noise.number % 5}}  # fmt: skip
    call = {"type": "tool_use", "id": f"toolu_{noise.mark}", "name": "get_weather", "input": {}}
    blocks: list[tuple[dict[str, Any], str, str, str]] = [
        ({"type": "thinking", "thinking": ""}, "thinking_delta", "thinking", scene.thought),
        ({"type": "text", "text": ""}, "text_delta", "text", scene.text),
        (call, "input_json_delta", "partial_json", _call(scene)),
    ]
    values: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, (block, type_, name, text) in enumerate(blocks):
        values.append({"type": "content_block_start", "index": index, "content_block": block})
        values += [
            {"type": "content_block_delta", "index": index, "delta": {"type": type_, name: chunk}}
            for chunk in _chunks(text, noise)
        ]
        if index == 0:
            signed = {"type": "signature_delta", "signature": noise.mark * 9}
            values.append({"type": "content_block_delta", "index": 0, "delta": signed})
        values.append({"type": "content_block_stop", "index": index})
    ending = {"delta": {"stop_reason": scene.stop}, "usage": {"output_tokens": scene.tokens}}
    values += [{"type": "message_delta", **ending}, {"type": "message_stop"}]
    if noise.pings:
        values.insert(1, {"type": "ping"})
    # Anthropic pads its JSON with spaces.
    frames = [event(one["type"], one).replace(b"}\n\n", b"}" + b" " * (noise.number % 4) + b"\n\n")
              for one in values]  # fmt: skip
    return "/v1/messages", b"".join(frames)


def _gemini(scene: Scene, noise: Noise) -> tuple[str, bytes]:
    call = {"functionCall": {"name": "get_weather", "args": {"city": scene.city}}}
    parts: list[dict[str, Any]] = [
        *({"text": chunk, "thought": True} for chunk in _chunks(scene.thought, noise)),
        *({"text": chunk} for chunk in _chunks(scene.text, noise)),
        {**call, "thoughtSignature": noise.mark * 9},
    ]
    head = {"modelVersion": "m", "responseId": noise.mark, "createTime": f"{noise.number}"}
    chunks = [
        {**head, "candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}],
         "usageMetadata": {"totalTokenCount": at}}
        for at, part in enumerate(parts)
    ]  # fmt: skip
    last = {"candidates": [{"finishReason": scene.stop, "avgLogprobs": -1 / noise.number}]}
    counted = {"usageMetadata": {"totalTokenCount": scene.tokens}}
    path = "/v1beta/models/m:streamGenerateContent?alt=sse"
    return path, data(*chunks, {**head, **last, **counted}, eol="\r\n")


DIALECTS = {"chat": _chat, "responses": _responses, "messages": _messages, "gemini": _gemini}
