import os
import re
import sys
from pathlib import Path

import pytest

from aquila_cassette.cli.demo import STREAMS, print_table, record, replay
from aquila_cassette.cli.output import Screen
from aquila_cassette.provider import Provider
from tests.cli.conftest import Cli


def numbered(text: str) -> str:
    """Put # for every time, size and port, N for every count, and one space for many."""
    text = re.sub(r" *\d+(?:\.\d+)? (?:ms|s|kB)\b", " #", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:#", text)
    return re.sub(r"(?<=\S) +", " ", re.sub(r" +\d+ #", " N #", text))


HELLO = "Hello! I am all ears. ☕ What shall we look at first?"
GOOD = "Hello! It is good to hear from you — what is on your mind?"
SHOWN = f"""\
Record model streams while they are read, replay them offline.

● recording from a provider at 127.0.0.1:#

  with httpx
  OpenAI chat {HELLO}
  OpenAI responses {GOOD}
  Anthropic messages {HELLO}
  with openai
  OpenAI chat {HELLO}
  OpenAI responses {GOOD}
  with anthropic
  Anthropic messages {HELLO}

■ provider stopped: 127.0.0.1:#
▶ replaying from cassettes

STREAM CLIENT FIRST PIECES BYTES RECORDED REPLAYED EQUAL
OpenAI chat httpx # N # # # ✓
OpenAI chat openai # N # # # ✓
OpenAI responses httpx # N # # # ✓
OpenAI responses openai # N # # # ✓
Anthropic messages httpx # N # # # ✓
Anthropic messages anthropic # N # # # ✓
FIRST: when the first event reached its consumer, while it was recorded.

All 6 replays are equal, piece for piece and event for event; together #.
"""


def test_the_demo_records_live_streams_and_replays_them_whatever_is_set_for_tests(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUILA_RECORD", "none")
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", "elsewhere")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for _ in range(2):
        out = cli("demo", "--gap", "0", "--keep", "cassettes").done
        *lines, show, own = out.splitlines()
        assert numbered("\n".join(lines) + "\n") == SHOWN
        assert show.endswith(" show cassettes/messages.anthropic.yaml")
        assert own == 'Record your own:     with aquila_cassette("my.first"): ...'
    assert not Path("elsewhere").exists()
    assert (os.environ["AQUILA_RECORD"], os.environ.get("NO_PROXY")) == ("none", None)
    files = sorted(Path("cassettes").glob("*.yaml"))
    assert [path.stem for path in files] == [
        "chat.httpx", "chat.openai", "messages.anthropic",
        "messages.httpx", "responses.httpx", "responses.openai",
    ]  # fmt: skip
    assert "said       Hello! I am all ears." in cli("show", *files).out
    assert not any("sk-demo" in path.read_text("utf-8") for path in files)


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


def test_a_cassette_that_was_changed_between_recording_and_replay_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Provider(gap=0) as provider:
        url = provider.url
        one = record(STREAMS[0], "httpx", url, tmp_path, lambda _: None)
    path = tmp_path / "chat.httpx.yaml"
    path.write_text(path.read_text().replace("ears", "eyes"))
    replay(one, url, tmp_path)
    assert print_table([one], Screen()) == 1
    assert re.search(r"✗ OpenAI chat, httpx: the replay differs", capsys.readouterr().out)
    path.unlink()
    replay(one, url, tmp_path)
    assert one.difference.startswith("MissError: No interaction matches POST http://127.0.0.1")
