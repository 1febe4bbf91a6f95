from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.maintenance.tapes import chat, lay, text
from tests.cli.terminal import on_a_terminal
from tests.importers.samples import vcrpy

KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = text(chat(url=f"https://a.example/?key={KEY}&n=1"), chat(sent=b'{"n":1}'))
CLEAN = LEAKY.replace(KEY, "[redacted]")
SHOWN = (
    "--- cassettes/leaky.yaml\n"
    "+++ cassettes/leaky.yaml\n"
    "@@ -7,3 +7,3 @@\n"
    "     method: POST\n"
    "-    url: https://a.example/?key=<29 characters>&n=1\n"
    "+    url: https://a.example/?key=[redacted]&n=1\n"
    "     headers: {content-type: application/json}\n"
)


def test_a_tape_is_scrubbed_in_place_and_the_difference_is_shown(cli: Cli) -> None:
    lay("cassettes/leaky.yaml", LEAKY)
    lay("cassettes/good.yaml", text())
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "1 cassette of 2 scrubbed.\n")
    assert Path("cassettes/leaky.yaml").read_text() == CLEAN
    assert Path("cassettes/good.yaml").read_text() == text()
    assert sorted(one.name for one in Path("cassettes").iterdir()) == ["good.yaml", "leaky.yaml"]
    assert cli("check", "--no-tests").code == 0
    ran = cli("scrub", "--no-tests", "leaky")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing to hide in 1 cassette.\n")


def test_a_dry_run_changes_nothing(cli: Cli) -> None:
    lay("cassettes/leaky.yaml", LEAKY)
    ran = cli("scrub", "--no-tests", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (1, SHOWN, "1 cassette of 1 would be scrubbed.\n")
    assert Path("cassettes/leaky.yaml").read_text() == LEAKY


def test_a_damaged_tape_is_told_of_and_left_and_the_others_are_scrubbed(cli: Cli) -> None:
    lay("cassettes/bad.yaml", b"")
    lay("cassettes/leaky.yaml", LEAKY)
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out) == (2, SHOWN)
    assert ran.err == (
        "cassettes/bad.yaml: the file is empty.\n"
        "Fix: restore it (git checkout -- cassettes/bad.yaml) or delete it and record again\n"
        "1 cassette of 2 scrubbed.\n"
    )
    assert Path("cassettes/bad.yaml").read_bytes() == b""


def test_a_tape_of_another_recorder_is_left_and_told_of_only_where_it_holds_a_secret(
    cli: Cli,
) -> None:
    lay("cassettes/old.yaml", vcrpy().replace("Bearer abc", "DUMMY"))
    lay("cassettes/leaky.yaml", LEAKY)
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "1 cassette of 2 scrubbed.\n")
    leaking = vcrpy().replace("Bearer abc", f"Bearer {KEY}")
    lay("cassettes/old.yaml", leaking)
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out) == (2, "")
    line = 1 + leaking[: leaking.index(KEY)].count("\n")
    assert ran.err == (
        "cassettes/old.yaml holds a secret, and is in vcrpy's format, which scrub does not "
        "change.\n"
        f"  line: {line}\n"
        "Make a cassette without it: aquila-cassette convert cassettes/old.yaml --in-place\n"
        "Nothing scrubbed in 2 cassettes.\n"
    )
    assert Path("cassettes/old.yaml").read_text() == leaking


def test_the_rules_of_the_suite_and_of_the_command_line_count(cli: Cli) -> None:
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter\n")
    lay(
        "tests/test_chat.py",
        "import pytest\nfrom aquila_cassette import Redaction\n"
        "@pytest.mark.aquila_cassette('x', redact=Redaction(['city'], keep_headers=['x-own']))\n"
        "def test_reply(): ...\n",
    )
    content = text(chat(sent=b'{"city":"Rome","street":"Via","zip":1}'))
    content = content.replace("event-stream}", "event-stream, x-own: abc, x-more: abc}")
    path = lay("cassettes/chat.yaml", content)
    ran = cli("scrub", "--redact", "street", "--keep-header", "x-more")
    assert ran.code == 0
    assert path.read_text() == (
        content.replace("Rome", '"[redacted]"').replace("Via", '"[redacted]"')
    )


def test_a_file_of_windows_keeps_its_line_ends(cli: Cli) -> None:
    lay("cassettes/leaky.yaml", LEAKY.replace("\n", "\r\n"))
    assert cli("scrub", "--no-tests").out == SHOWN
    assert Path("cassettes/leaky.yaml").read_bytes() == CLEAN.replace("\n", "\r\n").encode()


def test_a_terminal_sees_what_goes_in_red_and_what_comes_in_green(cli: Cli) -> None:
    lay("cassettes/leaky.yaml", LEAKY)
    shown = on_a_terminal("scrub", "--no-tests", "-n")
    assert "\x1b[31m-    url" in shown
    assert "\x1b[32m+    url" in shown
    assert KEY not in shown


def test_a_damaged_tape_is_scrubbed_where_its_secrets_stand(cli: Cli) -> None:
    torn = LEAKY[: LEAKY.index("    ended:")]
    path = lay("cassettes/torn.yaml", torn)
    complaint = (
        "cassettes/torn.yaml, line 24: the file ends in the middle of an interaction.\n"
        "  the response has no field 'ended'\n"
        "Fix: restore it (git checkout -- cassettes/torn.yaml) or delete it and record again\n"
    )
    ran = cli("check", "--no-tests")
    assert ran.out.startswith(
        "cassettes/torn.yaml:8: secret: query field 'key', in a damaged file "
        "(aquila-cassette scrub cassettes/torn.yaml)\n"
    )
    shown = SHOWN.replace("leaky", "torn")
    ran = cli("scrub", "--no-tests", "--dry-run")
    assert (ran.code, ran.out) == (2, shown)
    assert ran.err == complaint + "1 cassette of 1 would be scrubbed.\n"
    assert path.read_text() == torn
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out) == (2, shown)
    assert ran.err == complaint + "1 cassette of 1 scrubbed.\n"
    assert path.read_text() == torn.replace(KEY, "[redacted]")
    assert "secret" not in cli("check", "--no-tests").out
    assert [one.name for one in path.parent.iterdir()] == ["torn.yaml"]


def test_a_secret_that_cannot_be_taken_out_is_said_to_be_there_still(cli: Cli) -> None:
    data = f"# {KEY}\n".encode("utf-16") + b"\x00"
    path = lay("cassettes/odd.yaml", data)
    ran = cli("scrub", "--no-tests")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(
        "cassettes/odd.yaml still holds a secret, which cannot be taken out safely.\n"
        "  line: 1\n"
        "Delete the file, or take it out by hand\n"
        "Nothing scrubbed in 1 cassette.\n"
    )
    assert path.read_bytes() == data


def test_the_rules_of_the_suite_count_in_a_damaged_file_too(cli: Cli) -> None:
    lay("pytest.ini", "[pytest]\naddopts = -p no:cassetter\n")
    lay(
        "tests/test_chat.py",
        "import pytest\nfrom aquila_cassette import Redaction\n"
        "@pytest.mark.aquila_cassette('x', redact=Redaction(['city']))\n"
        "def test_reply(): ...\n",
    )
    content = text(chat(sent=b'{"city":"Rome","zip":1}')).partition("    ended:")[0]
    path = lay("cassettes/chat.yaml", content)
    assert cli("scrub").code == 2
    assert path.read_text() == content.replace("Rome", '"[redacted]"')


def test_what_a_link_leads_to_elsewhere_is_not_written(cli: Cli) -> None:
    real = lay("elsewhere/leaky.yaml", LEAKY)
    torn = lay("elsewhere/torn.yaml", LEAKY[: LEAKY.index("    ended:")])
    before = torn.read_bytes()
    Path("cassettes").mkdir()
    for target in (real, torn):
        Path("cassettes", target.name).symlink_to(Path("..", target))
    for options in ([], ["--dry-run"], ["cassettes/leaky.yaml", "cassettes/torn.yaml"]):
        ran = cli("scrub", "--no-tests", *options)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.endswith(
            "cassettes/leaky.yaml holds a secret, and leads out of the folder that it is in.\n"
            "  to: elsewhere/leaky.yaml\n"
            "Scrub that file itself: aquila-cassette scrub elsewhere/leaky.yaml\n"
            "Nothing scrubbed in 2 cassettes.\n"
        )
        assert "cassettes/torn.yaml holds a secret, and leads out" in ran.err
    assert (real.read_text(), torn.read_bytes()) == (LEAKY, before)
    ran = cli("scrub", "--no-tests", "elsewhere/leaky.yaml")  # what the message says
    assert (ran.code, real.read_text()) == (0, CLEAN)


def test_what_a_link_leads_to_within_the_folder_is_written(cli: Cli) -> None:
    real = lay("elsewhere/real/leaky.yaml", LEAKY)
    Path("elsewhere/link.yaml").symlink_to("real/leaky.yaml")
    Path("cassettes").symlink_to("elsewhere")
    assert cli("scrub", "--no-tests", "link").code == 0
    assert real.read_text() == CLEAN
    assert Path("cassettes/link.yaml").is_symlink()
