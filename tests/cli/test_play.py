from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aquila_cassette.storage.files import load
from tests.cli.conftest import Cli, Lay
from tests.cli.terminal import on_a_terminal
from tests.dialects.streams import chunk, data, typed

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
    ran = cli("play", *arguments, "--speed", "0")
    assert (ran.code, ran.err) == (0, "")
    return "\n" + ran.out


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
  body       temperature: 18
             sky: [blue, "no"]
  ended      complete
"""
    )


def test_only_the_interactions_asked_for_are_played(cli: Cli, lay: Lay) -> None:
    lay("failed")
    out = played(cli, "failed", "--only", "3", "-n", "1")
    assert [line[:3] for line in out.splitlines() if line[:1].isdigit()] == ["1/3", "3/3"]
    ran = cli("play", "failed", "--only", "4")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "cassettes/failed.yaml has no interaction 4.\n"
        "  it has: 3\n"
        "Fix: aquila-cassette show cassettes/failed.yaml\n"
    )


def test_several_calls_and_lines_stand_each_on_their_own(cli: Cli) -> None:
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


def test_events_that_no_dialect_knows_are_shown_as_they_are(cli: Cli) -> None:
    name = laid(typed({"type": "ping"}, {"type": "tick", "n": 1}, {"type": "tick", "n": 2}))
    assert (
        played(cli, name)
        == """
1/1 POST https://example.com/v1/chat/completions
  user       Go.
  event      {"type": "tick", "n": 1}
             {"type": "tick", "n": 2}
  ended      complete
"""
    )


def test_in_a_pipe_raw_gives_the_bytes_and_nothing_else(cli: Cli, lay: Lay) -> None:
    path = lay("chat")
    body = load(path).interactions[0].response.body
    ran = cli("play", "chat", "--raw", "--speed", "0")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.encode() == body


def test_on_a_terminal_raw_gives_no_control_characters(lay: Lay) -> None:
    path = lay("chat")
    path.write_text(path.read_text("utf-8").replace("18 °C.", "18 \x1b]0;x\x07°C."), "utf-8")
    shown = COLOURS.sub("", on_a_terminal("play", "chat", "--raw", "--speed", "0", width=300))
    lines = shown.splitlines()
    assert lines[0] == "1/1 POST https://api.openai.com/v1/chat/completions"
    assert r'"delta":{"content":"18 \x1b]0;x\x07°C."}' in lines[3]
    assert lines[-2:] == ["data: [DONE]", ""]


def test_a_terminal_gets_colours_and_lines_that_fit() -> None:
    words = "a sky of many words " * 6
    name = laid(data(chunk({"reasoning": "hm"}), chunk({"content": words}), "[DONE]"))
    written = on_a_terminal("play", name, "--speed", "0", width=40)
    assert "\x1b[2;3mhm" in written
    plain = COLOURS.sub("", written)
    assert plain == COLOURS.sub("", on_a_terminal("play", name, width=40, NO_COLOR="1"))
    assert [line.rstrip() for line in plain.splitlines()[3:6]] == [
        "  said       a sky of many words a sky",
        "             of many words a sky of many",
        "             words a sky of many words a",
    ]
    assert all(len(line) <= 40 for line in plain.splitlines()[1:])


def test_no_control_character_of_a_cassette_reaches_the_terminal(cli: Cli) -> None:
    out = played(cli, laid(data(chunk({"content": "\x1b[31mred\u202e\x07"}), "[DONE]")))
    assert r"  said       \x1b[31mred\u202e\x07" in out.splitlines()


def test_a_stream_takes_as_long_as_it_took_divided_by_the_speed(cli: Cli) -> None:
    body = data(chunk({"content": "One"}), "[DONE]")
    name = laid(body, pieces=f"{HOUR}+{len(body)}")
    started = time.monotonic()
    assert cli("play", name, "--speed", "36000").code == 0
    assert 0.1 <= time.monotonic() - started < 60
    assert "  said       One\n" in played(cli, name)  # at speed 0, at once


def interrupted(arguments: list[str], seen: bytes, out: int, reader: int) -> tuple[int, bytes]:
    """Run the command, send what Ctrl-C sends once `seen` was written; return code and output."""
    with subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", *arguments],
        stdout=out,
        stderr=out,
        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
    ) as process:
        os.close(out)
        guard = threading.Timer(60, process.kill)
        guard.start()
        written = b""
        while seen not in written:
            part = os.read(reader, 65536)
            assert part, written
            written += part
        process.send_signal(signal.SIGINT)
        try:
            while part := os.read(reader, 65536):
                written += part
        except OSError:  # how Linux says that the other side of a terminal is closed
            pass
        code = process.wait()
        guard.cancel()
        return code, written


@pytest.mark.parametrize("raw", [(), ("--raw",)])
@pytest.mark.parametrize("terminal", [True, False])
def test_ctrl_c_leaves_whole_lines_and_no_traceback(terminal: bool, raw: tuple[str, ...]) -> None:
    first = data(chunk({"content": "One"}))
    rest = data(chunk({"content": " two"}), "[DONE]")
    name = laid(first + rest, pieces=f"0+{len(first)} {HOUR}+{len(rest)}")
    reader, out = pty.openpty() if terminal else os.pipe()
    code, written = interrupted(["play", name, *raw], b"One", out, reader)
    os.close(reader)
    assert code == 130
    shown = COLOURS.sub("", written.decode().replace("\r\n", "\n"))
    if not raw:
        assert shown.endswith("\n  said       One\n")
    elif terminal:
        assert shown.split("\n", 1)[1] == first.decode()
    else:
        assert written == first
