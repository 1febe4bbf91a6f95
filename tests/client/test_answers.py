"""Every way in which a provider may answer, and what the client makes of it."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from aquila_cassette.client import AsyncClient, Chunk, Client, Done, Error, Raw, Reasoning, ToolCall
from aquila_cassette.errors import StreamError
from aquila_cassette.provider.replies import ModelReply, parse_request
from aquila_cassette.provider.server import DIALECTS
from tests.client.talk import (
    MODELS,
    answering,
    calling,
    chat,
    delta,
    each_backend,
    each_endpoint,
    events_of,
    mocked,
    sse,
)
from tests.servers import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES


def candidate(text: str, reason: str | None = None, **part: Any) -> dict[str, Any]:
    content = {"content": {"role": "model", "parts": [{"text": text, **part}]}}
    ended = {"finishReason": reason} if reason else {}
    return {"candidates": [{**content, **ended}], "responseId": "g_1"}


def response(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{type_}", **fields}


def block(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


def stop(reason: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"}


STREAMS: dict[str, Sequence[bytes]] = {
    "chat": CHAT_FRAMES,
    "responses": RESPONSES_FRAMES,
    "messages": MESSAGES_FRAMES,
    "gemini": [
        *(sse(candidate(text), end="\r\n") for text in CHAT_TEXT),
        sse(candidate("", "STOP"), end="\r\n"),
    ],
}
HEL: dict[str, bytes] = {
    "chat": sse(chat(delta(content="Hel"))),
    "responses": sse(response("output_text.delta", delta="Hel")),
    "messages": sse(block(type="text_delta", text="Hel")),
    "gemini": sse(candidate("Hel")),
}
_REQUEST, _REPLY = parse_request("", {"messages": [{"content": "Hi"}]}), ModelReply(("Hello",))
WHOLE: dict[str, dict[str, Any]] = {
    name: json.loads(dialect.whole(_REQUEST, _REPLY))
    for name, dialect in zip(MODELS, DIALECTS, strict=True)
}


def ask(endpoint: str, *bodies: Any, backend: str = "sync", **options: Any) -> list[Any]:
    server = {name: options.pop(name) for name in ("status", "content_type") if name in options}
    made = {"model": MODELS[endpoint], "endpoint": endpoint, "transport": mocked(*bodies, **server)}
    return events_of(backend, "Hi", made=made, ref="r", **options)


def failure(events: list[Any]) -> tuple[str, str]:
    """Return the kind and the reason of the error that ends a stream, the only one in it."""
    errors = [event for event in events if isinstance(event, Error)]
    assert errors == events[-1:]
    assert errors[0].meta.status == errors[0].kind
    return errors[0].kind, errors[0].reason


@each_backend
@each_endpoint
def test_a_stream_gives_its_chunks_and_is_done_also_without_its_last_blank_line(
    backend: str, endpoint: str
) -> None:
    for body in (b"".join(STREAMS[endpoint]), b"".join(STREAMS[endpoint]).rstrip()):
        events = ask(endpoint, body, backend=backend)
        *chunks, done = [event for event in events if not isinstance(event, Raw)]
        assert chunks == [Chunk(text, ref="r") for text in CHAT_TEXT]
        assert isinstance(done, Done)
        assert done.text == "Hello, wörld"


@each_endpoint
def test_an_answer_that_is_not_streamed_is_one_all_the_same(endpoint: str) -> None:
    chunk, done = ask(endpoint, WHOLE[endpoint])
    assert chunk == Chunk("Hello", ref="r")
    assert isinstance(done, Done)
    assert (done.text, len(done.messages)) == ("Hello", 2)
    *chunks, _ = ask("gemini", [candidate("Hel"), candidate("lo", "STOP")])
    assert [chunk.text for chunk in chunks] == ["Hel", "lo"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"message": "No."}}', "No."),
        (b"upstream timed out", "upstream timed out"),
        (b"", "HTTP 529"),
        (b'{"detail": "No."}', '{"detail": "No."}'),
    ],
)
@each_endpoint
def test_an_error_status_is_an_error_in_the_words_of_its_body(
    endpoint: str, body: bytes, reason: str
) -> None:
    events = ask(endpoint, body, status=529)
    assert failure(events) == ("http", reason)
    assert events[-1].status == 529


def broken(endpoint: str, data: str, event: str = "") -> tuple[str, bytes, str, str]:
    reason = f"A chunk of the stream is not JSON: {data}"
    return endpoint, sse(data, event=event) + b"".join(STREAMS[endpoint]), "protocol", reason


def failed(**fields: Any) -> bytes:
    return sse(response("failed", response={"output": [], **fields}))


NO = {"message": "No."}
LIMIT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
INCOMPLETE = "The answer is incomplete"
LIMITED = [
    ("chat", sse(chat(delta("length"))), "length"),
    ("responses", sse(response("incomplete", response=LIMIT)), "max_output_tokens"),
    ("messages", sse(*stop("max_tokens")), "max_tokens"),
    ("gemini", sse(candidate("", "MAX_TOKENS")), "MAX_TOKENS"),
]
REFUSED = sse(response("refusal.delta", delta="I won't."), response("completed", response={}))
BLOCKED = sse({"promptFeedback": {"blockReason": "SAFETY"}})
ENDED = "The provider ended the answer"
ENDS_OF_RESPONSES = "response.completed, response.incomplete or response.failed"

FAILURES: list[tuple[str, bytes, str, str]] = [
    ("chat", b"", "cut", "The stream ended before data: [DONE]."),
    ("responses", b"", "cut", f"The stream ended before {ENDS_OF_RESPONSES}."),
    ("messages", b"", "cut", "The stream ended before event: message_stop."),
    ("gemini", b"", "cut", "The stream ended before a finishReason."),
    ("chat", sse(chat(delta("stop", refusal="I won't.")), "[DONE]"), "refusal", "I won't."),
    ("responses", REFUSED, "refusal", "I won't."),
    ("messages", sse(*stop("refusal")), "refusal", "The answer was refused: refusal"),
    ("gemini", BLOCKED, "refusal", "The answer was refused: SAFETY"),
    *((endpoint, end, "incomplete", f"{INCOMPLETE}: {why}") for endpoint, end, why in LIMITED),
    ("chat", sse({"error": NO}, {"error": {"message": "Two."}}), "provider", "No."),
    ("responses", failed(error=NO), "provider", "No."),
    ("responses", failed(status="failed"), "provider", f"{ENDED}: failed"),
    ("responses", failed(status="cancelled"), "provider", f"{ENDED}: cancelled"),
    ("responses", sse({"type": "error", **NO}, event="error"), "provider", "No."),
    ("messages", sse({"type": "error", "error": NO}, event="error"), "provider", "No."),
    ("gemini", b'{\n  "error": {"message": "No."}\n}', "provider", "No."),
    broken("chat", '{"choices": [{"index": 0, "delta": {"content": "lo"'),
    broken("responses", '{"type": "response.output_text.delta", "delta": "l'),
    broken("messages", '{"type": "content_block_delta", ', event="content_block_delta"),
    broken("gemini", '[{"candidates": '),
]
"""What comes after a first chunk, and the kind and the reason of the error."""


@pytest.mark.parametrize(("endpoint", "end", "kind", "reason"), FAILURES)
def test_an_answer_that_is_not_completed_keeps_its_text_and_ends_in_one_error(
    endpoint: str, end: bytes, kind: str, reason: str
) -> None:
    events = ask(endpoint, HEL[endpoint] + end)
    assert failure(events) == (kind, reason)
    assert (events[-1].text, events[-1].status) == ("Hel", 200)
    if kind == "incomplete":
        assert reason.endswith(f": {events[-1].meta.finish_reason}")


@pytest.mark.parametrize(
    ("endpoint", "end"),
    [
        ("chat", sse(chat(usage={"total_tokens": 3}), "[DONE]")),
        ("messages", sse(*stop(None))),
        ("responses", sse(response("completed", response={}))),
    ],
)
def test_a_last_event_completes_an_answer_without_a_finish_reason(
    endpoint: str, end: bytes
) -> None:
    done = ask(endpoint, HEL[endpoint] + end)[-1]
    assert isinstance(done, Done)
    assert (done.text, done.meta.status, done.meta.finish_reason) == ("Hel", "completed", None)
    assert failure(ask(endpoint, HEL[endpoint]))[0] == "cut"


@each_endpoint
def test_json_under_a_good_status_may_be_an_error_or_not_an_answer(endpoint: str) -> None:
    events = ask(endpoint, {"error": {"message": "Overloaded"}})
    assert failure(events) == ("provider", "Overloaded")
    cancelled = {**WHOLE["responses"], "status": "cancelled"}
    assert failure(ask("responses", cancelled))[0] == "provider"
    raw, error = ask(endpoint, {"hello": "there"})
    assert json.loads(raw.event.data) == {"hello": "there"}
    assert error.kind == "protocol"
    assert error.reason.endswith(f": {raw.event.data}")
    assert failure(ask(endpoint, sse('{"hello": "th')))[0] == "protocol"


@pytest.mark.parametrize(
    ("content_type", "body", "named"),
    [
        ("text/html; charset=utf-8", b"<h1>Log in</h1>", "text/html: <h1>Log in</h1>"),
        ("application/octet-stream", b"\x00\x01\x02 \xff", "application/octet-stream"),
    ],
)
def test_a_page_in_place_of_an_answer_is_named_in_whatever_pieces_it_comes(
    content_type: str, body: bytes, named: str
) -> None:
    for pieces in (body, [body[at : at + 1] for at in range(len(body))]):
        events = ask("chat", pieces, content_type=content_type)
        expected = f"This is not an answer of OpenAI chat completions: {named}"
        assert failure(events) == ("protocol", expected)


@pytest.mark.parametrize("body", [b"\n\n", b": wait\n\n", b"data", b"data: {", b"event: x"])
def test_a_stream_that_is_cut_before_it_says_anything_is_not_taken_for_a_page(body: bytes) -> None:
    assert failure(ask("chat", body))[0] == "cut"


@pytest.mark.parametrize(
    "unknown",
    [
        sse("still here", event="heartbeat"),
        b"data:\n\n",
        sse('{"type": "response.web_search_call.searching"}', event="response.web_search"),
        sse("3"),
        b": OPENROUTER PROCESSING\n\n\n\n:\n\n",
    ],
)
@each_endpoint
def test_unknown_events_pass_as_raw_and_like_keep_alives_change_nothing(
    endpoint: str, unknown: bytes
) -> None:
    first, *rest = STREAMS[endpoint]
    *before, done = ask(endpoint, b"".join([first, unknown, *rest]))
    assert isinstance(done, Done)
    assert done.text == "Hello, wörld"
    if b"web_search" in unknown:
        assert any(isinstance(one, Raw) and "searching" in one.event.data for one in before)


THOUGHT = {
    "chat": sse(chat(delta(reasoning_content="Hm"))),
    "responses": sse(response("reasoning_summary_text.delta", delta="Hm")),
    "messages": sse(block(type="thinking_delta", thinking="Hm")),
    "gemini": sse(candidate("Hm", thought=True)),
}


@each_endpoint
def test_reasoning_is_no_part_of_the_answer(endpoint: str) -> None:
    events = ask(endpoint, THOUGHT[endpoint] + b"".join(STREAMS[endpoint]))
    reasoning, chunk, *_, end = [event for event in events if not isinstance(event, Raw)]
    assert (reasoning, chunk) == (Reasoning("Hm", ref="r"), Chunk("Hel", ref="r"))
    assert end.text == "Hello, wörld"


def test_a_character_cut_in_two_is_one_chunk_and_equal_chunks_are_all_kept() -> None:
    texts = ["a\ud83d", "\ude00b", "ha", "ha", "haha", "\ud83d"]
    body = sse(*(chat(delta(content=text)) for text in texts), chat(delta("stop")), "[DONE]")
    *chunks, done = ask("chat", body)
    assert [chunk.text for chunk in chunks] == ["a", "😀b", "ha", "ha", "haha", "�"]
    assert done.text == "a😀bhahahaha�"


def test_usage_may_be_null_and_is_summed_over_all_rounds() -> None:
    done = ask("chat", sse(chat(usage=None), chat(delta("stop"), usage=None), "[DONE]"))[-1]
    assert done.meta.usage == {}

    def now() -> str:
        return "noon"

    def usage(count: int) -> bytes:
        return sse(chat(usage={"total_tokens": count, "details": {"cached": 1}}))

    said = sse(chat(delta(content="Let me see. ")))
    calls = [said + usage(10) + calling(("now", "{}")), usage(100) + calling(("now", "{}"))]
    *events, done = ask("chat", *calls, usage(1000) + b"".join(CHAT_FRAMES), tools=[now])
    assert done.meta.usage == {"total_tokens": 1110, "details": {"cached": 3}}
    assert done.text == "Let me see. Hello, wörld"
    assert "".join(event.text for event in events if isinstance(event, Chunk)) == done.text


def test_signed_thoughts_go_back_with_the_results_of_tools() -> None:
    def begin(index: int, **fields: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": fields}

    def now() -> str:
        return "noon"

    call = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    calls = sse(
        begin(0, type="thinking", thinking="", signature=""),
        block(type="thinking_delta", thinking="Hm"),
        block(type="signature_delta", signature="c2ln"),
        begin(1, **call),
        *stop("tool_use"),
    )
    asked: list[httpx.Request] = []
    http = answering(calls, b"".join(MESSAGES_FRAMES), asked=asked)
    Client(http, model=MODELS["messages"]).ask("When?", tools=[now])
    _, answer, results = json.loads(asked[1].content)["messages"]
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "c2ln"}
    assert answer["content"] == [thinking, call]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
    assert results["content"] == [result]


def test_calls_may_lack_an_id_and_may_come_in_parts() -> None:
    def weather(city: str) -> str:
        return city

    def part(reason: str | None, **function: str) -> dict[str, Any]:
        return chat(delta(reason, tool_calls=[{"index": 0, "function": function}]))

    first, last = part(None, name="weather", arguments='{"city": '), part("", arguments='"Lund"}')
    asked: list[httpx.Request] = []
    http = answering(sse(first, last, "[DONE]"), b"".join(CHAT_FRAMES), asked=asked)
    start, result, *_ = Client(http, model="m").stream("Hi", tools=[weather])
    assert isinstance(start, ToolCall)
    assert isinstance(result, ToolCall)
    assert (start.arguments, result.result) == ('{"city": "Lund"}', "Lund")
    assert start.id == result.id == "unnamed-call-1"
    _, answer, result = json.loads(asked[1].content)["messages"]
    assert answer["tool_calls"][0]["id"] == result["tool_call_id"] == start.id


async def test_a_stored_response_is_fetched_and_deleted_and_one_that_is_not_there_is_an_error() -> (
    None
):
    asked: list[httpx.Request] = []
    bodies = WHOLE["responses"], {"id": "resp_1", "deleted": True}
    client = Client(answering(*bodies, asked=asked), model="m")
    found = client.retrieve("resp_1")
    client.delete("resp_1")
    async_http = httpx.AsyncClient(transport=mocked(*bodies, asked=asked))
    async_client = AsyncClient(async_http, model="m")
    assert await async_client.retrieve("resp_1") == found
    await async_client.delete("resp_1")
    assert (found.text, found.meta.response_id) == ("Hello", WHOLE["responses"]["id"])
    assert [request.method for request in asked] == ["GET", "DELETE"] * 2
    assert {str(one.url) for one in asked} == {"https://api.openai.com/v1/responses/resp_1"}
    http = answering({"error": {"message": "No x."}}, status=404)
    with pytest.raises(StreamError, match=r"^No x\.\n  status: 404$"):
        Client(http, model="gpt-4o-mini").retrieve("x")
