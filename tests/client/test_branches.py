"""Every way in which a provider may answer, with its answers mocked by respx."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from aquila_cassette.client import Chunk, Client, Done, Error, Raw, Reasoning, ToolCall
from aquila_cassette.errors import StreamError
from tests.client.talk import BACKENDS, MODELS, answering, events_of, sse, stored_of
from tests.servers import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES

each_backend = pytest.mark.parametrize("backend", BACKENDS)
each_endpoint = pytest.mark.parametrize("endpoint", MODELS)

URLS = {
    "chat": "https://api.openai.com/v1/chat/completions",
    "responses": "https://api.openai.com/v1/responses",
    "messages": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/"
    "gemini-2.5-flash:streamGenerateContent",
}


def candidate(text: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    content = {"content": {"role": "model", "parts": [{"text": text}]}}
    ended = {"finishReason": reason} if reason else {}
    return {"candidates": [{**content, **ended}], "responseId": "g_1", **more}


def lines(*chunks: dict[str, Any]) -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks).encode()


STREAMS = {
    "chat": b"".join(CHAT_FRAMES),
    "responses": b"".join(RESPONSES_FRAMES),
    "messages": b"".join(MESSAGES_FRAMES),
    "gemini": lines(*(candidate(text) for text in CHAT_TEXT), candidate("", "STOP")),
}
WHOLE: dict[str, dict[str, Any]] = {
    "chat": {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]},
    "responses": {
        "object": "response",
        "id": "resp_1",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}],
    },
    "messages": {
        "type": "message",
        "id": "msg_1",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
    },
    "gemini": candidate("Hello", "STOP"),
}


def after_the_first_frame(endpoint: str) -> int:
    """Give where the second frame of a stream begins."""
    end = b"\r\n\r\n" if endpoint == "gemini" else b"\n\n"
    return STREAMS[endpoint].index(end) + len(end)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
        monkeypatch.delenv(f"{name}_BASE_URL", raising=False)


@pytest.fixture
def mocked() -> Iterator[respx.Router]:
    with respx.mock(assert_all_called=False) as router:
        yield router


Talk = Callable[..., list[Any]]


@pytest.fixture
def talk(mocked: respx.Router) -> Talk:
    """Ask `endpoint`, whose provider answers with `body`."""

    def talk(backend: str, endpoint: str, body: Any, status: int = 200, **options: Any) -> Any:
        if isinstance(body, bytes):
            headers = {"content-type": "text/event-stream"}
            answer = httpx.Response(status, headers=headers, content=body)
        else:
            answer = httpx.Response(status, json=body)
        mocked.post(URLS[endpoint]).mock(return_value=answer)
        made = {"model": MODELS[endpoint], "endpoint": endpoint}
        return events_of(backend, "Hi", made=made, ref="r", **options)

    return talk


def chat(*choices: dict[str, Any], **more: Any) -> str:
    return json.dumps({"object": "chat.completion.chunk", "choices": list(choices), **more})


def delta(reason: str | None = None, index: int = 0, **spoken: Any) -> dict[str, Any]:
    return {"index": index, "delta": spoken, "finish_reason": reason}


@each_backend
@each_endpoint
def test_a_stream_gives_its_chunks_and_then_is_done(
    backend: str, endpoint: str, talk: Talk
) -> None:
    events = [one for one in talk(backend, endpoint, STREAMS[endpoint]) if type(one) is not Raw]
    *chunks, done = events
    assert chunks == [Chunk(text, ref="r") for text in CHAT_TEXT]
    assert isinstance(done, Done)
    assert done.text == "Hello, wörld"


@each_backend
@each_endpoint
def test_an_answer_that_is_not_streamed_is_one_all_the_same(
    backend: str, endpoint: str, talk: Talk
) -> None:
    chunk, done = talk(backend, endpoint, WHOLE[endpoint])
    assert chunk == Chunk("Hello", ref="r")
    assert isinstance(done, Done)
    assert done.text == "Hello"
    assert len(done.messages) == 2


def test_gemini_may_answer_with_a_list(talk: Talk) -> None:
    *chunks, done = talk("sync", "gemini", [candidate("Hel"), candidate("lo", "STOP")])
    assert [chunk.text for chunk in chunks] == ["Hel", "lo"]
    assert isinstance(done, Done)


@each_endpoint
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 529])
def test_an_error_status_is_an_error_in_the_providers_words(
    endpoint: str, status: int, talk: Talk
) -> None:
    (error,) = talk("sync", endpoint, {"error": {"message": "No, thanks."}}, status)
    assert (error.reason, error.kind, error.status) == ("No, thanks.", "http", status)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"upstream timed out", "upstream timed out"), (b"", "HTTP 502")],
)
def test_an_error_status_without_json_gives_what_there_is(
    body: bytes, reason: str, talk: Talk
) -> None:
    (error,) = talk("sync", "chat", body, 502)
    assert (error.reason, error.kind, error.status) == (reason, "http", 502)


@each_endpoint
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (sse('{"error": {"message": "No, thanks."}}'), "No, thanks."),
        (sse('{"type": "error", "message": "No, thanks."}', event="error"), "No, thanks."),
        (b": wait\n\n" + sse("No, thanks.", event="error"), "No, thanks."),
        (sse('{"detail": "No, thanks."}'), '{"detail": "No, thanks."}'),
        (sse('{"error": {"message": "No, thanks."}}').rstrip(), "No, thanks."),
        (b": wait\n\n", ": wait"),
    ],
)
def test_an_error_status_whose_body_is_a_stream_is_an_error_in_the_providers_words(
    endpoint: str, body: bytes, reason: str, talk: Talk
) -> None:
    (error,) = talk("sync", endpoint, body, 500)
    assert (error.reason, error.kind, error.status) == (reason, "http", 500)


def test_a_redirect_that_nobody_follows_is_an_error(talk: Talk) -> None:
    (error,) = talk("sync", "chat", b"", 307)
    assert (error.reason, error.kind) == ("HTTP 307", "http")


@each_backend
@each_endpoint
def test_a_stream_that_is_cut_keeps_its_chunks_and_says_what_is_missing(
    backend: str, endpoint: str, talk: Talk
) -> None:
    frames = {
        "chat": CHAT_FRAMES[:3],
        "responses": RESPONSES_FRAMES[:-1],
        "messages": MESSAGES_FRAMES[:-1],
        "gemini": [lines(*(candidate(text) for text in CHAT_TEXT))],
    }[endpoint]
    error = talk(backend, endpoint, b"".join(frames))[-1]
    assert isinstance(error, Error)
    assert error.kind == "cut"
    assert error.text == "Hello, wörld"
    expected = {
        "chat": "data: [DONE]",
        "responses": "response.completed, response.incomplete or response.failed",
        "messages": "event: message_stop",
        "gemini": "a finishReason",
    }[endpoint]
    assert error.reason == f"The stream ended before {expected}."


@each_endpoint
def test_an_empty_answer_is_a_cut_stream(endpoint: str, talk: Talk) -> None:
    (error,) = talk("sync", endpoint, b"")
    assert (error.kind, error.text) == ("cut", "")


def test_a_last_frame_without_its_blank_line_counts(talk: Talk) -> None:
    body = STREAMS["messages"].rstrip(b"\n")
    assert isinstance(talk("sync", "messages", body)[-1], Done)


def test_keep_alives_of_all_kinds_disturb_nothing(talk: Talk) -> None:
    frames = [
        b": OPENROUTER PROCESSING\n\n",
        CHAT_FRAMES[0],
        b"\n\n:\n\n",
        b'event: ping\ndata: {"type": "ping"}\n\n',
        *CHAT_FRAMES[1:],
    ]
    first, ping, *rest, done = talk("sync", "chat", b"".join(frames))
    assert isinstance(ping, Raw)
    assert ping.event.type == "ping"
    assert [first, *rest] == [Chunk(text, ref="r") for text in CHAT_TEXT]
    assert isinstance(done, Done)


def test_empty_choices_and_null_usage_are_nothing_special(talk: Talk) -> None:
    body = sse(
        chat(usage=None),
        chat(delta(content="Hi"), usage=None),
        chat(delta("stop"), usage=None),
        chat(usage={"total_tokens": 3}),
        "[DONE]",
    )
    *_, done = talk("sync", "chat", body)
    assert (done.text, done.meta.usage) == ("Hi", {"total_tokens": 3})


def test_usage_that_stays_null_is_no_usage(talk: Talk) -> None:
    done = talk("sync", "chat", sse(chat(delta("stop", content="Hi"), usage=None), "[DONE]"))[-1]
    assert done.meta.usage == {}


def test_of_several_choices_the_first_is_the_answer(talk: Talk) -> None:
    body = sse(
        chat(delta(content="Hel"), delta(index=1, content="Good")),
        chat(delta(index=1, content=" day")),
        chat(delta(content="lo")),
        chat(delta("stop"), delta("length", index=1)),
        "[DONE]",
    )
    assert talk("sync", "chat", body)[-1].text == "Hello"


REFUSALS = {
    "chat": sse(chat(delta(refusal="I can't ")), chat(delta("stop", refusal="do that.")), "[DONE]"),
    "responses": sse(
        '{"type": "response.refusal.delta", "delta": "I can\'t do that."}',
        '{"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}',
    ),
    "messages": sse(
        '{"type": "message_start", "message": {}}',
        '{"type": "message_delta", "delta": {"stop_reason": "refusal"}}',
        '{"type": "message_stop"}',
    ),
    "gemini": lines({"promptFeedback": {"blockReason": "SAFETY"}}),
}


@each_endpoint
def test_a_refusal_is_an_error_that_says_so(endpoint: str, talk: Talk) -> None:
    error = talk("sync", endpoint, REFUSALS[endpoint])[-1]
    assert error.kind == "refusal"
    assert (
        error.reason
        == {
            "chat": "I can't do that.",
            "responses": "I can't do that.",
            "messages": "The answer was refused: refusal",
            "gemini": "The answer was refused: SAFETY",
        }[endpoint]
    )


INCOMPLETE = {
    "chat": (sse(chat(delta("length", content="Hel")), "[DONE]"), "length"),
    "responses": (
        sse(
            '{"type": "response.output_text.delta", "delta": "Hel"}',
            '{"type": "response.incomplete", "response": {"status": "incomplete", '
            '"incomplete_details": {"reason": "max_output_tokens"}}}',
        ),
        "max_output_tokens",
    ),
    "messages": (
        sse(
            '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hel"}}',
            '{"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}',
            '{"type": "message_stop"}',
        ),
        "max_tokens",
    ),
    "gemini": (lines(candidate("Hel", "MAX_TOKENS")), "MAX_TOKENS"),
}


@each_endpoint
def test_an_answer_that_ran_into_its_limit_is_incomplete(endpoint: str, talk: Talk) -> None:
    body, reason = INCOMPLETE[endpoint]
    error = talk("sync", endpoint, body)[-1]
    assert (error.kind, error.text) == ("incomplete", "Hel")
    assert error.reason == f"The answer is incomplete: {reason}"
    assert error.meta.finish_reason == reason


NO_REASON = {
    "chat": sse(chat(delta(content="Hi")), chat(usage={"total_tokens": 3}), "[DONE]"),
    "messages": sse(
        '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}',
        '{"type": "message_delta", "delta": {"stop_reason": null}}',
        '{"type": "message_stop"}',
    ),
    "responses": sse(
        '{"type": "response.output_text.delta", "delta": "Hi"}',
        '{"type": "response.completed", "response": {}}',
    ),
}


@pytest.mark.parametrize("endpoint", NO_REASON)
def test_a_last_event_ends_an_answer_that_gives_no_reason_to_stop(
    endpoint: str, talk: Talk
) -> None:
    done = talk("sync", endpoint, NO_REASON[endpoint])[-1]
    assert isinstance(done, Done)
    assert (done.text, done.meta.status, done.meta.finish_reason) == ("Hi", "completed", None)


def test_without_a_last_event_an_answer_without_a_reason_to_stop_is_cut(talk: Talk) -> None:
    error = talk("sync", "chat", sse(chat(delta(content="Hi"))))[-1]
    assert (error.kind, error.text) == ("cut", "Hi")


FAILURES = [
    ("chat", sse(chat(delta(content="Hel")), '{"error": {"message": "Overloaded"}}')),
    (
        "responses",
        sse(
            '{"type": "response.failed", "response": '
            '{"status": "failed", "error": {"code": "server_error", "message": "Overloaded"}}}'
        ),
    ),
    ("responses", sse('{"type": "error", "code": "x", "message": "Overloaded"}', event="error")),
    (
        "messages",
        sse('{"type": "error", "error": {"type": "e", "message": "Overloaded"}}', event="error"),
    ),
    ("gemini", lines(candidate("Hel")) + b'{\n  "error": {"message": "Overloaded"}\n}'),
]


RESPONSE_ENDS = [
    ("response.cancelled", "cancelled", "The provider cancelled the response."),
    ("response.failed", "failed", "The response failed; the provider does not say why."),
]


@pytest.mark.parametrize(("type_", "status", "reason"), RESPONSE_ENDS)
def test_a_response_that_the_provider_broke_off_is_an_error_that_says_so(
    type_: str, status: str, reason: str, talk: Talk
) -> None:
    body = sse(
        '{"type": "response.output_text.delta", "delta": "Hel"}',
        json.dumps({"type": type_, "response": {"status": status, "output": []}}),
    )
    chunk, error = talk("sync", "responses", body)
    assert chunk == Chunk("Hel", ref="r")
    assert (error.reason, error.kind, error.text) == (reason, "provider", "Hel")
    assert error.meta.finish_reason == status


def test_a_cancelled_response_that_is_not_streamed_is_the_same_error(talk: Talk) -> None:
    (error,) = talk("sync", "responses", {**WHOLE["responses"], "status": "cancelled"})[1:]
    assert (error.reason, error.kind) == ("The provider cancelled the response.", "provider")


@each_backend
@pytest.mark.parametrize(("endpoint", "body"), FAILURES)
def test_an_error_within_a_stream_is_told_once(
    backend: str, endpoint: str, body: bytes, talk: Talk
) -> None:
    events = talk(backend, endpoint, body)
    (error,) = (event for event in events if isinstance(event, Error))
    assert events[-1] is error
    assert (error.reason, error.kind, error.status) == ("Overloaded", "provider", 200)


@each_endpoint
def test_an_error_as_json_under_a_good_status_is_an_error(endpoint: str, talk: Talk) -> None:
    (error,) = talk("sync", endpoint, {"error": {"message": "Overloaded"}})
    assert (error.reason, error.kind) == ("Overloaded", "provider")


def test_json_of_somebody_else_is_named(talk: Talk) -> None:
    raw, error = talk("sync", "chat", {"hello": "there"})
    assert raw.event.data == '{"hello": "there"}'
    assert error.kind == "protocol"
    assert error.reason == ('This is not an answer of OpenAI chat completions: {"hello": "there"}')


IN_PLACE = [
    ("text/html; charset=utf-8", b"<h1>Please log in</h1>", "text/html: <h1>Please log in</h1>"),
    (
        "text/html",
        b"<!DOCTYPE html>\n<html>\n<TITLE lang=en>Bad gateway \n &amp; so on</TITLE>\n</html>",
        "text/html: Bad gateway & so on",
    ),
    ("text/event-stream", b"\n <html>Sorry</html>\nMore", "text/event-stream: <html>Sorry</html>"),
    ("text/plain", b"upstream timed out\n\n", "text/plain: upstream timed out"),
    ("", b"Moved", "no content type: Moved"),
    ("application/octet-stream", b"\x00\x01\x02 \xff", "application/octet-stream"),
]


@pytest.mark.parametrize(("content_type", "body", "named"), IN_PLACE)
def test_a_page_in_place_of_an_answer_is_named(
    content_type: str, body: bytes, named: str, mocked: respx.Router
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = httpx.Response(200, headers=headers, content=body)
    mocked.post(URLS["chat"]).mock(return_value=answer)
    (error,) = events_of("sync", "Hi", made={"model": "gpt-4o-mini"})
    assert error.reason == f"This is not an answer of OpenAI chat completions: {named}"
    assert error.kind == "protocol"


@each_endpoint
def test_a_page_that_comes_byte_by_byte_is_named_all_the_same(endpoint: str) -> None:
    page = b"<!doctype html>\n\n<title>Please log in</title>\n" + b"data: x\n" * 2000
    http = answering([page[at : at + 1] for at in range(len(page))], content_type="text/html")
    client = Client(http, model=MODELS[endpoint], endpoint=endpoint)
    (error,) = client.stream("Hi")
    assert isinstance(error, Error)
    assert error.reason.endswith(": text/html: Please log in")


@pytest.mark.parametrize("body", [b"", b"\n\n", b": wait\n\n", b"data", b"data: {", b"event: x"])
def test_a_stream_that_is_cut_before_it_says_anything_is_not_taken_for_a_page(
    body: bytes, talk: Talk
) -> None:
    (error,) = talk("sync", "chat", body)
    assert (error.reason, error.kind) == ("The stream ended before data: [DONE].", "cut")


BROKEN = [
    (
        "chat",
        sse('{"choices": [{"index": 0, "delta": {"content": "lo"'),
        '{"choices": [{"index": 0, "',
    ),
    (
        "chat",
        sse('"choices": [{"index": 0, "delta": {"content": "lo"}}]}'),
        '"choices": [{"index": ',
    ),
    ("responses", sse('{"type": "response.output_text.delta", "delta": "l'), '{"type": "response.'),
    ("messages", sse('{"type": "content_block_delta", ', event="content_block_delta"), '{"type": '),
    ("gemini", sse('[{"candidates": '), '[{"candidates": '),
]


@pytest.mark.parametrize(("endpoint", "broken", "shown"), BROKEN)
def test_a_chunk_whose_json_is_broken_is_an_error_that_shows_it(
    endpoint: str, broken: bytes, shown: str, talk: Talk
) -> None:
    first = {
        "chat": CHAT_FRAMES[0],
        "responses": sse('{"type": "response.output_text.delta", "delta": "Hel"}'),
        "messages": sse('{"type": "content_block_delta", "delta": {"text": "Hel"}}'),
        "gemini": lines(candidate("Hel")),
    }[endpoint]
    chunk, error = talk("sync", endpoint, first + broken + STREAMS[endpoint])
    assert chunk == Chunk("Hel", ref="r")
    assert (error.kind, error.text) == ("protocol", "Hel")
    assert error.reason.startswith(f"A chunk of the stream is not JSON: {shown}")


def test_a_first_chunk_whose_json_is_broken_is_an_error_too(talk: Talk) -> None:
    (error,) = talk("sync", "chat", sse('{"choices": [oops'), 200)
    assert error.reason == 'A chunk of the stream is not JSON: {"choices": [oops'


def test_an_error_event_whose_json_is_broken_is_an_error_that_shows_it(talk: Talk) -> None:
    *_, error = talk("sync", "chat", CHAT_FRAMES[0] + sse('{"error": {"mess', event="error"))
    assert error.reason == 'A chunk of the stream is not JSON: {"error": {"mess'


@pytest.mark.parametrize(
    "unknown",
    [
        sse("still here", event="heartbeat"),
        b"data:\n\n",
        sse('{"type": "response.sang", "tune": []}', event="response.sang"),
        sse("3"),
    ],
)
@each_endpoint
def test_what_is_unknown_and_not_broken_changes_nothing(
    endpoint: str, unknown: bytes, talk: Talk
) -> None:
    begun, body = after_the_first_frame(endpoint), STREAMS[endpoint]
    done = talk("sync", endpoint, body[:begun] + unknown + body[begun:])[-1]
    assert isinstance(done, Done)
    assert done.text == "Hello, wörld"


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (
            "chat",
            sse(chat(delta(reasoning_content="Hm")), chat(delta("stop", content="Hi")), "[DONE]"),
        ),
        (
            "responses",
            sse(
                '{"type": "response.reasoning_summary_text.delta", "delta": "Hm"}',
                '{"type": "response.output_text.delta", "delta": "Hi"}',
                '{"type": "response.completed", "response": {"status": "completed"}}',
            ),
        ),
        (
            "messages",
            sse(
                '{"type": "content_block_delta", "delta": {"type": "thinking_delta", '
                '"thinking": "Hm"}}',
                '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}',
                '{"type": "message_stop"}',
            ),
        ),
        (
            "gemini",
            lines(
                {"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}]}}]},
                candidate("Hi", "STOP"),
            ),
        ),
    ],
)
def test_reasoning_is_told_apart_from_the_answer(endpoint: str, body: bytes, talk: Talk) -> None:
    thought, chunk, done = talk("sync", endpoint, body)
    assert (thought, chunk) == (Reasoning("Hm", ref="r"), Chunk("Hi", ref="r"))
    assert done.text == "Hi"


def test_a_character_cut_in_two_is_one_chunk(talk: Talk) -> None:
    body = sse(
        r'{"choices": [{"index": 0, "delta": {"content": "a\ud83d"}}]}',
        r'{"choices": [{"index": 0, "delta": {"content": "\ude00b"}}]}',
        r'{"choices": [{"index": 0, "delta": {"content": "\ud83d"}, "finish_reason": "stop"}]}',
        "[DONE]",
    )
    *chunks, done = talk("sync", "chat", body)
    assert [chunk.text for chunk in chunks] == ["a", "😀b", "�"]
    assert done.text == "a😀b�"


def test_what_a_dialect_takes_nothing_from_passes_as_raw(talk: Talk) -> None:
    searching = '{"type": "response.web_search_call.searching", "item_id": "ws_1"}'
    raw, *_ = talk("sync", "responses", sse(searching, event="response.web_search_call.searching"))
    assert raw == Raw(raw.event, ref="r")
    assert (raw.event.type, raw.event.data) == ("response.web_search_call.searching", searching)


def test_signed_thoughts_go_back_with_the_results_of_tools(mocked: respx.Router) -> None:
    calling = sse(
        '{"type": "content_block_start", "index": 0, "content_block": '
        '{"type": "thinking", "thinking": "", "signature": ""}}',
        '{"type": "content_block_delta", "index": 0, "delta": '
        '{"type": "thinking_delta", "thinking": "Hm"}}',
        '{"type": "content_block_delta", "index": 0, "delta": '
        '{"type": "signature_delta", "signature": "c2ln"}}',
        '{"type": "content_block_start", "index": 1, "content_block": '
        '{"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}}',
        '{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}',
        '{"type": "message_stop"}',
    )
    route = mocked.post(URLS["messages"]).mock(
        side_effect=[
            httpx.Response(200, content=calling),
            httpx.Response(200, content=STREAMS["messages"]),
        ]
    )

    def now() -> str:
        return "noon"

    with Client(model=MODELS["messages"]) as client:
        client.ask("When?", tools=[now])
    _, spoken, results = json.loads(route.calls[1].request.content)["messages"]
    assert spoken["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
    ]
    assert results["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
    ]


def test_calls_without_an_id_get_one_for_their_results(mocked: respx.Router) -> None:
    function = {"name": "now", "arguments": "{}"}
    calling = sse(
        chat(delta("tool_calls", tool_calls=[{"index": 0, "function": function}])), "[DONE]"
    )
    route = mocked.post(URLS["chat"]).mock(
        side_effect=[
            httpx.Response(200, content=calling),
            httpx.Response(200, content=STREAMS["chat"]),
        ]
    )

    def now() -> str:
        return "noon"

    with Client(model="gpt-4o-mini") as client:
        start, result, *_ = client.stream("When?", tools=[now])
    assert isinstance(start, ToolCall)
    assert start.id == result.id == "unnamed-call-1"
    _, spoken, told = json.loads(route.calls[1].request.content)["messages"]
    assert spoken["tool_calls"][0]["id"] == told["tool_call_id"] == start.id


@each_backend
def test_a_stored_response_is_fetched_and_deleted(backend: str, mocked: respx.Router) -> None:
    mocked.get(f"{URLS['responses']}/resp_1").respond(json=WHOLE["responses"])
    deleted = mocked.delete(f"{URLS['responses']}/resp_1").respond(
        json={"id": "resp_1", "object": "response", "deleted": True}
    )
    response = stored_of(backend, "resp_1")
    assert (response.text, response.meta.response_id) == ("Hello", "resp_1")
    assert deleted.called


def test_a_stored_response_that_is_not_there_is_an_error(mocked: respx.Router) -> None:
    mocked.get(f"{URLS['responses']}/x").respond(404, json={"error": {"message": "No x."}})
    with Client(model="gpt-4o-mini") as client, pytest.raises(StreamError) as raised:
        client.retrieve("x")
    assert str(raised.value) == "No x.\n  status: 404"
