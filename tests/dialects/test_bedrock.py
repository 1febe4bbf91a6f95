"""Bedrock's binary event stream: its messages, what they say, and when it is over."""

from typing import Any

import pytest

from aquila_cassette import Piece, Redaction, Request, Response
from aquila_cassette.dialects.framing import read_events
from aquila_cassette.dialects.message import ModelToolCall
from aquila_cassette.dialects.reading import Ending, ending, read_message
from aquila_cassette.transcript.request_text import Turn, summarize_request
from tests.servers.bedrock import CONVERSE_FRAMES, EVENTSTREAM, binary, wrapped

TYPE = EVENTSTREAM["content-type"]
BODY = b"".join(CONVERSE_FRAMES)


def delta(index: int, value: dict[str, object]) -> bytes:
    return binary("contentBlockDelta", {"contentBlockIndex": index, "delta": value})


def test_a_stream_says_its_text_its_thoughts_its_tool_calls_and_what_is_about_it() -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "get_weather"}}
    body = delta(0, {"reasoningContent": {"text": "Hm."}})
    body += binary("contentBlockStart", {"contentBlockIndex": 1, "start": use})
    body += delta(1, {"toolUse": {"input": '{"city":'}})
    body += delta(1, {"toolUse": {"input": '"Oslo"}'}})
    message = read_message(TYPE, body + BODY)
    assert (message.text, message.reasoning) == ("Hello, wörld", "Hm.")
    assert message.tool_calls == (ModelToolCall("get_weather", '{"city":"Oslo"}'),)
    assert (message.finish_reason, message.dialect) == ("end_turn", "bedrock")
    assert message.usage == {"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}


def test_a_stream_is_over_with_its_metadata_and_whole_after_its_stop() -> None:
    assert ending(TYPE, BODY).terminal
    stopped = ending(TYPE, b"".join(CONVERSE_FRAMES[:-1]))
    assert (stopped.terminal, stopped.complete_at_eof) == (False, True)
    for kept in range(1, len(CONVERSE_FRAMES) - 2):
        cut = ending(TYPE, b"".join(CONVERSE_FRAMES[:kept]))
        assert cut == Ending(False, False, "event: metadata", "bedrock")


def test_an_exception_in_the_stream_is_an_error_and_its_end() -> None:
    slow = binary("throttlingException", {"message": "Slow down."}, kind="exception")
    body = CONVERSE_FRAMES[0] + slow
    assert read_message(TYPE, body).error == "Slow down."
    assert ending(TYPE, body).terminal


def test_a_request_is_read_with_the_model_in_its_path() -> None:
    body = (
        b'{"messages": [{"role": "user", "content": [{"text": "Hi"}]}, '
        b'{"role": "assistant", "content": '
        b'[{"toolUse": {"toolUseId": "t", "name": "now", "input": {}}}]}, {"role": "user", '
        b'"content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "noon"}]}}]}]}'
    )
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.claude-v1%3A0/converse-stream"
    read = summarize_request(Request("POST", url, body=body))
    assert read.model == "a.claude-v1:0"
    assert read.turns == (
        Turn("user", "words", "Hi"),
        Turn("assistant", "call", "now {}"),
        Turn("tool", "result", "noon"),
    )


def test_a_secret_in_an_event_is_hidden_and_the_message_stays_whole() -> None:
    secret = "sk-ant-api03-0a1b2c3d4e5f6a7b8c9d"
    framed = delta(0, {"text": f"it is {secret}!"})
    pieces = (Piece(0, BODY), Piece(1, framed[:80]), Piece(2, framed[80:] + BODY))
    response = Response(200, (("content-type", TYPE),), pieces)
    clean = Redaction().response(response, env=())
    assert secret.encode() not in clean.body
    assert clean.body.startswith(BODY)
    assert clean.body.endswith(BODY)
    assert len(clean.pieces) == 3
    assert len(list(read_events("eventstream", clean.body))) == 2 * len(CONVERSE_FRAMES) + 1
    assert "it is [redacted]!" in read_message(TYPE, clean.body).text


CLAUDE = [
    {"type": "content_block_delta", "index": 0, "delta": {"text": "Hi"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]
NOVA = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 1}}},
]
TITAN = [
    {"outputText": "H", "index": 0, "inputTextTokenCount": 1, "completionReason": None},
    {"outputText": "i", "index": 0, "completionReason": "FINISH"},
]
LLAMA = [
    {"generation": "Hi", "prompt_token_count": 1, "stop_reason": None},
    {"generation": "", "prompt_token_count": None, "stop_reason": "stop"},
]
COMPLETION = [
    {"completion": "Hi", "stop_reason": None, "stop": None},
    {"completion": "", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
]
CHAT = [
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "finish_reason": "stop"}]},
]


@pytest.mark.parametrize(
    ("events", "reason", "usage", "dialect"),
    [
        (CLAUDE, "end_turn", None, "anthropic"),
        (NOVA, "end_turn", {"inputTokens": 1}, "bedrock"),
        (TITAN, "FINISH", {"inputTextTokenCount": 1}, "bedrock-titan"),
        (LLAMA, "stop", {"prompt_token_count": 1}, "bedrock-llama"),
        (COMPLETION, "stop_sequence", None, "anthropic-complete"),
        (CHAT, "stop", None, "openai-chat"),
    ],
)
def test_a_model_that_is_invoked_streams_in_its_own_way(
    events: list[Any], reason: str, usage: dict[str, int] | None, dialect: str
) -> None:
    body = b"".join(map(wrapped, events))
    message = read_message(TYPE, body)
    assert (message.text, message.finish_reason, message.usage) == ("Hi", reason, usage)
    assert ending(TYPE, body).complete_at_eof
    assert ending(TYPE, body).dialect == dialect
    cut = wrapped(events[0])
    assert not ending(TYPE, cut).complete_at_eof
