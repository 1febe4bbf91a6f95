"""Recorded provider streams, where they are at hand: each one's dialect, end and words."""

import re
from collections import Counter

from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.reading import DIALECTS, ending
from aquila_cassette.sse import frames
from tests.corpus import RECORDED, Recorded, each_recorded, needs_corpus
from tests.dialects.test_message import assert_the_timeline_is_the_message

CHAT = ("openai-chat", True)
CHAT_WITHOUT_DONE = ("openai-chat", False)
RESPONSES = ("openai-responses", True)
ANTHROPIC = ("anthropic", True)
GEMINI = ("gemini", False)
UNKNOWN = (None, False)

# By dialect and whether there is a terminal event: the providers and endpoints, each with how many
# files there are.
TABLE = {
    CHAT: """
        ai21-completions:1 azure-ai-completions:4 azure-openai-completions:9
        databricks-completions:4 deepseek-completions:5 groq-completions:9
        huggingface-completions:5 localhost-completions:11 mistral-completions:4
        ollama-completions:4 openai-completions:29 openrouter-completions:4 snowflake-completions:2
        together-completions:2 vercel-gateway-completions:4 xai-completions:4 zai-completions:5
    """,
    ("anthropic-complete", False): "anthropic-complete:6",
    ANTHROPIC: "anthropic-messages:17 localhost-messages:2 vertex-streamrawpredict:4",
    RESPONSES: """
        azure-ai-responses:1 azure-openai-responses:6 bedrock-responses:4 deepseek-responses:4
        localhost-responses:3 openai-resp-id:1 openai-responses:14 openrouter-responses:4
        xai-responses:4
    """,
    ("cohere", True): "cohere-chat:4",
    ("gemini-interactions", True): "gemini-interactions:4",
    GEMINI: """
        gemini-streamgeneratecontent:15 localhost-streamgeneratecontent:2
        vertex-streamgeneratecontent:8
    """,
    UNKNOWN: """
        localhost-root:7 mcp-server-mcp:4 replicate-56o77r2wpzc3krgyiy444okt3coned:1
        watsonx-text-stream:2 writer-completions:1
    """,
    ("openai-runs", True): "openai-runs:6",
    (None, True): "openai-transcriptions:2",
    CHAT_WITHOUT_DONE: "perplexity-completions:2 writer-chat:4",
}
# Those that differ from the others of their provider: HTTP errors as bare JSON, an empty body,
# servers that never say [DONE].
_UNKNOWN = """
gemini-streamgeneratecontent-5d19b2ef gemini-streamgeneratecontent-7f93574f
gemini-streamgeneratecontent-d0749cb4 gemini-streamgeneratecontent-d86810fb
openai-completions-e3b0c442 vertex-streamgeneratecontent-64a3e4ca
vertex-streamgeneratecontent-80be184f
"""
_WITHOUT_DONE = "huggingface-completions-08cf1735 huggingface-completions-e43c661b"
EXCEPTIONS = {
    **{f"{name}.sse": UNKNOWN for name in _UNKNOWN.split()},
    **{f"{name}.sse": CHAT_WITHOUT_DONE for name in _WITHOUT_DONE.split()},
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


COUNTS = {
    name: (int(count), kind)
    for kind, listed in TABLE.items()
    for name, _, count in (one.partition(":") for one in listed.split())
}


def expected_of(file: str) -> tuple[str | None, bool]:
    return EXCEPTIONS.get(file, COUNTS[family(file)][1])


@needs_corpus
def test_the_table_covers_every_recorded_stream() -> None:
    files = [each.file for each in RECORDED]
    assert Counter(map(family, files)) == {name: count for name, (count, _) in COUNTS.items()}
    assert set(EXCEPTIONS) <= set(files)


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
