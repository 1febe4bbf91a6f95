"""``scrub``: secrets taken out of files, each listed and none shown."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text
from tests.importers.samples import vcrpy

KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = text(chat(url=f"https://a.example/?key={KEY}&n=1"), chat(sent=b'{"n":1}'))
CLEAN = LEAKY.replace(KEY, "[redacted]")
SHOWN = "cassettes/leaky.yaml:8: query field 'key' in the request's URL\n"


def test_a_cassette_is_scrubbed_in_place_and_what_went_is_listed(cli: Cli) -> None:
    lay("cassettes/leaky.yaml", LEAKY)
    lay("cassettes/good.yaml", text())
    ran = cli("scrub", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (1, SHOWN, "1 of 2 cassettes would be scrubbed.\n")
    assert Path("cassettes/leaky.yaml").read_text() == LEAKY
    ran = cli("scrub")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "1 of 2 cassettes scrubbed.\n")
    assert Path("cassettes/leaky.yaml").read_text() == CLEAN
    assert Path("cassettes/good.yaml").read_text() == text()
    assert sorted(one.name for one in Path("cassettes").iterdir()) == ["good.yaml", "leaky.yaml"]
    ran = cli("scrub", "leaky")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing scrubbed in 1 cassette.\n")


def test_what_cannot_be_scrubbed_is_reported_and_the_rest_is_done(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"")
    lay("cassettes/leaky.yaml", LEAKY)
    other = lay("cassettes/old.yaml", vcrpy().replace("Bearer abc", f"Bearer {KEY}"))
    lay("cassettes/filtered.yaml", vcrpy().replace("Bearer abc", "DUMMY"))
    before = other.read_bytes()
    ran = cli("scrub")
    assert (ran.code, ran.out) == (2, SHOWN)
    assert ran.err == (
        "cassettes/bad.yaml: the file is empty.\n"
        "Fix: restore it (git checkout -- cassettes/bad.yaml) or delete it and record again\n"
        "cassettes/old.yaml holds a secret, and scrub does not change its format.\n"
        "Fix: aquila-cassette convert cassettes/old.yaml --in-place\n"
        "1 of 4 cassettes scrubbed.\n"
    )
    assert other.read_bytes() == before


def test_the_rules_of_the_command_line_count(cli: Cli) -> None:
    content = text(chat(sent=b'{"city":"Rome","street":"Via"}'))
    path = lay("cassettes/chat.yaml", content)
    assert cli("scrub", "--redact", "city", "--redact", "street", "--allow", "Via").code == 0
    assert path.read_text() == content.replace("Rome", '"[redacted]"')


def test_what_a_link_leads_to_elsewhere_is_not_written(cli: Cli) -> None:
    real = lay("elsewhere/leaky.yaml", LEAKY)
    Path("cassettes").mkdir()
    Path("cassettes/leaky.yaml").symlink_to("../elsewhere/leaky.yaml")
    ran = cli("scrub")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "cassettes/leaky.yaml is outside of the folder that it is found in; it was not changed.\n"
        "  it leads to: elsewhere/leaky.yaml\n"
        "Fix: aquila-cassette scrub elsewhere/leaky.yaml\n"
        "Nothing scrubbed in 1 cassette.\n"
    )
    assert real.read_text() == LEAKY
    ran = cli("scrub", "elsewhere/leaky.yaml")  # what the message says
    assert (ran.code, real.read_text()) == (0, CLEAN)
