"""The page on the command line says what the commands do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from aquila_cassette.cli.check import KINDS
from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
KEY = "sk-ant-api03-abcdefghijklmnop"


def test_the_page_has_every_kind_of_finding() -> None:
    (section,) = re.findall(r"^## check\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE)) == KINDS


def test_the_examples_of_the_page_are_what_is_written(cli: Cli) -> None:
    url = chat().request.url
    recorded_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"  # no example gets old
    lay("cassettes/chat.greets.yaml", text(chat(recorded_at=recorded_at)))
    lay("cassettes/chat.hello.yaml", text(chat(url=f"{url}?key={KEY}", recorded_at=recorded_at)))
    hi = text(chat(recorded_at=recorded_at)).replace("method: POST", 'method: "POST"')
    lay("cassettes/chat.hi.yaml", hi)
    lay("cassettes/chat.lost.yaml", text(chat(recorded_at=recorded_at)))
    lay(".pytest_cache/v/aquila/unused", '{"cassettes/chat.lost.yaml": []}')
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
