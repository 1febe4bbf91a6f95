"""Demo cassettes for the picture of the report: made by hand, so that they tell a little story."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aquila_cassette import Interaction, Request, Response
from aquila_cassette.model import Ended, Failure, Piece
from aquila_cassette.storage import files

SSE = (("content-type", "text/event-stream; charset=utf-8"),)
JSON = (("content-type", "application/json"),)

PROOF = """\
Suppose √2 were rational: √2 = a/b, with a and b whole numbers that share no factor.

Squaring both sides gives a² = 2b², so a² is even, and therefore a is even. Write a = 2k.

Then 4k² = 2b², which is b² = 2k²: so b² is even, and b is even as well.

But then a and b share the factor 2, which we ruled out at the start. So √2 is not rational. ∎"""
THINKING = """\
The classic argument is by contradiction, with parity. I should state clearly that the fraction \
is in lowest terms, since that is what the contradiction breaks. No need for the lemma about \
primes; even and odd will do for a curious beginner."""


def words(text: str) -> list[str]:
    """Cut `text` into chunks as a model's tokens come."""
    return re.findall(r"\s*\S{1,9}", text)


def event(value: Any, type_: str | None = None) -> bytes:
    """Write one event."""
    head = f"event: {type_}\n" if type_ else ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{head}data: {text}\n\n".encode()


def chat_delta(delta: dict[str, Any], model: str, finish: str | None = None) -> bytes:
    """Write a chunk of a chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"object": "chat.completion.chunk", "model": model, "choices": [choice]})


def chat(model: str, text: str, *, finish: str = "stop", usage: tuple[int, int]) -> Iterator[bytes]:
    """Write a chat completion that says `text`."""
    yield chat_delta({"role": "assistant", "content": ""}, model)
    for chunk in words(text):
        yield chat_delta({"content": chunk}, model)
    counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    yield chat_delta({}, model, finish)
    yield event({"object": "chat.completion.chunk", "model": model, "choices": [], "usage": counts})
    yield event("[DONE]")


def chat_call(model: str, name: str, arguments: str) -> Iterator[bytes]:
    """Write a chat completion that calls a tool."""
    call: dict[str, Any] = {"index": 0, "id": "call_7Qm2", "function": {"name": name}}
    yield chat_delta({"role": "assistant", "tool_calls": [call]}, model)
    for chunk in re.findall(r".{1,7}", arguments):
        part = {"index": 0, "function": {"arguments": chunk}}
        yield chat_delta({"tool_calls": [part]}, model)
    yield chat_delta({}, model, "tool_calls")
    yield event("[DONE]")


def anthropic(model: str, thinking: str, text: str, usage: tuple[int, int]) -> Iterator[bytes]:
    """Write a message, with the thinking before it."""

    def typed(type_: str, **more: Any) -> bytes:
        return event({"type": type_, **more}, type_)

    start = {"model": model, "content": [], "usage": {"input_tokens": usage[0]}}
    yield typed("message_start", message=start)
    place = 0
    for kind, field, said in (("thinking", "thinking", thinking), ("text", "text", text)):
        if not said:
            continue
        yield typed("content_block_start", index=place, content_block={"type": kind, field: ""})
        for chunk in words(said):
            yield typed("content_block_delta", index=place, delta={field: chunk})
        yield typed("content_block_stop", index=place)
        place += 1
    yield typed(
        "message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": usage[1]}
    )
    yield typed("message_stop")


def gemini(model: str, text: str) -> Iterator[bytes]:
    """Write an answer in a few large chunks."""
    chunks = re.findall(r".{1,60}(?:\s|$)", text)
    for place, chunk in enumerate(chunks, 1):
        candidate: dict[str, Any] = {"content": {"parts": [{"text": chunk}]}}
        if place == len(chunks):
            candidate["finishReason"] = "STOP"
        yield event({"candidates": [candidate], "modelVersion": model})


def timed(
    frames: Iterable[bytes], *, first: int, gap: float, pauses: dict[int, int] | None = None
) -> tuple[Piece, ...]:
    """Give the frames times as of a network: now two in one piece, now a pause."""
    chance = random.Random(first)
    pieces: list[Piece] = []
    at = float(first)
    for place, frame in enumerate(frames):
        at += (pauses or {}).get(place, 0)
        if pieces and chance.random() < 0.18:
            pieces[-1] = Piece(pieces[-1].at, pieces[-1].data + frame)
        else:
            pieces.append(Piece(round(at), frame))
        at += chance.gammavariate(1.6, gap / 1.6)
    return tuple(pieces)


def asked(url: str, at: str, test: str, pieces: tuple[Piece, ...], **more: Any) -> Interaction:
    """Make the interaction of one question."""
    body = more.pop("body")
    ended: Ended = more.pop("ended", "complete")
    response = Response(
        more.pop("status", 200),
        more.pop("headers", SSE),
        pieces,
        headers_after=pieces[0].at - 6,
        ended=ended,
        error=more.pop("error", None),
    )
    request = Request("POST", url, JSON, json.dumps(body).encode())
    return Interaction(request, response, at, f"tests/{test}")


OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
ORDER_TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "parameters": {
            "type": "object",
            "properties": {"email": {"type": "string"}, "number": {"type": "string"}},
            "required": ["number"],
        },
    },
}
ORDER = {
    "number": "A-1042",
    "paid": 48.90,
    "items": ["Enamel mug", "Tea towel"],
    "shipped": "2026-11-18",
    "status": "lost in transit",
}


def refund() -> list[Interaction]:
    """Tell of a parcel: a tool call, its result, a thank you."""
    model, test = "gpt-4o-mini", "support/test_refund.py::test_a_lost_parcel_is_refunded"
    messages: list[dict[str, Any]] = [
        {
            "role": "system",
            "content": "You answer for a small shop. Be kind and brief, and never promise "
            "what the order does not allow.",
        },
        {"role": "user", "content": "Hi! My parcel A-1042 never came. Can I have my money back?"},
    ]
    arguments = '{"number":"A-1042","email":"robin@example.org"}'
    first = asked(
        OPENAI,
        "2026-11-22T18:04:11Z",
        test,
        timed(chat_call(model, "find_order", arguments), first=402, gap=31),
        body={"model": model, "stream": True, "messages": messages, "tools": [ORDER_TOOL]},
    )
    call = {"id": "call_7Qm2", "function": {"name": "find_order", "arguments": arguments}}
    more = [
        *messages,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_7Qm2", "content": json.dumps(ORDER)},
    ]
    answer = (
        "I am sorry about that, Robin. Your parcel was lost on its way, so yes: I have refunded "
        "the full €48.90 to your card. It takes two or three days to arrive.\n\n"
        "Would you like me to send the mug and the tea towel again, at no cost?"
    )
    second = asked(
        OPENAI,
        "2026-11-22T18:04:13Z",
        test,
        timed(chat(model, answer, usage=(231, 68)), first=511, gap=38, pauses={22: 640, 23: 0}),
        body={"model": model, "stream": True, "messages": more, "tools": [ORDER_TOOL]},
    )
    thanks = [
        *more,
        {"role": "assistant", "content": answer},
        {"role": "user", "content": "No thanks, that is all. You are great!"},
    ]
    third = asked(
        OPENAI,
        "2026-11-22T18:04:17Z",
        test,
        timed(
            chat(model, "Thank you, Robin. Have a lovely day!", usage=(322, 10)), first=288, gap=44
        ),
        body={"model": model, "stream": True, "messages": thanks, "tools": [ORDER_TOOL]},
    )
    return [first, second, third]


def proof() -> list[Interaction]:
    """Tell of a model that thinks first."""
    model = "claude-sonnet-5-5"
    return [
        asked(
            ANTHROPIC,
            "2026-11-21T09:12:40Z",
            "test_proofs.py::test_the_square_root_of_two",
            timed(
                anthropic(model, THINKING, PROOF, (41, 212)), first=890, gap=26, pauses={52: 1150}
            ),
            body={
                "model": model,
                "max_tokens": 2000,
                "stream": True,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "system": "You are a patient teacher of mathematics.",
                "messages": [{"role": "user", "content": "Why is √2 not a fraction?"}],
            },
        )
    ]


def photo() -> list[Interaction]:
    """Tell of a photo that is described."""
    image = {"inlineData": {"mimeType": "image/jpeg", "data": "A" * 182_400}}
    text = (
        "A golden eagle glides over a valley in late light; far below, a river bends twice. "
        "The picture seems to have been taken from a ridge."
    )
    return [
        asked(
            f"{GEMINI}:streamGenerateContent?alt=sse",
            "2026-11-20T15:47:02Z",
            "test_images.py::test_a_photo_is_described",
            timed(gemini("gemini-2.5-flash", text), first=1240, gap=210),
            body={"contents": [{"role": "user", "parts": [{"text": "What is on this?"}, image]}]},
        )
    ]


def dropped() -> list[Interaction]:
    """Tell of a connection that broke."""
    model = "gpt-4o"
    frames = list(chat(model, "Once upon a time there was a small bird that", usage=(9, 9)))[:7]
    return [
        asked(
            OPENAI,
            "2026-11-19T08:30:00Z",
            "test_network.py::test_a_connection_that_drops",
            timed(frames, first=350, gap=52),
            body={
                "model": model,
                "stream": True,
                "messages": [{"role": "user", "content": "Tell me a story about a bird."}],
            },
            ended="failed",
            error=Failure("ReadError", "[Errno 104] Connection reset by peer"),
        )
    ]


def overloaded() -> list[Interaction]:
    """Tell of a provider that had no time."""
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    return [
        asked(
            ANTHROPIC,
            "2026-11-19T08:31:10Z",
            "test_network.py::test_an_overloaded_provider",
            (Piece(96, body),),
            body={
                "model": "claude-haiku-5-5",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": "Hello?"}],
            },
            status=529,
            headers=JSON,
        )
    ]


TAPES = {
    "support/refund.a_lost_parcel": refund,
    "proofs.square_root_of_two": proof,
    "images.describes_a_photo": photo,
    "network.drops_after_five_tokens": dropped,
    "network.overloaded": overloaded,
}


def lay(folder: Path) -> None:
    """Write all of them into `folder`."""
    for name, make in TAPES.items():
        files.save(folder / f"{name}.yaml", make())
