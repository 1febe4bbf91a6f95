from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aquila_cassette.cli.demo import (
    STREAMS,
    Consumed,
    Demo,
    print_table,
    record,
    replay,
    with_httpx,
)
from aquila_cassette.cli.output import Screen
from aquila_cassette.provider import Provider
from tests.cli.conftest import Cli

CHAT, RESPONSES, MESSAGES = STREAMS


def numbered(text: str) -> str:
    """Put # for every time, size, port and folder, whatever its width."""
    text = re.sub(r" *\d+(?:\.\d+)? (?:ms|s|kB)\b", " #", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:#", text)


def test_the_demo_records_live_streams_and_replays_them_without_their_provider(cli: Cli) -> None:
    ran = cli("demo", "--gap", "0", "--keep", "cassettes")
    assert (ran.code, ran.err) == (0, "")
    lines = numbered(ran.out).splitlines()
    assert lines[:15] == [
        "Record model streams while they are read, replay them offline.",
        "",
        "● with httpx, from a provider at 127.0.0.1:#: recording",
        "  OpenAI chat         Hello! I am all ears. ☕ What shall we look at first?",
        "  OpenAI responses    Hello! It is good to hear from you — what is on your mind?",
        "  Anthropic messages  Hello! I am all ears. ☕ What shall we look at first?",
        "",
        "● with openai and anthropic: loading, recording",
        "  OpenAI chat         Hello! I am all ears. ☕ What shall we look at first?",
        "  OpenAI responses    Hello! It is good to hear from you — what is on your mind?",
        "  Anthropic messages  Hello! I am all ears. ☕ What shall we look at first?",
        "",
        "■ provider stopped: 127.0.0.1:# refuses connections",
        "▶ replaying from cassettes",
        "",
    ]
    assert [re.sub(r" +", " ", re.sub(r" \d+ #", " N #", line)) for line in lines[15:22]] == [
        "STREAM CLIENT FIRST PIECES BYTES RECORDED REPLAYED EQUAL",
        "OpenAI chat httpx # N # # # ✓",
        "OpenAI chat openai # N # # # ✓",
        "OpenAI responses httpx # N # # # ✓",
        "OpenAI responses openai # N # # # ✓",
        "Anthropic messages httpx # N # # # ✓",
        "Anthropic messages anthropic # N # # # ✓",
    ]
    assert lines[22:-1] == [
        "FIRST: when the first event reached its consumer, while it was recorded.",
        "",
        "All 6 replays are equal, piece for piece and event for event; together #.",
        lines[-2],
    ]
    assert lines[-2].endswith(" show cassettes/messages.anthropic.yaml")
    assert lines[-1] == 'Record your own:     with aquila_cassette("my.first"): ...'


def test_the_cassettes_of_the_demo_can_be_kept_and_shown_whatever_is_set_for_tests(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUILA_RECORD", "none")
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", "elsewhere")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for _ in range(2):
        assert cli("demo", "--gap", "0", "--keep", "cassettes").code == 0
    assert not Path("elsewhere").exists()
    assert (os.environ["AQUILA_RECORD"], os.environ.get("NO_PROXY")) == ("none", None)
    assert sorted(path.name for path in Path("cassettes").glob("*.yaml")) == [
        "chat.httpx.yaml",
        "chat.openai.yaml",
        "messages.anthropic.yaml",
        "messages.httpx.yaml",
        "responses.httpx.yaml",
        "responses.openai.yaml",
    ]
    listed = cli("list", "-d", "cassettes")
    assert listed.code == 0
    assert [line.split()[1] for line in listed.out.splitlines()[1:]] == ["1"] * 6
    assert "said       Hello! I am all ears." in cli("show", "-d", "cassettes", "chat.openai").out
    texts = "".join(path.read_text() for path in Path("cassettes").glob("*.yaml"))
    assert "sk-demo" not in texts


def test_an_sdk_that_is_not_installed_is_named_and_the_others_are_recorded(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = cli("demo", "--gap", "0")
    assert ran.code == 0
    (folder,) = tmp_path.glob("aquila-demo-*")
    assert f" show {folder.name}/messages.httpx.yaml\n" in ran.out
    assert "  anthropic is not installed: pip install 'aquila-cassette[demo]'\n" in ran.out
    assert "All 5 replays are equal" in ran.out


def demo(**changes: object) -> Demo:
    items = (b"data: 1\n\n", b"data: 2\n\n")
    base = Demo(CHAT, "httpx", with_httpx, Consumed(items, 1, 2), 2, 18, Consumed(items, 0.1, 0.2))
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({}, ""),
        (
            {"replayed": Consumed((b"data: 1\n\n", b"data: 3\n\n"), 0.1, 0.2)},
            r"item 2: expected b'data: 2\n\n', got b'data: 3\n\n'",
        ),
        ({"replayed": Consumed((b"data: 1\n\n",), 0.1, 0.2)}, "expected 2 items, got 1"),
        ({"replayed": None, "failure": "ReadError: gone"}, "ReadError: gone"),
        (
            {"live": Consumed((b"x" * 99,), 1, 2)},
            f"item 1: expected b'{'x' * 58}..., got b'data: 1\\n\\n'",
        ),
    ],
)
def test_a_difference_says_what_was_expected_and_what_came(
    changes: dict[str, object], difference: str
) -> None:
    assert demo(**changes).difference == difference


def test_a_replay_that_differs_is_shown_and_makes_the_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = demo(stream=MESSAGES, client="anthropic", replayed=None, failure="MissError: no\nmore")
    assert print_table([demo(), other], Screen()) == 1
    assert capsys.readouterr().out == (
        "STREAM              CLIENT      FIRST  PIECES  BYTES  RECORDED  REPLAYED  EQUAL\n"
        "OpenAI chat         httpx      1.0 ms       2   18 B    2.0 ms    0.2 ms  ✓\n"
        "Anthropic messages  anthropic  1.0 ms       2   18 B    2.0 ms         -  ✗\n"
        "FIRST: when the first event reached its consumer, while it was recorded.\n"
        "\n"
        "✗ Anthropic messages, anthropic: MissError: no\n"
        "1 of 2 replays differ.\n"
    )


def test_a_cassette_that_was_changed_between_recording_and_replay_is_found_out(
    tmp_path: Path,
) -> None:
    with Provider(gap=0) as provider:
        url = provider.url
        one = record(CHAT, "httpx", with_httpx, url=url, folder=tmp_path, show=lambda _: None)
    replay(one, url=url, folder=tmp_path)
    assert one.difference == ""
    path = tmp_path / "chat.httpx.yaml"
    path.write_text(path.read_text().replace("ears", "eyes"))
    replay(one, url=url, folder=tmp_path)
    assert re.match(r"item \d+: expected b'.*, got b'", one.difference)
    path.unlink()
    replay(one, url=url, folder=tmp_path)
    assert one.difference.startswith("MissError: No interaction matches POST http://127.0.0.1")


def test_the_demo_keeps_its_cassettes_in_no_file(cli: Cli) -> None:
    Path("cassettes").write_text("a file")
    ran = cli("demo", "--keep", "cassettes")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "The demo cannot keep its cassettes in 'cassettes': that is a file.\n"
        "Fix: aquila-cassette demo --keep cassettes\n"
    )
