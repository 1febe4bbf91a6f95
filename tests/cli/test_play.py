import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aquila_cassette.storage.files import load
from tests.cli.conftest import Cli, Lay
from tests.cli.terminal import on_a_terminal
from tests.dialects.streams import chunk, data

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
HOUR = 3_600_000


def laid(body: bytes, *, kind: str = "text/event-stream", pieces: str = "") -> str:
    """Write a cassette with an answer of that body; return its name."""
    block = "".join(f"      {line}\n" if line else "\n" for line in body.decode().split("\n")[:-1])
    times = f"    pieces: {pieces}\n" if pieces else ""
    Path("cassettes").mkdir(exist_ok=True)
    Path("cassettes/made.yaml").write_text(
        "version: 1\ninteractions:\n- request:\n    method: POST\n"
        "    url: https://example.com/v1/chat/completions\n"
        "    json: {messages: [{role: user, content: Go.}]}\n"
        f"  response:\n    status: 200\n    headers: {{content-type: {kind}}}\n"
        f"    text: |+\n{block}{times}    ended: complete\n",
        "utf-8",
    )
    return "made"


def played(cli: Cli, *arguments: object) -> str:
    out = cli("play", *arguments, "--speed", "0").done
    return "\n" + out


def test_each_interaction_is_played_in_turn(cli: Cli, lay: Lay) -> None:
    lay("failed")
    lay("plain")
    assert (
        played(cli, "failed", "plain")
        == """
failed 1/3 POST https://api.groq.com/openai/v1/chat/completions
  said       One, two
  ended      failed: ReadError: [Errno 104] Connection reset by peer

failed 2/3 POST https://api.groq.com/openai/v1/chat/completions
  answer     429 Too Many Requests, application/json, retry after 20
  error      Rate limit reached.
  ended      complete

failed 3/3 GET https://api.groq.com/openai/v1/models
  ended      failed: ConnectError: [Errno 111] Connection refused

plain 1/1 GET https://example.org/weather
  body       {"temperature":18,"sky":["blue","no"]}
  ended      complete
"""
    )


def test_only_the_interactions_asked_for_are_played(cli: Cli, lay: Lay) -> None:
    lay("failed")
    out = played(cli, "failed", "--only", "3", "-n", "1")
    assert [line[:3] for line in out.splitlines() if line[:1].isdigit()] == ["1/3", "3/3"]
    assert cli("play", "failed", "--only", "4").refusal.startswith(
        "cassettes/failed.yaml has 3 interactions.\nFix: "
    )


def test_several_calls_and_lines_have_rows_of_their_own(cli: Cli) -> None:
    def call(index: int, name: str, arguments: str) -> dict[str, object]:
        return {"index": index, "function": {"name": name, "arguments": arguments}}

    name = laid(
        data(
            chunk({"reasoning_content": "Both "}),
            chunk({"reasoning_content": "of\nthem."}),
            chunk({"content": "One mo"}),
            chunk({"content": "ment.\r\n\n- a\n"}),
            chunk({"tool_calls": [call(0, "look", '{"at":'), call(1, "listen", "")]}),
            chunk({"tool_calls": [call(0, "", ' "me"}')]}),
            chunk({"tool_calls": [call(1, "", "{}")]}, finish_reason="tool_calls"),
            "[DONE]",
        )
    )
    assert (
        played(cli, name)
        == """
1/1 POST https://example.com/v1/chat/completions
  user       Go.
  thought    Both of
             them.
  said       One moment.

             - a
  called     → look {"at":
             → listen
             → look  "me"}
             → listen {}
  ended      complete (tool_calls)
""".replace("listen\n", "listen \n")
    )


def test_raw_gives_the_bytes_in_a_pipe_and_escapes_on_a_terminal(cli: Cli, lay: Lay) -> None:
    path = lay("chat")
    path.write_text(path.read_text("utf-8").replace("18 °C.", "18 \x1b]0;x\x07°C."), "utf-8")
    raw = cli("play", "chat", "--raw", "--speed", "0").done
    assert raw.encode() == load(path).interactions[0].response.body
    shown = COLOURS.sub("", on_a_terminal("play", "chat", "--raw", "--speed", "0", width=300))
    assert r'"delta":{"content":"18 \x1b]0;x\x07°C."}' in shown
    name = laid(data(chunk({"content": "\x1b[31mred\u202e"}), "[DONE]"))
    written = on_a_terminal("play", name, "--speed", "0")
    assert "\x1b[32m  said" in written
    assert r"\x1b[31mred\u202e" in written


def test_a_stream_takes_as_long_as_it_took_divided_by_the_speed(cli: Cli) -> None:
    body = data(chunk({"content": "One"}), "[DONE]")
    name = laid(body, pieces=f"{HOUR}+{len(body)}")
    started = time.monotonic()
    assert cli("play", name, "--speed", "36000").code == 0
    assert 0.1 <= time.monotonic() - started < 60
    assert "  said       One\n" in played(cli, name)  # at speed 0, at once


@pytest.mark.parametrize("raw", [[], ["--raw"]])
def test_ctrl_c_leaves_whole_lines_and_no_traceback(raw: list[str]) -> None:
    first = data(chunk({"content": "One"}))
    rest = data(chunk({"content": " two"}), "[DONE]")
    name = laid(first + rest, pieces=f"0+{len(first)} {HOUR}+{len(rest)}")
    with subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", "play", name, *raw],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        written = b""
        while b"One" not in written:
            written += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        written += process.stdout.read()
    assert process.returncode == 130
    assert written == first if raw else written.endswith(b"\n  said       One\n")
