"""What faults make of a recorded answer, in the words of its dialect."""

import json

import pytest

from aquila_cassette import Interaction, Piece, Request, Response, UsageError, faults
from aquila_cassette.dialects.reading import ending, read_message
from aquila_cassette.faults import Fault
from aquila_cassette.provider.anthropic import AnthropicMessages
from aquila_cassette.provider.openai import OpenAIChat, OpenAIResponses
from aquila_cassette.provider.replies import FunctionCall, ModelReply, parse_request
from tests.servers import CHAT_FRAMES, MESSAGES_FRAMES, RESPONSES_FRAMES

SSE = (("content-type", "text/event-stream"), ("content-length", "9999"))
GEMINI = tuple(
    b"data: " + json.dumps({"candidates": [candidate], "modelVersion": "g"}).encode() + b"\n\n"
    for candidate in (
        {"content": {"parts": [{"text": "Hel"}]}, "index": 0},
        {"content": {"parts": [{"text": "lo, "}]}, "index": 0},
        {"content": {"parts": [{"text": "wörld"}]}, "index": 0},
        {"content": {"parts": []}, "finishReason": "STOP", "index": 0},
    )
)
OLLAMA = tuple(
    json.dumps({"model": "m", "message": {"content": text}, **end}).encode() + b"\n"
    for text, end in (
        ("Hel", {"done": False}),
        ("lo, ", {"done": False}),
        ("wörld", {"done": False}),
        ("", {"done_reason": "stop", "done": True}),
    )
)
STREAMS = {
    "openai-chat": CHAT_FRAMES,
    "openai-responses": RESPONSES_FRAMES,
    "anthropic": MESSAGES_FRAMES,
    "gemini": GEMINI,
    "ollama": OLLAMA,
}
every_dialect = pytest.mark.parametrize("dialect", STREAMS)


def recorded(*frames: bytes, content_type: str = "text/event-stream") -> Interaction:
    headers = (("content-type", content_type), ("content-length", "9999"))
    pieces = tuple(Piece(at * 10, frame) for at, frame in enumerate(frames))
    return Interaction(
        Request("POST", "https://api.example.com/v1"), Response(200, headers, pieces)
    )


def of(dialect: str) -> Interaction:
    kind = "application/x-ndjson" if dialect == "ollama" else "text/event-stream"
    return recorded(*STREAMS[dialect], content_type=kind)


def made(fault: Fault, dialect: str = "openai-chat") -> Response:
    return fault.change(of(dialect)).response


@every_dialect
def test_a_connection_is_cut_after_events_pieces_or_bytes(dialect: str) -> None:
    frames = STREAMS[dialect]
    for fault, body in (
        (faults.disconnect(after=2), frames[0] + frames[1]),
        (faults.disconnect(pieces=3), b"".join(frames[:3])),
        (faults.disconnect(bytes=7), frames[0][:7]),
        (faults.disconnect(), b""),
    ):
        response = made(fault, dialect)
        assert (response.body, response.ended) == (body, "failed")
        assert response.header("content-length") == "9999"  # what a client counts
    assert made(faults.stall(after=1), dialect).error == faults._STALLED
    assert made(faults.truncate(after=1), dialect).header("content-length") is None


@every_dialect
def test_an_error_event_is_the_providers(dialect: str) -> None:
    response = made(faults.error_event(after=2, message="Too much"), dialect)
    content_type = response.header("content-type")
    assert read_message(content_type, response.body).error == "Too much"
    assert ending(content_type, response.body).terminal
    assert response.body.startswith(b"".join(STREAMS[dialect][:2]))


@every_dialect
def test_an_error_answer_is_the_providers(dialect: str) -> None:
    for fault, status in (
        (faults.rate_limit(), 429),
        (faults.overloaded(), 529 if dialect == "anthropic" else 503),
        (faults.http_error(401), 401),
    ):
        response = made(fault, dialect)
        assert response.status == status
        assert read_message("application/json", response.body).error


def test_who_is_limited_is_told_when_to_come_again() -> None:
    response = made(faults.rate_limit(retry_after=2))
    assert (response.header("retry-after"), response.header("retry-after-ms")) == ("2", "20")
    assert made(faults.http_error(418, "tea")).body == b"tea"


REASONS = {
    "openai-chat": ("length", "content_filter"),
    "openai-responses": ("max_output_tokens", "content_filter"),
    "anthropic": ("max_tokens", "refusal"),
    "gemini": ("MAX_TOKENS", "SAFETY"),
    "ollama": ("length", None),
}


@every_dialect
def test_a_limit_of_tokens_and_a_refusal_end_as_the_provider_ends_them(dialect: str) -> None:
    limit, refused = REASONS[dialect]
    texts = {"openai-chat": 1, "gemini": 1, "ollama": 1}
    after = texts.get(dialect) or next(
        at for at, frame in enumerate(STREAMS[dialect], 1) if b"Hel" in frame
    )
    response = made(faults.token_limit(after=after), dialect)
    content_type = response.header("content-type")
    message = read_message(content_type, response.body)
    assert (message.text, message.finish_reason) == ("Hel", limit)
    assert ending(content_type, response.body).complete_at_eof
    if refused is None:
        with pytest.raises(UsageError, match="cannot be said in the dialect ollama"):
            made(faults.refusal(), dialect)
    else:
        message = read_message(content_type, made(faults.refusal(), dialect).body)
        assert (message.text, message.finish_reason) == ("", refused)


@every_dialect
def test_an_event_is_broken_dropped_or_sent_twice(dialect: str) -> None:
    frames = STREAMS[dialect]
    twice = made(faults.duplicate(2), dialect).body
    assert twice == b"".join([frames[0], frames[1], *frames[1:]])
    assert made(faults.drop(2), dialect).body == b"".join([frames[0], *frames[2:]])
    broken = made(faults.malformed(2), dialect).parts
    assert broken[1] != frames[1]
    assert [*broken[:1], *broken[2:]] == [*frames[:1], *frames[2:]]
    data = broken[1].rpartition(b"data: ")[2]
    with pytest.raises(ValueError, match=r"line \d"):
        json.loads(data)


@pytest.mark.parametrize("kind", [OpenAIChat, OpenAIResponses, AnthropicMessages])
def test_the_arguments_of_a_tool_call_end_too_early(kind: type) -> None:
    request = parse_request("", {"model": "m", "messages": [{"content": "Hi"}]})
    arguments = {"city": "Paris", "unit": "celsius"}
    tokens = ('{"city":', '"Paris",', '"unit":', '"celsius"}')
    reply = ModelReply((), (FunctionCall("get_weather", arguments, tokens),))
    whole = recorded(*(frame.data for frame in kind().frames(request, reply)))
    before = read_message("text/event-stream", whole.response.body).tool_calls
    response = faults.broken_tool_arguments().change(whole).response
    (call,) = read_message("text/event-stream", response.body).tool_calls
    assert before[0].arguments.startswith(call.arguments)
    with pytest.raises(ValueError, match=r"line \d"):
        json.loads(call.arguments)
    assert ending("text/event-stream", response.body).terminal


def test_what_the_answer_cannot_have_is_refused() -> None:
    for fault, why in (
        (faults.disconnect(after=7), "it needs 7 events, and there are 5 events"),
        (faults.drop(9), "it needs event 9, and there are 5 events"),
        (faults.malformed(5), "event 5 holds no JSON object"),
        (faults.broken_tool_arguments(), "the answer calls no tool"),
    ):
        with pytest.raises(UsageError) as raised:
            made(fault)
        assert why in str(raised.value)
    plain = recorded(b'{"id": 1}', content_type="application/json")
    with pytest.raises(UsageError, match="no stream of events"):
        faults.drop(1).change(plain)
    with pytest.raises(ValueError, match="give one of after=, pieces= and bytes="):
        faults.disconnect(after=1, bytes=2)
    with pytest.raises(ValueError, match="times must be 1 or more"):
        faults.timeout(times=0)


@pytest.mark.parametrize("fits", [1, "Hi", "api.example", lambda request: request.method == "POST"])
def test_a_fault_picks_its_requests(fits: object) -> None:
    asked = Request("POST", "https://api.example.com/v1", body=b'{"messages": ["Hi"]}')
    fault = faults.timeout(on=fits)  # type: ignore[arg-type]
    assert fault.fits(asked, 1)
    assert not fault.fits(Request("GET", "https://b.example", body=b"{}"), 2)
