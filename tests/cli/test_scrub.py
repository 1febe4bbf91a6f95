"""``scrub``: secrets taken out of files, each listed and none shown."""

from pathlib import Path

import pytest

from aquila_cassette.cli.scrub import scrubbed
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage.format import loads
from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text
from tests.importers.samples import vcrpy

KEY = "sk-ant-api03-abcdefghijklmnop"
GOOD = text()
LEAKY = text(chat(url=f"https://a.example/?key={KEY}&n=1"), chat(sent=b'{"n":1}'))
CLEAN = LEAKY.replace(KEY, "[redacted]")
SHOWN = "cassettes/leaky.yaml:4: query field 'key' in the request's url\n"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        LEAKY.replace('"n":1', '"n":  1').replace("- recorded_at", "# mine\n- recorded_at"),
        LEAKY.replace("\n", "\r\n"),
        GOOD.replace("interactions:", f"# the key is {KEY}\ninteractions:"),
    ],
)
def test_only_the_secret_changes(content: str) -> None:
    path = Path("x.yaml")
    new = scrubbed(content.encode(), loads(content.encode(), path=path), Redaction())
    if KEY not in content:
        assert new is None
    else:
        assert new is not None
        assert new[0].decode() == content.replace(KEY, "[redacted]")
        assert loads(new[0], path=path).interactions == new[1]


def test_a_cassette_is_scrubbed_in_place_and_what_went_is_listed(cli: Cli) -> None:
    leaky = lay("cassettes/leaky.yaml", LEAKY)
    good = lay("cassettes/good.yaml", GOOD)
    ran = cli("scrub", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (1, SHOWN, "1 of 2 cassettes would be scrubbed.\n")
    assert leaky.read_text() == LEAKY
    ran = cli("scrub")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "1 of 2 cassettes scrubbed.\n")
    assert (leaky.read_text(), good.read_text()) == (CLEAN, GOOD)
    assert sorted(Path("cassettes").iterdir()) == [good, leaky]
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
        "Fix: delete it and record again\n"
        "cassettes/old.yaml holds a secret, and scrub does not change its format.\n"
        "Fix: aquila-cassette convert cassettes/old.yaml --in-place\n"
        "1 of 4 cassettes scrubbed.\n"
    )
    assert other.read_bytes() == before


def test_the_rules_of_the_command_line_count(cli: Cli) -> None:
    content = text(chat(sent=b'{"city":"Rome","street":"Via"}'))
    content = content.replace("event-stream}", "event-stream, via: abc, age: abc}")
    path = lay("cassettes/chat.yaml", content)
    rules = ["--redact", "city", "--redact", "street", "--allow", "Via", "--keep-header", "age"]
    assert cli("scrub", *rules).code == 0
    expected = content.replace("Rome", '"[redacted]"').replace(" via: abc,", "")
    assert path.read_text() == expected


@pytest.mark.parametrize("field", ["recorded_with: ", "  recorded_by: "])
def test_names_are_looked_at_too(cli: Cli, field: str) -> None:
    path = lay("cassettes/chat.yaml", GOOD.replace(field, f"{field}{KEY}"))
    assert cli("scrub").code == 0
    assert KEY not in path.read_text()
