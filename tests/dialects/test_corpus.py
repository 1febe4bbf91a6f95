"""Recorded provider streams, where they are at hand: each one's dialect, end and words."""

import json
import re
from collections import Counter
from typing import Any

from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.reading import DIALECTS, ending, read_message
from aquila_cassette.sse import events, frames
from tests.corpus import RECORDED, Recorded, each_recorded, needs_corpus
from tests.dialects.test_message import assert_the_timeline_is_the_message

CHAT = ("openai-chat", True)
CHAT_WITHOUT_DONE = ("openai-chat", False)
RESPONSES = ("openai-responses", True)
ANTHROPIC = ("anthropic", True)
GEMINI = ("gemini", False)
UNKNOWN = (None, False)

# How many files of each provider and endpoint there are; their dialect; whether they have a
# terminal event.
TABLE = {
    "ai21-completions": (1, CHAT),
    "anthropic-complete": (6, ("anthropic-complete", False)),
    "anthropic-messages": (17, ANTHROPIC),
    "azure-ai-completions": (4, CHAT),
    "azure-ai-responses": (1, RESPONSES),
    "azure-openai-completions": (9, CHAT),
    "azure-openai-responses": (6, RESPONSES),
    "bedrock-responses": (4, RESPONSES),
    "cohere-chat": (4, ("cohere", True)),
    "databricks-completions": (4, CHAT),
    "deepseek-completions": (5, CHAT),
    "deepseek-responses": (4, RESPONSES),
    "gemini-interactions": (4, ("gemini-interactions", True)),
    "gemini-streamgeneratecontent": (15, GEMINI),
    "groq-completions": (9, CHAT),
    "huggingface-completions": (5, CHAT),
    "localhost-completions": (11, CHAT),
    "localhost-messages": (2, ANTHROPIC),
    "localhost-responses": (3, RESPONSES),
    "localhost-root": (7, UNKNOWN),
    "localhost-streamgeneratecontent": (2, GEMINI),
    "mcp-server-mcp": (4, UNKNOWN),
    "mistral-completions": (4, CHAT),
    "ollama-completions": (4, CHAT),
    "openai-completions": (29, CHAT),
    "openai-resp-id": (1, RESPONSES),
    "openai-responses": (14, RESPONSES),
    "openai-runs": (6, ("openai-runs", True)),
    "openai-transcriptions": (2, (None, True)),
    "openrouter-completions": (4, CHAT),
    "openrouter-responses": (4, RESPONSES),
    "perplexity-completions": (2, CHAT_WITHOUT_DONE),
    "replicate-56o77r2wpzc3krgyiy444okt3coned": (1, UNKNOWN),
    "snowflake-completions": (2, CHAT),
    "together-completions": (2, CHAT),
    "vercel-gateway-completions": (4, CHAT),
    "vertex-streamgeneratecontent": (8, GEMINI),
    "vertex-streamrawpredict": (4, ANTHROPIC),
    "watsonx-text-stream": (2, UNKNOWN),
    "writer-chat": (4, CHAT_WITHOUT_DONE),
    "writer-completions": (1, UNKNOWN),
    "xai-completions": (4, CHAT),
    "xai-responses": (4, RESPONSES),
    "zai-completions": (5, CHAT),
}
# Those that differ from the others of their provider: HTTP errors as bare JSON, an empty body,
# servers that never say [DONE].
EXCEPTIONS = {
    "gemini-streamgeneratecontent-5d19b2ef.sse": UNKNOWN,
    "gemini-streamgeneratecontent-7f93574f.sse": UNKNOWN,
    "gemini-streamgeneratecontent-d0749cb4.sse": UNKNOWN,
    "gemini-streamgeneratecontent-d86810fb.sse": UNKNOWN,
    "huggingface-completions-08cf1735.sse": CHAT_WITHOUT_DONE,
    "huggingface-completions-e43c661b.sse": CHAT_WITHOUT_DONE,
    "openai-completions-e3b0c442.sse": UNKNOWN,
    "vertex-streamgeneratecontent-64a3e4ca.sse": UNKNOWN,
    "vertex-streamgeneratecontent-80be184f.sse": UNKNOWN,
}
WITHOUT_DONE = re.compile(
    r"finish_?reason\"\s*:\s*\"[^\"]|\"stop_reason\"\s*:\s*\"[^\"]", re.IGNORECASE
)
TERMINALS = (
    "[DONE]",
    '"type":"message_stop"',
    '"type":"message-end"',
    '"type":"response.completed"',
    '"type":"response.incomplete"',
    '"type":"response.failed"',
    '{"error":',
)


def family(file: str) -> str:
    return file.rpartition("-")[0]


def expected_of(file: str) -> tuple[str | None, bool]:
    return EXCEPTIONS.get(file, TABLE[family(file)][1])


@needs_corpus
def test_the_table_covers_every_recorded_stream() -> None:
    files = [each.file for each in RECORDED]
    assert Counter(map(family, files)) == {name: count for name, (count, _) in TABLE.items()}
    assert set(EXCEPTIONS) <= set(files)


def parsed(body: bytes) -> list[dict[str, Any]]:
    texts = [event.data for event in events(body)]
    return [json.loads(text) for text in texts if text.startswith("{")]


@each_recorded(RECORDED)
def test_a_recorded_stream_is_read_as_what_it_is(recorded: Recorded) -> None:
    body, content_type = recorded.body, recorded.content_type
    dialect, terminal = expected_of(recorded.file)
    found = ending(content_type, body)
    assert (found.dialect, found.terminal, found.complete_at_eof) == (dialect, terminal, True)
    for event in read_events(framing(content_type, body), body):
        assert {each.name for each in DIALECTS if each.recognises(event)} <= {dialect}
    if dialect:
        assert_it_is_not_complete_before_its_end(recorded)
    if re.search(r"-(messages|streamraw)", recorded.file):
        assert_a_message_says_its_deltas(recorded)
    if re.search(r"-resp(onses|-id)-", recorded.file):
        assert_a_response_says_its_output(recorded)
    assert_the_timeline_is_the_message(content_type, recorded.pieces)


def assert_it_is_not_complete_before_its_end(recorded: Recorded) -> None:
    whole = ending(recorded.content_type, recorded.body)
    kept = [frame.raw for frame in frames(recorded.body) if frame.event]
    # Half of what comes before anything that makes it complete.
    before = next(
        place
        for place, raw in enumerate(kept)
        if any(each in raw.decode().replace('": ', '":') for each in TERMINALS)
        or WITHOUT_DONE.search(raw.decode())
    )
    for count in {(before + 1) // 2, before} - {0}:
        found = ending(recorded.content_type, b"".join(kept[:count]))
        assert (found.terminal, found.complete_at_eof) == (False, False)
        assert (found.dialect, found.expected) == (whole.dialect, whole.expected)


def assert_a_message_says_its_deltas(recorded: Recorded) -> None:
    deltas = [event.get("delta", {}) for event in parsed(recorded.body)]
    found = read_message(recorded.content_type, recorded.body)
    assert found.text == "".join(delta.get("text", "") for delta in deltas)
    assert found.reasoning == "".join(delta.get("thinking", "") for delta in deltas)
    arguments = "".join(delta.get("partial_json", "") for delta in deltas)
    assert "".join(call.arguments for call in found.tool_calls) == arguments


def assert_a_response_says_its_output(recorded: Recorded) -> None:
    found = read_message(recorded.content_type, recorded.body)
    message = parsed(recorded.body)
    deltas = (event["delta"] for event in message if event["type"].endswith("output_text.delta"))
    assert found.text == "".join(deltas)
    last = next(event["response"] for event in message[::-1] if "response" in event)
    assert (found.model, found.usage) == (last["model"], last["usage"])
    called = [
        item for item in last["output"] if item["type"].endswith(("function_call", "tool_call"))
    ]
    assert [(call.name, call.arguments) for call in found.tool_calls] == [
        (item["name"], item.get("arguments") or item["input"]) for item in called
    ]
