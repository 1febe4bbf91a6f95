import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Lay
from tests.cli.terminal import on_a_terminal

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text("utf-8")


def edit(path: Path, *pairs: tuple[str, str]) -> None:
    """Replace parts of a cassette, each of which is there."""
    text = path.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def git(*arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    quiet = ("-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *quiet, *arguments], check=True, capture_output=True)


@pytest.fixture
def committed(lay: Lay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give a cassette that was committed."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    path = lay("chat")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "Record")
    return path


RECORDED_AGAIN = (
    ("Be brief.", "Be kind."),
    ("18 °C", "19 °C"),
    ('"finish_reason":"stop"', '"finish_reason":"length"'),
    ('"id":"1"', '"id":"chatcmpl-9"'),
    ('"completion_tokens":6', '"completion_tokens":8'),
    ("2020-02-01", "2020-03-01"),
    ("pieces: 300+155 420+162 1000+204", "pieces: 1300+155 1420+162 2200+206"),
)


def test_what_changed_since_the_last_commit_is_shown(cli: Cli, committed: Path) -> None:
    assert cli("diff", "chat", "--git", "HEAD").done == "The same.\n"
    edit(committed, *RECORDED_AGAIN)
    ran = cli("diff", "chat")
    assert (ran.code, ran.err) == (1, "")
    (expected,) = re.findall(r"^```\n(--- cassettes/chat.*?)```\n", PAGE, re.DOTALL | re.MULTILINE)
    assert ran.out == expected
    written = on_a_terminal("diff", "chat", width=60)
    assert "\x1b[31m-said       It is 18 °C.\x1b[0m" in written
    assert "\x1b[32m+said       It is 19 °C.\x1b[0m" in written


def test_what_differs_each_time_is_left_out(cli: Cli, committed: Path) -> None:
    edit(committed, ('"id":"1"', '"id":"2"'), ("2020-02-01", "2020-03-01"), ("420+", "430+"))
    assert cli("diff", "chat").done == "The same, but for ids, dates, times and the like.\n"


def test_a_terminal_gets_no_control_characters(cli: Cli, lay: Lay) -> None:
    lay("ollama")
    edit(lay("ollama", "again"), (" there", r" \u001b[31myou\u202e"))
    out = cli("diff", "ollama", "again").out
    assert r"+said       Hi \x1b[31myou\u202e" in out.splitlines()
    assert not set(out) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("chat --git=--help", ["git does not give cassettes/chat.yaml as it was committed.",
                               "  fatal: Needed a single revision",
                               "Fix: aquila-cassette diff OLD.yaml cassettes/chat.yaml"]),
        ("chat chat --git HEAD", [
            "OTHER and --git exclude each other.", "Fix: leave one out"]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("committed")
def test_what_cannot_be_compared_is_an_error(
    cli: Cli, arguments: str, complaint: list[str]
) -> None:
    assert cli("diff", *arguments.split()).refusal.splitlines() == complaint


@pytest.mark.usefixtures("committed")
def test_a_cassette_that_is_new_differs(cli: Cli, lay: Lay) -> None:
    lay("plain", "new")
    ran = cli("diff", "new")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == "cassettes/new.yaml is not in HEAD.\n"


def test_outside_a_repository_there_is_nothing_to_compare_with(
    cli: Cli, lay: Lay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay("chat")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert cli("diff", "chat").refusal == (
        "git does not give cassettes/chat.yaml as it was committed.\n"
        "  fatal: not a git repository (or any of the parent directories): .git\n"
        "Fix: aquila-cassette diff OLD.yaml cassettes/chat.yaml\n"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli("diff", "chat").err.startswith("git is not installed here.\n")


def test_a_damaged_cassette_is_an_error_now_or_in_the_commit(
    cli: Cli, committed: Path, lay: Lay
) -> None:
    whole = committed.read_text("utf-8")
    lay("damaged", "chat")
    assert cli("diff", "chat").refusal.startswith("cassettes/chat.yaml, line 6: ")
    git("commit", "-q", "-a", "-m", "Damage")
    committed.write_text(whole, "utf-8")
    err = cli("diff", "chat").refusal
    assert err.startswith("cassettes/chat.yaml was no whole cassette in HEAD.\n  cassettes/")
    assert err.endswith("\nFix: aquila-cassette diff OLD.yaml cassettes/chat.yaml\n")
