"""The page on the command line says what the commands do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from aquila_cassette.cli.maintenance.finding import KINDS
from tests.cli.conftest import Cli
from tests.cli.maintenance.tapes import chat, lay, text

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
KEY = "sk-ant-api03-abcdefghijklmnop"


def test_the_page_has_every_kind_of_finding() -> None:
    (section,) = re.findall(r"^## check\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE)
    assert rows == [(name, kind.meaning) for name, kind in KINDS.items()]
    errors = [name for name, kind in KINDS.items() if kind.level == "error"]
    assert errors == [*list(KINDS)[:9], "secret"]


def test_the_examples_of_the_page_are_what_is_written(cli: Cli) -> None:
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter\n")
    lay("tests/test_chat.py", "def test_reply(): ...\n")
    url = chat().request.url
    recorded_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"  # no example gets old
    lay("cassettes/chat.greets.yaml", text(chat(recorded_at=recorded_at)))
    lay("cassettes/chat.hello.yaml", text(chat(url=f"{url}?key={KEY}", recorded_at=recorded_at)))
    hi = text(chat(recorded_at=recorded_at)).replace('"Hi"', '"Hello"')
    lay("cassettes/chat.hi.yaml", hi)
    lost = chat(recorded_by="tests/test_chat.py::test_lost", recorded_at=recorded_at)
    lay("cassettes/chat.lost.yaml", text(lost))
    lay("cassettes/torn.yaml", text()[: text().index("    ended:")])
    examples = re.findall(
        r"```console\n\$ aquila-cassette ((?:check|scrub)[^\n]*)\n(.*?)```", PAGE, re.DOTALL
    )
    assert [command.split()[0] for command, _ in examples] == ["check", "scrub"]
    for command, expected in examples:
        if command.startswith("scrub"):
            Path("cassettes/torn.yaml").unlink()
        ran = cli(*command.split())
        assert ran.out + ran.err == expected
