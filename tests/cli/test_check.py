"""``check``: one line a finding, in three forms; what --fix mends, and what it leaves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from aquila_cassette.cli.check import KINDS
from aquila_cassette.storage import files
from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text

GOOD = text()
KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = text(chat(url=f"https://a.example/?key={KEY}"))
ODD = GOOD.replace("method: POST", 'method: "POST"')
NOT_KNOWN = "Unused cassettes are not known yet: a complete run of the tests notes them.\n"


def note_unused(**numbers: list[int]) -> None:
    noted = {f"cassettes/{name}.yaml": value for name, value in numbers.items()}
    lay(".pytest_cache/v/aquila/unused", json.dumps(noted))


def test_a_clean_folder_and_an_empty_one_are_said_to_be_so(cli: Cli) -> None:
    note_unused()
    ran = cli("check")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "No cassettes there. A test that opens one records it: pytest\n"
    lay("cassettes/chat.yaml", GOOD)
    ran = cli("check")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing found in 1 cassette.\n")


def test_each_finding_is_one_line_with_its_place_its_kind_and_what_to_do(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"")
    lay("cassettes/deep/leaky one.yaml", LEAKY)
    lay("cassettes/odd.yaml", ODD)
    ran = cli("check")
    assert ran.code == 1
    assert ran.out == (
        "cassettes/bad.yaml:1: unreadable: the file is empty "
        "(restore it (git checkout -- cassettes/bad.yaml) or delete it and record again)\n"
        "cassettes/deep/leaky one.yaml:8: secret: query field 'key' in the request's URL "
        "(aquila-cassette scrub 'cassettes/deep/leaky one.yaml')\n"
        "cassettes/odd.yaml:7: format: it would be written otherwise today "
        "(aquila-cassette check --fix)\n"
    )
    assert ran.err == NOT_KNOWN + "3 findings in 3 of 3 cassettes. --fix mends 1 of them.\n"
    assert KEY not in ran.out + ran.err


def test_unused_cassettes_are_those_of_the_last_complete_run(cli: Cli) -> None:
    lay("cassettes/a.yaml", GOOD)
    lay("cassettes/b.yaml", text(chat(), chat()))
    note_unused(a=[], b=[2], gone=[])
    ran = cli("check")
    assert ran.out == (
        "cassettes/a.yaml:1: unused: no test of the last complete run used it "
        "(aquila-cassette unused --delete)\n"
        "cassettes/b.yaml:1: unused: no test of the last complete run used interaction 2 "
        "(aquila-cassette unused --delete)\n"
    )
    assert ran.err == "2 findings in 2 of 2 cassettes.\n"
    assert cli("check", "--ignore", "unused").code == 0


def test_what_is_fixed_keeps_what_it_is_and_is_found_no_more(cli: Cli) -> None:
    note_unused()
    odd = lay("cassettes/odd.yaml", ODD)
    lay("cassettes/leaky.yaml", LEAKY)
    mine = lay("cassettes/mine.yaml", ODD.replace("interactions:", "# mine\ninteractions:"))
    before = mine.read_text()
    ran = cli("check", "--fix")
    assert ran.code == 1
    assert ran.out.endswith("odd.yaml:7: format: it would be written otherwise today (fixed)\n")
    assert ran.err == "1 finding fixed. 2 findings in 2 of 3 cassettes.\n"
    assert odd.read_text() == GOOD
    assert Path("cassettes/leaky.yaml").read_text() == LEAKY
    assert mine.read_text() == before  # its comment would be lost


def test_what_a_link_leads_to_elsewhere_is_not_fixed(cli: Cli) -> None:
    note_unused()
    real = lay("elsewhere/odd.yaml", ODD)
    Path("cassettes").mkdir()
    Path("cassettes/odd.yaml").symlink_to("../elsewhere/odd.yaml")
    ran = cli("check", "--fix")
    assert ran.code == 1
    assert "it leads out of the folder" in ran.out
    assert real.read_text() == ODD
    assert cli("check", "--fix", "elsewhere/odd.yaml").code == 0
    assert real.read_text() == GOOD


def test_leftovers_are_deleted_once_nobody_can_be_writing_them(cli: Cli) -> None:
    note_unused()
    cassette = lay("cassettes/a.yaml", GOOD)
    own = lay(f"cassettes/{files._prefix(cassette)}0123.tmp", "half")
    fresh = lay("cassettes/.aquila-strange-0123.tmp", "half")
    old = lay("cassettes/.aquila-strange-0456.tmp", "half")
    os.utime(old, (time.time() - 3601,) * 2)
    ran = cli("check", "--fix")
    assert ran.err == "2 findings fixed. 1 finding in 1 of 1 cassette.\n"
    assert (own.exists(), fresh.exists(), old.exists()) == (False, True, False)
    assert cassette.read_text() == GOOD


def test_names_that_not_every_machine_can_hold_are_found(cli: Cli) -> None:
    note_unused()
    for name in ("nul.yaml", "a.yaml", "A.yaml", "b.yml", "b.yaml"):
        lay(f"cassettes/{name}", GOOD)
    Path("cassettes/lost.yaml").symlink_to("nowhere.yaml")
    assert cli("check").out.splitlines() == [
        (
            "cassettes/a.yaml:1: name: where case does not count, it is cassettes/A.yaml "
            "(aquila-cassette mv)"
        ),
        (
            "cassettes/b.yml:1: name: the name without its suffix means cassettes/b.yaml "
            "(aquila-cassette mv)"
        ),
        (
            "cassettes/lost.yaml:1: unreadable: it is a link that leads nowhere "
            "(put the file back, or delete the link)"
        ),
        (
            "cassettes/nul.yaml:1: name: its part 'nul.yaml' is a device on Windows "
            "(aquila-cassette mv)"
        ),
    ]


def test_findings_are_written_for_github_and_for_programs(cli: Cli) -> None:
    lay("cassettes/a,b%.yaml", ODD)
    ran = cli("check", "--format=github")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "::warning file=cassettes/a%2Cb%25.yaml,line=7,title=format::"
        "it would be written otherwise today (aquila-cassette check --fix)\n"
    )
    ran = cli("check", "--format=json")
    assert json.loads(ran.out) == [
        {
            "path": "cassettes/a,b%.yaml",
            "line": 7,
            "kind": "format",
            "level": "warning",
            "message": "it would be written otherwise today",
            "fix": "aquila-cassette check --fix",
            "fixable": True,
            "fixed": False,
        }
    ]


def test_age_and_rules_are_given_on_the_command_line(cli: Cli) -> None:
    note_unused()
    lay("cassettes/a.yaml", text(chat(sent=b'{"city":"Rome"}')))
    assert cli("check").code == 0
    ran = cli("check", "--max-age", "1h", "--redact", "city")
    assert [line.split(": ")[1] for line in ran.out.splitlines()] == ["old", "secret"]
    assert cli("check", "--redact", "city", "--allow", "Rome").code == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--ignore", "odd"],
            (
                "There is no kind of finding 'odd'.\n"
                f"  known: {', '.join(KINDS)}\nFix: name one of these\n"
            ),
        ),
        (["caht"], "There is no cassette 'caht'.\n"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    cli: Cli, arguments: list[str], error: str
) -> None:
    ran = cli("check", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(error)
