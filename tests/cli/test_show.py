import json
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

from aquila_cassette.transcript.humanize import format_age, parse_time
from tests.cli.conftest import Cli, Lay

AGO = format_age(parse_time("2020-02-01T10:30:00Z"), datetime.now(UTC))


def test_a_conversation_with_tools_is_shown_as_a_person_reads_it(cli: Cli, lay: Lay) -> None:
    lay("chat", "weather.asks")
    ran = cli("show", "weather.asks")
    assert (ran.code, ran.err) == (0, "")
    expected = f"""
    weather.asks
    cassettes/weather.asks.yaml, 1 interaction, 1.7 kB, by aquila-cassette 0.1.0

    1/1 POST https://api.openai.com/v1/chat/completions
    recorded 2020-02-01 10:30 UTC ({AGO} ago), by tests/test_weather.py::test_paris

      model      gpt-4o-mini
      system     Be brief.
      user       Is it warm in Paris?
                 In Celsius, please.
      assistant  → get_weather {{"city":"Paris"}}
      tool       18 degrees
      tools      get_weather(city, unit?)
      with       stream: true
                 stream_options: {{include_usage: true}}

      answer     200, OpenAI chat completions, gpt-4o-mini-2024-07-18
      said       It is 18 °C.
      came       4 events in 3 pieces, 521 B
      arrived    ············█···█······················█ 1.00 s, first after 300 ms
      ended      complete (stop)
      usage      prompt_tokens 21, completion_tokens 6, total_tokens 27
"""
    assert ran.out == dedent(expected).lstrip("\n")


def test_failures_and_other_dialects_are_shown_with_what_counts(cli: Cli, lay: Lay) -> None:
    for name in ("failed", "closed", "gemini", "plain"):
        lay(name)
    out = cli("show", "failed", "closed", "cassettes/gemini.yaml", "plain").done
    rows = [line for line in out.splitlines() if line[:2] == "  "]
    shown = """
      model      llama
      with       stream: true
      answer     200, OpenAI chat completions
      said       One, two
      came       1 event in 1 piece, 113 B
      ended      failed: ReadError: [Errno 104] Connection reset by peer
      model      llama
      with       stream: false
      answer     429 Too Many Requests, application/json, retry after 20
      error      Rate limit reached.
      came       1 piece, 61 B
      ended      complete
      answer     none
      came       nothing
      ended      failed: ConnectError: [Errno 111] Connection refused
      model      claude-sonnet-5-5
      system     Think first.
      user       Which one?
      with       max_tokens: 100
      answer     200, Anthropic messages
      thought    The left one?
      called     → look {"where": "le
      came       5 events in 5 pieces, 757 B
      ended      closed by its consumer
      usage      input_tokens 9, output_tokens 1
      model      gemini-2.5-flash
      system     Be brief.
      user       What is this?
      user       [image/png, 18 B]
      with       generationConfig: {temperature: 0.5}
      answer     200, Google generateContent
      said       A dot.
      came       2 events in 2 pieces, 352 B
      ended      complete (STOP)
      usage      promptTokenCount 8, candidatesTokenCount 2
      answer     200, application/json
      body       temperature: 18
                 sky: [blue, "no"]
      came       1 piece, 38 B
      ended      complete
    """
    assert rows == [line[4:] for line in shown.splitlines()[1:-1]]


def test_a_cassette_that_cannot_be_shown_does_not_hide_the_others(cli: Cli, lay: Lay) -> None:
    lay("plain")
    lay("damaged")
    ran = cli("show", "damaged", "plain", "nowhere")
    assert ran.code == 2
    assert ran.out.startswith("plain\ncassettes/plain.yaml, 1 interaction, 255 B\n")
    in_json = cli("show", "damaged", "plain", "nowhere", "--json")
    assert (in_json.code, in_json.err) == (2, ran.err)
    assert [one["name"] for one in json.loads(in_json.out)] == ["plain"]
    assert ran.err == (
        "cassettes/damaged.yaml, line 6: 'ended' has a wrong value.\n"
        "  expected: one of complete, closed, failed\n"
        "  got:      'perhaps'\n"
        "Fix: make it one of complete, closed, failed\n"
        "There is no cassette 'nowhere'.\n"
        "  looked for: cassettes/nowhere.yaml\n"
        "Fix: aquila-cassette list shows what there is\n"
    )


def test_json_has_what_was_asked_what_was_said_and_when_it_came(cli: Cli, lay: Lay) -> None:
    lay("chat")
    lay("failed")
    ran = cli("show", "chat", "failed", "--json")
    assert ran.code == 0
    chat, failed = json.loads(ran.out)
    (one,) = chat.pop("interactions")
    assert chat == {
        "name": "chat",
        "path": "cassettes/chat.yaml",
        "recorded_with": "aquila-cassette 0.1.0",
    }
    assert one["recorded_at"] == "2020-02-01T10:30:00Z"
    assert one["recorded_by"] == "tests/test_weather.py::test_paris"
    assert one["request"]["model"] == "gpt-4o-mini"
    assert one["request"]["json"]["messages"][0] == {"role": "system", "content": "Be brief."}
    shown = {
        "status": 200, "provider": "openai", "dialect": "openai-chat", "text": "It is 18 °C.",
        "finish_reason": "stop", "pieces": [[300, 155], [420, 162], [1000, 204]],
        "ended": "complete", "error": None,
    }  # fmt: skip
    assert one["response"] | shown == one["response"]
    last = failed["interactions"][2]
    message = "[Errno 111] Connection refused"
    assert last["response"]["error"] == {"type": "ConnectError", "message": message}


def test_what_is_no_models_is_shown_as_text_up_to_some_lines(cli: Cli) -> None:
    body = r"data: \e[31mred\n\n" + "x\\n" * 99
    Path("odd.yaml").write_text(
        "version: 1\ninteractions:\n- request: {method: GET, url: https://example.org}\n"
        f'  response:\n    status: 200\n    text: "{body}"\n    ended: complete\n'
    )
    lines = cli("show", "odd.yaml").out.splitlines()[6:]
    assert lines[:3] == ["  body       data: \\x1b[31mred", "", "             x"]
    assert lines[24] == "             (77 more lines in the file)"
