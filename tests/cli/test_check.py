from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

from aquila_cassette.cli.maintenance.finding import KINDS
from tests.cli.conftest import Cli
from tests.cli.maintenance.tapes import chat, lay, text
from tests.cli.terminal import on_a_terminal

ROOT = Path(__file__).parents[2]
GOOD = text()
KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = text(chat(url=f"https://a.example/?key={KEY}"))
OUT = "it leads out of the cassette folder, to "
ODD = GOOD.replace("method: POST", 'method: "POST"')


@pytest.fixture
def suite() -> Path:
    """A small suite, in the folder that the command runs in."""
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter\n")
    return lay(
        "tests/test_chat.py",
        "import pytest\n"
        "from aquila_cassette import Redaction\n"
        "@pytest.fixture\n"
        "def aquila_config():\n"
        "    return {'redact': Redaction(['city'], keep_headers=['x-own'])}\n"
        "def test_reply(aquila_cassette):\n"
        "    with aquila_cassette('chat.hello'): ...\n"
        "def test_own(cassette): ...\n"
        "@pytest.mark.aquila_cassette('marked')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_marked(n): ...\n"
        "@pytest.fixture(params=[1, 2])\n"
        "def given(request): ...\n"
        "def test_given(given): ...\n",
    )


def test_a_clean_shelf_is_said_to_be_so(cli: Cli) -> None:
    lay("cassettes/chat.yaml", GOOD)
    ran = cli("check", "--no-tests")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing found in 1 cassette.\n")


def test_an_empty_shelf_is_no_fault(cli: Cli) -> None:
    for arguments in ([], ["--no-tests"]):
        ran = cli("check", *arguments)
        assert (ran.code, ran.out) == (0, "")
        assert ran.err == "No cassettes there. A test that opens one records it: pytest\n"


def test_each_finding_is_one_line_with_its_place_its_kind_and_what_mends_it(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"")
    lay("cassettes/deep/leaky one.yaml", LEAKY)
    lay("cassettes/odd.yaml", ODD)
    ran = cli("check", "--no-tests")
    assert ran.code == 1
    assert ran.out == (
        "cassettes/bad.yaml:1: empty: the file is empty "
        "(restore it (git checkout -- cassettes/bad.yaml) or delete it and record again)\n"
        "cassettes/deep/leaky one.yaml:8: secret: query field 'key' in the request's URL "
        "(aquila-cassette scrub 'cassettes/deep/leaky one.yaml')\n"
        "cassettes/odd.yaml:4: layout: it is laid out otherwise than it would be written today "
        "(mend it: aquila-cassette check --fix)\n"
    )
    assert ran.err == "3 findings in 3 of 3 cassettes. --fix mends 1 of them.\n"
    assert KEY not in ran.out + ran.err


def test_what_is_mended_is_said_to_be_and_is_found_no_more(cli: Cli) -> None:
    lay("cassettes/odd.yaml", ODD)
    lay("cassettes/leaky.yaml", LEAKY)
    ran = cli("check", "--no-tests", "--fix")
    assert ran.code == 1
    assert ran.out.endswith(
        "cassettes/odd.yaml:4: layout: it is laid out otherwise than it would be written today "
        "(fixed)\n"
    )
    assert ran.err == "1 finding fixed. 1 finding in 1 of 2 cassettes.\n"
    assert Path("cassettes/odd.yaml").read_text() == GOOD
    assert Path("cassettes/leaky.yaml").read_text() == LEAKY
    Path("cassettes/leaky.yaml").unlink()
    ran = cli("check", "--no-tests", "--fix")
    assert (ran.code, ran.err) == (0, "Nothing found in 1 cassette.\n")


def test_a_body_edited_by_hand_is_mended_so_that_it_adds_up(cli: Cli) -> None:
    lay("cassettes/odd.yaml", GOOD.replace('"Hi"}}', '"Hello"}}'))
    ran = cli("check", "--no-tests", "--fix")
    assert (ran.code, ran.err) == (0, "1 finding fixed. Nothing else found in 1 cassette.\n")
    assert "    pieces: 300+84 330+14\n" in Path("cassettes/odd.yaml").read_text()


def test_what_a_link_leads_to_elsewhere_is_not_mended(cli: Cli) -> None:
    real = lay("elsewhere/odd.yaml", ODD)
    Path("cassettes").mkdir()
    Path("cassettes/odd.yaml").symlink_to("../elsewhere/odd.yaml")
    expected = (
        "cassettes/odd.yaml:4: layout: it is laid out otherwise than it would be written today "
        "(it leads out of the folder: aquila-cassette check --fix elsewhere/odd.yaml)"
    )
    for options in ([], ["--fix"], ["--fix", "cassettes/odd.yaml"]):
        ran = cli("check", "--no-tests", *options)
        assert (ran.code, ran.out.splitlines()[1:]) == (1, [expected])
        assert ran.out.startswith(f"cassettes/odd.yaml:1: name: {OUT}")
        assert ran.err == "2 findings in 1 of 1 cassette.\n"
    assert real.read_text() == ODD
    assert cli("check", "--no-tests", "--fix", "elsewhere/odd.yaml").code == 0
    assert real.read_text() == GOOD


def test_what_cannot_be_written_is_said_and_the_rest_is_mended(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace

    def refused(self: Path, target: Path) -> Path:
        if target.name == "a.yaml":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, target)

    lay("cassettes/a.yaml", ODD)
    lay("cassettes/b.yaml", ODD)
    monkeypatch.setattr(Path, "replace", refused)
    ran = cli("check", "--no-tests", "--fix")
    assert ran.code == 1
    assert ran.err == (
        "cassettes/a.yaml could not be written: no space left on device.\n"
        "Fix: free some space there, and run again\n"
        "1 finding fixed. 1 finding in 1 of 2 cassettes.\n"
    )
    assert Path("cassettes/a.yaml").read_text() == ODD
    assert Path("cassettes/b.yaml").read_text() == GOOD


def test_a_file_with_notes_in_the_way_is_left_as_it_is(cli: Cli) -> None:
    noted = ODD.replace('"POST"', '"POST"  # never GET')
    lay("cassettes/odd.yaml", noted)
    ran = cli("check", "--no-tests", "--fix")
    assert ran.code == 1
    assert "(comments stand in it: lay it out by hand)" in ran.out
    assert Path("cassettes/odd.yaml").read_text() == noted


def test_leftovers_of_killed_saves_go(cli: Cli) -> None:
    import os

    lay("cassettes/chat.yaml", GOOD)
    old = lay("cassettes/.aquila-0123456789ab-01.tmp", "half")
    os.utime(old, (0, 0))
    fresh = lay("cassettes/.aquila-0123456789ab-02.tmp", "half")
    ran = cli("check", "--no-tests", "--fix")
    assert (ran.code, ran.err) == (1, "1 finding fixed. 1 finding in 1 of 1 cassette.\n")
    assert not old.exists()
    assert fresh.exists()


def test_only_what_is_named_is_checked(cli: Cli) -> None:
    for name in ("a", "b/c", "b/d"):
        lay(f"cassettes/{name}.yaml", b"")
    lay("elsewhere/x.yaml", b"")
    for arguments, names in (
        (["a"], ["cassettes/a.yaml"]),
        (["b"], ["cassettes/b/c.yaml", "cassettes/b/d.yaml"]),
        (["cassettes/b/d.yaml", "a"], ["cassettes/a.yaml", "cassettes/b/d.yaml"]),
        (["elsewhere"], ["elsewhere/x.yaml"]),
        (["-d", "elsewhere"], ["elsewhere/x.yaml"]),
        (["-d", "elsewhere", "x"], ["elsewhere/x.yaml"]),
    ):
        lines = cli("check", "--no-tests", *arguments).out.splitlines()
        assert [line.partition(":")[0] for line in lines] == names


def test_the_environment_names_the_folder_and_an_option_is_stronger(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay("cassettes/a.yaml", b"")
    lay("cassettes/b.yaml", b"")
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", "cassettes")
    for arguments, name in (
        ([], "cassettes/b.yaml"),
        (["b"], "cassettes/b.yaml"),
        (["-d", "cassettes"], "cassettes/a.yaml"),
        (["cassettes/a.yaml"], "cassettes/a.yaml"),
    ):
        assert cli("check", "--no-tests", *arguments).out.startswith(f"{name}:1: empty: ")


def test_all_that_is_no_cassette_by_its_name_is_passed_over(cli: Cli) -> None:
    lay("cassettes/a.yaml", GOOD)
    lay("cassettes/B.YML", GOOD)
    for name in ("notes.md", ".hidden.yaml", ".git/c.yaml", "d.yaml.bak", "e.json"):
        lay(f"cassettes/{name}", b"")
    ran = cli("check", "--no-tests")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing found in 2 cassettes.\n")


def test_one_file_that_cannot_be_read_hides_no_other(cli: Cli) -> None:
    lay("cassettes/a.yaml", b"\xff")
    lay("cassettes/b.yaml", "version: 2\n")
    lay("cassettes/c.yaml", ODD)
    Path("cassettes/d.yaml").symlink_to("d.yaml")  # itself
    lines = cli("check", "--no-tests").out.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["cassettes/a.yaml:1", "binary"],
        ["cassettes/b.yaml:1", "newer"],
        ["cassettes/c.yaml:4", "layout"],
        ["cassettes/d.yaml:1", "unreadable"],
    ]


def test_kinds_can_be_passed_over(cli: Cli) -> None:
    lay("cassettes/odd.yaml", ODD)
    lay("cassettes/bad.yaml", b"")
    ran = cli("check", "--no-tests", "--ignore", "layout", "--ignore", "empty")
    assert (ran.code, ran.err) == (0, "Nothing found in 2 cassettes.\n")


def test_an_argument_that_cannot_be_meant_is_an_error(cli: Cli) -> None:
    ran = cli("check", "--ignore", "layuot")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "There is no kind of finding 'layuot'.\n"
        f"  known: {', '.join(KINDS)}\n"
        "See what each is: aquila-cassette check --help\n"
    )
    ran = cli("check", "--max-age", "30 days")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "'30 days' is no span of time.\n"
        "  expected: a whole number and h, d, w or y\n"
        "Write, for example, 30d or 12w.\n"
    )
    ran = cli("check", "no-such")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("There is no cassette 'no-such'.\n")


def test_old_tapes_are_found_where_an_age_is_given(cli: Cli) -> None:
    lay("cassettes/chat.yaml", text(chat(recorded_at="2020-01-01T00:00:00Z")))
    assert cli("check", "--no-tests").code == 0
    ran = cli("check", "--no-tests", "--max-age", "1y")
    assert ran.code == 1
    assert ran.out.startswith(
        "cassettes/chat.yaml:4: old: interaction 1 was recorded on 2020-01-01, "
    )


def test_the_command_line_adds_to_the_rules_of_secrets(cli: Cli) -> None:
    content = GOOD.replace("event-stream}", "event-stream, x-own: abc}")
    lay("cassettes/chat.yaml", content)
    ran = cli("check", "--no-tests", "--redact", "model", "--keep-header", "x-own")
    assert [line.split(": ")[1] for line in ran.out.splitlines()] == ["secret"]
    assert cli("check", "--no-tests", "--keep-header", "X-Own").code == 0
    lay("cassettes/chat.yaml", LEAKY)
    assert cli("check", "--no-tests", "--allow", KEY, "--allow", "key").code == 0


def test_github_shows_findings_beside_the_lines(cli: Cli) -> None:
    lay("cassettes/50%, a:b.yaml", ODD)
    ran = cli("check", "--no-tests", "--format=github")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "::warning file=cassettes/50%25%2C a%3Ab.yaml,line=1,title=name::"
        "it has the character ':' (rename it: aquila-cassette mv)\n"
        "::warning file=cassettes/50%25%2C a%3Ab.yaml,line=4,title=layout::"
        "it is laid out otherwise than it would be written today "
        "(mend it: aquila-cassette check --fix)\n"
    )


def test_programs_get_json(cli: Cli) -> None:
    lay("cassettes/odd.yaml", ODD)
    expected = {
        "path": "cassettes/odd.yaml",
        "line": 4,
        "kind": "layout",
        "level": "warning",
        "message": "it is laid out otherwise than it would be written today",
        "fix": "mend it: aquila-cassette check --fix",
        "fixable": True,
        "fixed": False,
    }
    ran = cli("check", "--no-tests", "--format=json")
    assert (ran.code, ran.err, json.loads(ran.out)) == (1, "", [expected])
    ran = cli("check", "--no-tests", "--format=json", "--fix")
    assert (ran.code, json.loads(ran.out)) == (0, [{**expected, "fixed": True}])
    assert json.loads(cli("check", "--no-tests", "--format=json").out) == []


def test_nothing_off_a_tape_reaches_the_terminal_raw(cli: Cli) -> None:
    content = GOOD.replace("method: POST", 'method: "po\\u001b[31m\\u202est"')
    lay("cassettes/a\x1b[31m.yaml", content)
    for how in ("text", "github"):
        out = cli("check", "--no-tests", "--format", how).out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert "the method 'po\\x1b[31m\\u202est' is not in upper case" in out


def test_a_terminal_gets_colours_and_a_pipe_none(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"")
    assert "\x1b[31mempty" in on_a_terminal("check", "--no-tests")
    assert "\x1b" not in cli("check", "--no-tests").out


def test_the_tests_say_whose_a_tape_is_and_what_is_kept_out_of_it(cli: Cli, suite: Path) -> None:
    here = "tests/test_chat.py::test_reply"
    own = GOOD.replace("event-stream}", "event-stream, x-own: abc, x-other: abc}")
    lay("cassettes/chat.hello.yaml", own)
    lay("cassettes/marked.yaml", text(chat(recorded_by=None, sent=b'{"city":"Rome"}')))
    lay("cassettes/tests/test_chat/test_own.yaml", text(chat(recorded_by=None)))
    lay("cassettes/lost.yaml", text(chat(recorded_by="tests/test_chat.py::test_gone")))
    shared = [
        chat(),
        chat(sent=b"{}", recorded_by="tests/test_chat.py::test_marked[3]"),
        chat(sent=b"[]", recorded_by="tests/test_chat.py::test_given[3]"),
    ]
    lay("cassettes/shared.yaml", text(*shared))
    ran = cli("check")
    assert here in own
    assert ran.out == (
        "cassettes/chat.hello.yaml:17: header: the header 'x-other' of the response is not kept "
        "when recording (aquila-cassette scrub cassettes/chat.hello.yaml)\n"
        "cassettes/lost.yaml:1: orphan: no test uses it (aquila-cassette rm --orphans)\n"
        "cassettes/marked.yaml:10: secret: the field 'city' in the request's body "
        "(aquila-cassette scrub cassettes/marked.yaml)\n"
        "cassettes/shared.yaml:27: gone: recorded_by names tests/test_chat.py::test_marked[3], "
        "which no longer exists (record it again by the test that uses it)\n"
    )
    assert ran.err == "4 findings in 4 of 5 cassettes.\n"


def test_tests_that_are_not_run_by_default_are_asked_for_too(cli: Cli, suite: Path) -> None:
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter -k nothing -x\ntestpaths = tests\n")
    lay("tests/test_broken.py", "import no_such_module\n")
    lay("slow/test_slow.py", "def test(aquila_cassette): ...\n")
    for number, owner in enumerate(
        [
            "tests/test_chat.py::test_reply",
            "tests/test_broken.py::test",
            "slow/test_slow.py::test",
            "slow/test_slow.py::test_gone",
        ]
    ):
        lay(f"cassettes/{number}.yaml", text(chat(recorded_by=owner)))
    ran = cli("check")
    assert ran.out == (
        "cassettes/3.yaml:1: orphan: no test uses it (aquila-cassette rm --orphans)\n"
    )


def test_what_is_in_doubt_is_said_and_is_no_finding(cli: Cli, suite: Path) -> None:
    suite.write_text("def test(aquila_cassette, request): aquila_cassette(request.node.name)\n")
    lay("cassettes/perhaps.yaml", text(chat(recorded_by=None)))
    ran = cli("check")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "Perhaps no test uses cassettes/perhaps.yaml. It cannot be told: "
        "tests/test_chat.py:1 opens a cassette whose name is made when it runs.\n"
        "Nothing found in 1 cassette.\n"
    )


def test_where_pytest_fails_that_is_said(cli: Cli) -> None:
    lay("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    lay("cassettes/lost.yaml", GOOD)
    ran = cli("check")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "pytest could not collect the tests, so whose the cassettes are is not known.\n"
        "What is wrong: python -m pytest --collect-only -q\n"
        "Nothing found in 1 cassette.\n"
    )


def test_the_projects_own_shelf_is_clean(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTEST_ADDOPTS", "tests/own")
    ran = cli("check")
    assert (ran.code, ran.out) == (0, "")
    assert re.fullmatch(r"Nothing found in [0-9]+ cassettes\.\n", ran.err)


def test_the_help_names_every_kind(cli: Cli) -> None:
    help_of = cli("check", "--help").out
    assert [kind for kind in KINDS if kind not in help_of] == []


VCRPY = """\
interactions:
- request:
    body: null
    headers:
      authorization:
      - %s
    method: GET
    uri: https://a.example/?key=%s
  response:
    body:
      string: '{"a": 1}'
    headers:
      content-type:
      - application/json
      date:
      - today
    status:
      code: 200
      message: OK
version: 1
"""


@pytest.mark.parametrize(
    "mark",
    ["DUMMY", "REDACTED", "'[REDACTED]'", "XXXX", "<API_KEY>", "'**********'", "Bearer DUMMY"],
)
def test_a_tape_of_another_recorder_without_secrets_is_no_fault(cli: Cli, mark: str) -> None:
    lay("cassettes/old.yaml", VCRPY % (mark, mark.strip("'").removeprefix("Bearer ")))
    ran = cli("check", "--no-tests")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing found in 1 cassette.\n")


def test_a_secret_on_a_tape_of_another_recorder_is_an_error(cli: Cli) -> None:
    for value in ("Bearer correct-horse", "DUMMY-correct-horse", "<correct-horse>"):
        lay("cassettes/old.yaml", VCRPY % (value, "DUMMY"))
        ran = cli("check", "--no-tests")
        assert ran.code == 1
        assert ran.out == (
            "cassettes/old.yaml:6: secret: the header 'authorization', in vcrpy's format "
            "(aquila-cassette convert cassettes/old.yaml --in-place)\n"
        )


def test_a_tape_of_another_recorder_that_cannot_be_replayed_is_an_error(cli: Cli) -> None:
    torn = (VCRPY % ("DUMMY", "DUMMY")).replace("      code: 200", "      code: [200")
    lay("cassettes/old.yaml", torn)
    ran = cli("check", "--no-tests")
    assert ran.code == 1
    assert ran.out.startswith("cassettes/old.yaml:")
