"""Whether a stream is over: by its terminal event, or by EOF where that is enough."""

from itertools import accumulate

import pytest

from aquila_cassette.dialects.reading import Ending, ending
from aquila_cassette.sse import split
from tests.dialects.streams import (
    CHAT,
    NDJSON,
    RESPONSES,
    SSE,
    WHOLE,
    chunk,
    data,
    event,
    lines,
    typed,
)

EXPECTED = {
    "openai-chat": "data: [DONE]",
    "openai-responses": "response.completed, response.incomplete or response.failed",
    "openai-runs": "data: [DONE]",
    "anthropic": "event: message_stop",
    "anthropic-complete": "a stop_reason",
    "gemini": "a finishReason",
    "gemini-interactions": "data: [DONE]",
    "cohere": "event: message-end",
    "ollama": '"done": true',
}
ONLY_EOF_ENDS = ("anthropic-complete", "gemini")
# Which frame makes the stream whole, where that is not the last one.
LAST = {"openai-chat": -3, "cohere": -2}


def frames_of(name: str) -> list[bytes]:
    content_type, body = WHOLE[name]
    return body.splitlines(keepends=True) if content_type == NDJSON else list(split(body))


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_stream_is_over_without_its_blank_line_and_whatever_follows(name: str) -> None:
    content_type, body = WHOLE[name]
    more = b'{"more": 1}\n' if content_type == NDJSON else b": 408\n\ndata: more\n\n" * 900
    over = Ending(name not in ONLY_EOF_ENDS, True, EXPECTED[name], name)
    for given in (body, body.rstrip(), body + more):
        assert ending(content_type, given) == over


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_that_is_cut_is_not_over_wherever_it_is_cut(name: str) -> None:
    content_type, _ = WHOLE[name]
    frames = frames_of(name)
    last = LAST.get(name, -1)
    within = b"".join(frames[:last]) + frames[last].rstrip()[:-2]
    for cut in (*accumulate(frames[: len(frames) + last]), within):
        assert ending(content_type, cut) == Ending(False, False, EXPECTED[name], name), cut


@pytest.mark.parametrize("name", WHOLE)
def test_a_provider_s_error_is_an_end(name: str) -> None:
    content_type, _ = WHOLE[name]
    begun = frames_of(name)[0]
    error = {"error": {"message": "Overloaded"}}
    if content_type == NDJSON:
        bodies = [begun + lines(error), begun + lines({"error": "Overloaded"})]
    else:
        bodies = [
            begun + data(error),
            begun + event("error", error),
            begun + event("error", "Overloaded"),
            begun + typed({"type": "error", "message": "Overloaded"}),
            begun + data(error).rstrip(),
        ]
    for body in bodies:
        assert ending(content_type, body) == Ending(True, True, EXPECTED[name], name), body
    cuts = [bodies[0].rstrip()[:-2]]
    if content_type != NDJSON:
        cuts.append(begun + b'event: error\ndata: {"error": {"mess')
    for cut in cuts:
        assert ending(content_type, cut) == Ending(False, False, EXPECTED[name], name)


def test_words_about_ends_end_nothing() -> None:
    words = 'data: [DONE] message_stop "finish_reason": "stop" event: error {"error": "x"}'
    body = data(chunk({"content": words}), chunk({"content": "[DONE]"}))
    assert ending(SSE, body) == Ending(False, False, "data: [DONE]", "openai-chat")
    spoken = {"type": "content_block_delta", "delta": {"text": '"type": "message_stop"'}}
    body = typed({"type": "message_start", "message": {}}, spoken)
    assert ending(SSE, body) == Ending(False, False, "event: message_stop", "anthropic")


def test_a_chat_without_done_is_whole_once_it_gave_a_finish_reason() -> None:
    begun = data(chunk({"content": "Hi"}))
    assert not ending(SSE, begun).complete_at_eof
    assert not ending(SSE, begun + data(chunk(finish_reason=""))).complete_at_eof
    found = ending(SSE, begun + data(chunk(finish_reason="stop")))
    assert found == Ending(False, True, "data: [DONE]", "openai-chat")


def test_a_chat_of_two_choices_is_whole_once_both_gave_a_finish_reason() -> None:
    def choice(index: int, reason: str | None) -> dict[str, object]:
        return {"index": index, "delta": {}, "finish_reason": reason}

    begun = data(
        chunk(choices=[choice(0, None)]),
        chunk(choices=[choice(1, None)]),
        chunk(choices=[choice(0, "stop")]),
    )
    assert not ending(SSE, begun).complete_at_eof
    assert ending(SSE, begun + data(chunk(choices=[choice(1, "stop")]))).complete_at_eof
    # A second tool call is no second choice.
    begun = data(chunk({"tool_calls": [{"index": 1, "function": {"name": "f"}}]}))
    assert not ending(SSE, begun).complete_at_eof
    assert ending(SSE, begun + data(chunk(finish_reason="tool_calls"))).complete_at_eof


def test_a_blocked_prompt_is_a_whole_gemini_stream() -> None:
    body = data({"promptFeedback": {"blockReason": "SAFETY"}})
    assert ending(SSE, body) == Ending(False, True, "a finishReason", "gemini")
    noted = data({"candidates": [{"content": {"parts": []}, "note": {"blockReason": "x"}}]})
    assert not ending(SSE, noted).complete_at_eof


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (SSE, b""),
        (None, b""),
        (SSE, data({"value": "Hi"})),
        (SSE, b'{"error": {"code": 404, "message": "No."}}'),
        (SSE, data({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "No."}})),
        ("application/json", b'{"choices": [{"message": {}, "finish_reason": null}]}'),
        ("application/json", b'{"done": true, "message": {}}'),
        (NDJSON, lines({"status": "pulling"})),
    ],
)
def test_of_what_has_no_known_end_eof_is_the_end(content_type: str | None, body: bytes) -> None:
    assert ending(content_type, body) == Ending(False, True, "the end of the body", None)


@pytest.mark.parametrize(
    "body",
    [
        data({"error": {"message": "Overloaded"}}),
        data({"value": "Hi"}, "[DONE]") + b": bye\n\n",
        event("error", "Overloaded"),
    ],
)
def test_an_unknown_stream_that_says_it_is_done_is_over(body: bytes) -> None:
    assert ending(SSE, body) == Ending(True, True, "the end of the body", None)


def test_a_terminal_event_is_found_in_five_megabytes() -> None:
    filler = data(chunk({"content": "error " * 20})) * 20_000
    assert ending(SSE, CHAT + filler).terminal
    assert ending(SSE, filler + CHAT).terminal
    large = data({"type": "response.completed", "response": {"instructions": "x" * 5_000_000}})
    assert ending(SSE, RESPONSES[:200] + b"\n\n" + large).terminal
