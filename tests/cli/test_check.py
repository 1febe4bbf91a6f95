"""``check``: one line a finding, in three forms."""

import gzip
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

import pytest
import yaml

from aquila_cassette.cli.check import KINDS, check_file
from aquila_cassette.redaction import Redaction
from tests.cli.conftest import Cli, Ran
from tests.cli.samples import chat, lay, text
from tests.importers.samples import vcrpy

REPROS = Path(__file__).parents[3] / "shared/repros/corpus"
needs_repros = pytest.mark.skipif(not REPROS.exists(), reason="needs the scripts that show faults")
PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
OWN = Path(__file__).parents[2] / "cassettes"
GOOD = text()
KEY = "sk-ant-api03-abcdefghijklmnop"
RESTORE = "delete it and record again"


@pytest.mark.parametrize(
    ("content", "line", "kind", "what", "fix"),
    [
        (b"", 1, "unreadable", "the file is empty", RESTORE),
        (GOOD[: GOOD.index("    ended:")], 24, "unreadable",
         "the file ends in the middle of an interaction", RESTORE),
        (text(chat(), chat(url=f"https://a.example/?key={KEY}")), 26, "secret",
         "query field 'key' in the request's url", "aquila-cassette scrub x.yaml"),
        (text(chat(sent=b'{"a":1,"api_key":"' + KEY.encode() + b'"}')), 4, "secret",
         "a key (sk-...) in the request's body", "aquila-cassette scrub x.yaml"),
        (GOOD.replace("interactions:", f"# {KEY}\ninteractions:"), 3, "secret",
         "a key (sk-...)", "aquila-cassette scrub x.yaml"),
        (vcrpy().replace("Bearer abc", f"Bearer {KEY}"), 1, "secret",
         "the header 'authorization'", "aquila-cassette convert x.yaml --in-place"),
        (GOOD.replace("method: POST", 'method: "POST"'), 1, "format",
         "it would be written otherwise today", "aquila-cassette record x.yaml"),
    ],
)  # fmt: skip
def test_a_fault_of_a_file_is_found_on_its_line(
    content: str | bytes, line: int, kind: str, what: str, fix: str
) -> None:
    (one,) = check_file(lay("x.yaml", content), Redaction())
    assert (one.kind, one.fix) == (kind, fix)
    assert kind == "unreadable" or (one.line, one.what) == (line, what)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("interactions:", "# mine\n\ninteractions: # too"),
        text(chat(sent=b"# no comment\n # of the file")),
        vcrpy().replace("Bearer abc", "DUMMY"),
    ],
)
def test_comments_line_ends_and_other_recorders_are_no_fault(cli: Cli, content: str) -> None:
    note_unused()
    lay("cassettes/a.yaml", content)
    assert cli("check") == Ran(0, "", "Nothing found in 1 cassette.\n")


def test_git_restores_only_what_it_knows(cli: Cli) -> None:
    for command in (["init", "-q"], ["add", lay("my chat.yaml", GOOD[:-30])]):
        subprocess.run(["git", *command], check=True)
    lay("other.yaml", GOOD[:-30])
    mine, other = (one["fix"] for one in json.loads(cli("check", ".", "--format", "json").out))
    assert mine == "restore it (git checkout -- 'my chat.yaml') or delete it and record again"
    assert other == "delete it and record again"


def test_files_of_other_recorders_are_checked_and_listed_whatever_they_are_called(cli: Cli) -> None:
    leaky = vcrpy().replace("Bearer abc", f"Bearer {KEY}")
    lay("cassettes/packed.yaml.gz", gzip.compress(leaky.encode()))
    lay("cassettes/tree.json", json.dumps(yaml.safe_load(leaky)))
    lay("cassettes/legacy", leaky)
    entry = {"method": "GET", "url": f"https://a.example/?api_key={KEY}", "headers": []}
    entries = [{"request": entry, "response": {"status": 204, "headers": []}}]
    lay("cassettes/browser.har", json.dumps({"log": {"entries": entries}}))
    lay("cassettes/package.json", '{"token": "none of ours"}')
    lay("cassettes/notes", "nothing")
    ran = cli("check", "--format", "json")
    assert ran.code == 1
    assert [(Path(one["path"]).name, one["kind"]) for one in json.loads(ran.out)] == [
        (name, "secret") for name in ("browser.har", "legacy", "packed.yaml.gz", "tree.json")
    ]
    assert [one["name"] for one in json.loads(cli("list", "--json").out)] == [
        "browser.har", "legacy", "packed.yaml.gz", "tree.json",
    ]  # fmt: skip


@needs_repros
@pytest.mark.parametrize("name", ["har_stream.har", "poll_twice.yaml", "check_crash.yaml"])
def test_what_was_converted_is_clean(cli: Cli, name: str) -> None:
    lay(f"old/{name}", (REPROS / name).read_bytes())
    assert cli("convert", "old", "-o", "new").code == 0
    assert list(check_file(Path("new", name).with_suffix(".yaml"), Redaction())) == []


def test_control_characters_are_written_as_what_they_are(cli: Cli) -> None:
    lay("cassettes/a\x1b[31m\x7f.yaml", GOOD.replace("2026-", "\\e[31m\\x7f", 1))
    for command in (
        "list",
        "list --json",
        "check",
        "check --format json",
        "show a*",
        "show --json a*",
    ):
        *words, last = command.split()
        given = [*words, next(Path("cassettes").iterdir()).as_posix() if last == "a*" else last]
        ran = cli(*given)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ran.out + ran.err), command


def test_rules_and_an_age_may_be_given(cli: Cli) -> None:
    lay("cassettes/a.yaml", text(chat(sent=b'{"city":"Rome"}')))
    lay("cassettes/undated.yaml", text(chat(recorded_at="")))
    ran = cli("check", "--max-age", "1h", "--redact", "city")
    assert [line.split(": ")[1] for line in ran.out.splitlines()] == ["old", "secret"]
    assert "the field 'city' in the request's body" in ran.out
    assert cli("check", "--redact", "city", "--allow", "Rome", "--max-age", "99y").code == 0


def test_nothing_is_found_in_the_projects_own_cassettes() -> None:
    paths = list(OWN.rglob("*.yaml"))
    assert paths
    assert [one for path in paths for one in check_file(path, Redaction())] == []


def note_unused(**numbers: list[int]) -> None:
    noted = {f"cassettes/{name}.yaml": value for name, value in numbers.items()}
    lay(".pytest_cache/v/aquila/unused", json.dumps(noted))


def test_unused_cassettes_are_those_of_the_last_complete_run(cli: Cli) -> None:
    lay("cassettes/a.yaml", GOOD)
    lay("cassettes/b.yaml", text(chat(), chat()))
    assert cli("check").err == (
        "Unused cassettes are not known yet: a complete run of the tests notes them.\n"
        "Nothing found in 2 cassettes.\n"
    )
    note_unused(a=[], b=[2], gone=[])
    ran = cli("check")
    which = "unused: no test of the last complete run used"
    assert ran.out == (
        f"cassettes/a.yaml:1: {which} it (aquila-cassette unused --delete)\n"
        f"cassettes/b.yaml:1: {which} interaction 2 (aquila-cassette unused --delete)\n"
    )
    assert ran.err == "2 findings in 2 of 2 cassettes.\n"
    assert cli("check", "--ignore", "unused").code == 0


def test_names_that_not_every_machine_can_hold_and_half_saved_files_are_found(cli: Cli) -> None:
    note_unused()
    for name in ("nul.yaml", "a.yaml", "A.yaml", "b.yml", "b.yaml", ".aquila-strange-0123.tmp"):
        lay(f"cassettes/{name}", GOOD)
    leftover = "a temporary file of a save that was killed (delete it)"
    assert [line.removeprefix("cassettes/") for line in cli("check").out.splitlines()] == [
        f".aquila-strange-0123.tmp:1: leftover: {leftover}",
        "a.yaml:1: name: where case does not count, it is cassettes/A.yaml (aquila-cassette mv)",
        "b.yml:1: name: the name without its suffix means cassettes/b.yaml (aquila-cassette mv)",
        "nul.yaml:1: name: 'nul.yaml' is no portable file name (aquila-cassette mv)",
    ]


def test_findings_are_written_for_github_and_for_programs(cli: Cli) -> None:
    lay("cassettes/a,b%.yaml", text(chat(url=f"https://a.example/?key={KEY}")))
    ran = cli("check", "--format=github")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "::error file=cassettes/a%2Cb%25.yaml,line=4,title=secret::"
        "query field 'key' in the request's url (aquila-cassette scrub cassettes/a,b%25.yaml)\n"
    )
    (one,) = json.loads(cli("check", "--format=json").out)
    assert one == {
        "path": "cassettes/a,b%.yaml",
        "line": 4,
        "kind": "secret",
        "level": "error",
        "message": "query field 'key' in the request's url",
        "fix": "aquila-cassette scrub cassettes/a,b%.yaml",
    }


def test_the_page_and_the_help_name_every_kind_of_finding(cli: Cli) -> None:
    assert cli("check", "--ignore", "odd").refusal == (
        f"There is no kind of finding 'odd'.\n  known: {', '.join(KINDS)}\nFix: name one of these\n"
    )
    (section,) = re.findall(r"^## check\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    kinds = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE)
    assert [kind for kind, _ in kinds] == list(KINDS)
    assert all(f"  {kind:12} {what}\n" in cli("check", "--help").out for kind, what in kinds)


def test_the_examples_of_the_page_are_what_is_written(cli: Cli) -> None:
    url = chat().request.url
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"  # no example gets old
    good = text(chat(recorded_at=now))
    lay("cassettes/chat.greets.yaml", good)
    lay("cassettes/chat.hello.yaml", text(chat(url=f"{url}?key={KEY}", recorded_at=now)))
    lay("cassettes/chat.hi.yaml", good)
    lay("cassettes/chat.lost.yaml", good)
    note_unused(**{"chat.lost": []})
    torn = lay("cassettes/torn.yaml", GOOD[: GOOD.index("    ended:")])
    example = r"```console\n\$ aquila-cassette ((?:check|scrub)[^\n]*)\n(.*?)```"
    (check, found), (scrub, scrubbed) = re.findall(example, PAGE, re.DOTALL)
    ran = cli(*check.split())
    assert ran.out + ran.err == found
    assert KEY not in found
    torn.unlink()
    ran = cli(*scrub.split())
    assert ran.out + ran.err == scrubbed


def test_many_cassettes_are_announced(cli: Cli) -> None:
    note_unused()
    for at in range(100):
        lay(f"cassettes/{at}.yaml", GOOD)
    said = "Checking 100 cassettes ...\nNothing found in 100 cassettes.\n"
    assert cli("check") == Ran(0, "", said)
    assert cli("check", "--format", "json") == Ran(0, "[]\n", "")


@pytest.mark.parametrize(
    ("left", "kinds"),
    [
        ("X-API-KEY-XXX", []),
        ("scrubbed", []),
        ("Bearer **REDACTED**", []),
        ("fake-key", []),
        ("test_openai_api_key", []),
        ("<MASKED>", []),
        ("0000", []),
        ("hunter2", ["secret"]),
        ("swordfish", ["secret"]),
        ("test-aB3dE6gH9jK2mN5pQ8", ["secret"]),
        ("sk-test-4f5a9d7c2b1e8f60", ["secret"]),
    ],
)
@pytest.mark.parametrize("place", ["header", "url", "body"])
def test_what_a_suites_own_filter_left_is_no_secret(
    left: str, kinds: list[str], place: str
) -> None:
    data = vcrpy().replace("Bearer abc", left if place == "header" else "test")
    if place == "url":
        data = data.replace("/chat", f"/chat?env=test&api_key={quote_plus(left)}")
    if place == "body":
        data = data.replace('{"n":1}', json.dumps({"api_key": left}))
    assert [one.kind for one in check_file(lay("x.yaml", data), Redaction())] == kinds
