"""``record``: cassettes recorded again by the tests that recorded them."""

import re
from pathlib import Path

import pytest

from aquila_cassette.cli.record_selection import select
from tests.cli.conftest import Cli
from tests.cli.project import LONG_AGO, Project
from tests.cli.samples import chat, lay, text

SUITE = """
@pytest.mark.parametrize("word", ["sea", "a::b [c] d/e", "\\u00e9 (teardown)"])
def test_word(aquila_cassette, word):
    with aquila_cassette("words"):
        ask("NEW " + word)

@pytest.fixture
def farewell(aquila_cassette):
    yield
    with aquila_cassette("farewell"):
        ask("NEW bye")

class TestIt:
    def test_it(self, aquila_cassette, farewell):
        with aquila_cassette("sub/farewell"):
            ask("NEW hi")

def test_other(aquila_cassette):
    with aquila_cassette("words"):
        ask("NEW other")

def test_never(aquila_cassette):
    with aquila_cassette("never"):
        ask("NEW never")
"""


def lay_suite(project: Project) -> None:
    project.tests(SUITE)
    test = "test_it.py::test_word"
    project.cassette(
        "words",
        (f"{test}[sea]", "old sea"),
        ("test_it.py::test_other", "old other"),
        (f"{test}[a::b [c] d/e]", "old abc"),
        (f"{test}[\\xe9 (teardown)]", "old e"),
    )
    project.cassette("farewell", ("test_it.py::TestIt::test_it (teardown)", "old bye"))
    project.cassette("sub/farewell", ("test_it.py::TestIt::test_it", "old hi"))
    project.cassette("never", ("test_it.py::test_never", "old never"))


WORD = "test_it.py::test_word"


def test_exactly_the_tests_that_recorded_a_cassette_record_it_again(
    cli: Cli, project: Project
) -> None:
    lay_suite(project)
    project.cassette("unsigned", (None, "old"), (None, "old"))
    project.provider.requests.clear()
    targets = select(["words", "*farewell", "unsigned"], Path("cassettes")).targets
    assert [(one.name, list(one.tests), one.unsigned) for one in targets] == [
        ("words", [f"{WORD}[sea]", "test_it.py::test_other", f"{WORD}[a::b [c] d/e]",
                   f"{WORD}[\\xe9 (teardown)]"], 0),
        ("farewell", ["test_it.py::TestIt::test_it"], 0),
        ("sub/farewell", ["test_it.py::TestIt::test_it"], 0),
        ("unsigned", [], 2),
    ]  # fmt: skip
    ran = cli("record", "words", "farewell")
    assert ran.code == 0
    assert project.prompts("words") == [
        "NEW sea", "NEW other", "NEW a::b [c] d/e", "NEW \xe9 (teardown)",
    ]  # fmt: skip
    assert project.prompts("farewell") == ["NEW bye"]
    assert project.prompts("sub/farewell") == ["NEW hi"]  # its test records it as well
    assert project.prompts("never") == ["old never"]
    assert len(project.provider.requests) == 6
    assert "aquila: cassettes/sub/farewell.yaml was recorded again: 1 of 1 changed\n" in ran.err
    assert ran.out.startswith("words\ninteraction 1: request and answer changed (")
    assert ran.out.endswith(
        "\n"
        "NAME      RESULT       CHANGED, OR WHY NOT\n"
        "words     re-recorded  4 of 4 changed\n"
        "farewell  re-recorded  1 of 1 changed\n"
        "\n"
        "2 cassettes re-recorded; 2 changed.\n"
    )


def test_an_answer_that_is_the_same_leaves_its_file_as_it_is_and_is_done(
    cli: Cli, project: Project
) -> None:
    project.tests(
        """
def test_same(aquila_cassette):
    with aquila_cassette("same"):
        ask("hi")
"""
    )
    path = project.cassette("same", ("test_it.py::test_same", "hi"))
    old = path.read_bytes()
    workers = ["--", "-p", "xdist", "-n", "2"]
    for arguments in (["--stale", "30d", *workers], ["same", "--direct"]):
        ran = cli("record", *arguments)
        assert ran.code == 0
        assert ran.out.endswith("1 cassette re-recorded; nothing changed.\n")
        assert path.read_bytes() == old


DOCUMENTED = """
def test_counts(aquila_cassette):
    with aquila_cassette("chat.counts"):
        text = ask("Say hello in one line")
    said = [json.loads(line[6:]) for line in text.splitlines() if line[:7] == "data: {"]
    deltas = [choice["delta"] for one in said for choice in one["choices"]]
    reply = "".join(delta.get("content") or "" for delta in deltas)
    assert "3" in reply, "it does not count"

def test_greets(aquila_cassette):
    with aquila_cassette("chat.greets"):
        ask("Say a warm hello")
"""


def test_the_documentation_shows_what_is_printed(cli: Cli, project: Project) -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text("utf-8")
    (command, shown) = re.findall(r"```console\n\$ aquila-cassette (record.*)\n([^`]*)```", page)[0]
    project.tests("import json\n" + DOCUMENTED, "test_chat.py")
    project.cassette("chat.greets", ("test_chat.py::test_greets", "Say hello"))
    project.cassette("chat.counts", ("test_chat.py::test_counts", "Say hello"))
    ran = cli(*command.split())
    assert ran.out == shown.replace("https://api.openai.com", project.provider.url)


WOES = """
import os

def test_bad(aquila_cassette):
    with aquila_cassette("bad"):
        ask("NEW")
    assert "this" == "that", "not\\nat all"

def test_skipped(aquila_cassette):
    pytest.skip("no key here")

def test_elsewhere(aquila_cassette):
    with aquila_cassette("another"):
        ask("NEW")

@pytest.mark.xfail(strict=True)
def test_expected(aquila_cassette):
    with aquila_cassette("mixed"):
        assert ask("NEW") == "no"
"""


def test_a_cassette_stays_as_it_was_unless_its_tests_passed(cli: Cli, project: Project) -> None:
    project.tests(WOES)
    project.tests("import no_such_module", "test_broken.py")
    old = {
        name: project.cassette(name, *[(test, f"old {test}") for test in tests]).read_bytes()
        for name, *tests in (
            ("bad", "test_it.py::test_bad"),
            ("broken", "test_broken.py::test_it"),
            ("elsewhere", "test_it.py::test_elsewhere"),
            ("gone", "test_it.py::test_gone"),
            ("gone_too", "tests/test_gone.py::test_it"),
            ("skipped", "test_it.py::test_skipped"),
            ("unsigned", None),
        )
    }
    project.cassette(
        "mixed",
        ("test_it.py::test_expected", "old"),
        ("test_it.py::test_bad", "old"),
        (None, "old"),
    )
    ran = cli("record", "*")
    assert ran.code == 1
    for name, before in old.items():
        assert Path(f"cassettes/{name}.yaml").read_bytes() == before
    assert project.prompts("mixed") == ["NEW", "old", "old"]
    assert ran.out[ran.out.index("NAME ") :] == (
        "NAME       RESULT   CHANGED, OR WHY NOT\n"
        "bad        kept     test_it.py::test_bad failed\n"
        "broken     kept     test_broken.py cannot be collected\n"
        "elsewhere  kept     test_it.py::test_elsewhere ended well and recorded nothing here\n"
        "gone       kept     test_it.py::test_gone is gone, or pytest's options leave it out\n"
        "gone_too   kept     tests/test_gone.py::test_it is gone, or pytest's options leave it out\n"
        "mixed      in part  1 of 3 changed; test_it.py::test_bad failed (and 1 more)\n"
        "skipped    kept     test_it.py::test_skipped was skipped\n"
        "unsigned   kept     1 interaction recorded by no test (--direct sends them again)\n"
        "\n"
        "0 cassettes re-recorded, 1 in part, 7 kept as before; 1 changed.\n"
    )
    assert "test_it.py::test_bad FAILED" in ran.err
    assert "E       AssertionError: not\n" in ran.err


TWO = """
@pytest.mark.parametrize("name", ["old", "new"])
def test_it(aquila_cassette, name):
    with aquila_cassette(name):
        ask("NEW")
"""


def lay_two(project: Project) -> None:
    project.tests(TWO)
    project.cassette("old", ("test_it.py::test_it[old]", "old"))
    project.cassette("new", ("test_it.py::test_it[new]", "old"), at="2999-01-01T00:00:00Z")


def test_only_what_is_older_counts_and_what_has_no_date_is_not() -> None:
    long_ago = chat(recorded_by="a::[(teardown)] (teardown)", recorded_at=LONG_AGO)
    unsigned = chat(recorded_by=None, recorded_at=LONG_AGO)
    others = [chat(recorded_by="b", recorded_at=at) for at in ("", "2999-01-01T00:00:00Z")]
    lay("cassettes/x.yaml", text(long_ago, *others, unsigned))
    for stale, tests in (("30d", ("a::[(teardown)]",)), (None, ("a::[(teardown)]", "b"))):
        (one,) = select(["x", "*"], Path("cassettes"), stale).targets
        assert (one.tests, one.unsigned) == (tests, 1)


def test_failed_picks_the_tests_that_missed_and_stale_what_was_recorded_long_ago(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_two(project)
    ran = cli("record", "--failed")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "Nothing to record again: no test missed when it ran last.\n"
    assert cli("record", "new", "--stale", "1w").err == (
        "Nothing to record again: nothing is older than 1w.\n"
    )
    note = Path(".pytest_cache/v/aquila/misses")
    note.parent.mkdir(parents=True)
    note.write_text('{"test_it.py::test_it[new]": ["cassettes/new.yaml"]}')
    targets = select([], Path("cassettes"), "30d", failed=True).targets
    assert [(one.name, one.tests) for one in targets] == [
        ("old", ("test_it.py::test_it[old]",)),
        ("new", ("test_it.py::test_it[new]",)),
    ]
    assert cli("record", "--failed", "old").err.startswith("Nothing to record again: no test")
    # From a folder below, it is the same project.
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert cli("record", "--failed", "-d", "../cassettes").code == 0
    monkeypatch.chdir("..")
    assert project.prompts("new") == ["NEW"]
    assert note.read_text() == "{}"


def test_what_follows_two_dashes_is_handed_to_pytest(cli: Cli, project: Project) -> None:
    lay_two(project)
    ran = cli("record", "old", "--", "--no-such-option")
    assert ran.code == 2
    assert ran.err.startswith("ERROR: usage: ")
    assert "unrecognized arguments: --no-such-option" in ran.err
    assert project.prompts("old") == ["old"]
    ran = cli("record", "*", "--", "-p", "xdist.plugin", "-n", "2", "-k", "old")
    assert ran.code == 1
    assert "new   kept         test_it.py::test_it[new] did not run to its end\n" in ran.out
    assert project.prompts("old") == ["NEW"]


REFUSED = {
    "": "record needs to know which cassettes to record again.\n"
    "  expected: names, patterns, --stale or --failed\n"
    "Fix: aquila-cassette record '*' records all\n",
    "od": "There is no cassette 'od'.\n"
    "  looked for: cassettes/od.yaml\n"
    "Fix: name another, for example the closest: old\n",
    "--stale soon": "'soon' is no span of time.\n"
    "  expected: a whole number and h, d, w or y\n"
    "Fix: write, for example, 30d or 12w\n",
    **dict.fromkeys(
        ["--direct --failed", "old --direct -- -x", "old --base-url http://a"],
        "--direct and --base-url send what is on a cassette, without tests.\n"
        "Fix: use --base-url with --direct; --failed and `--` without it\n",
    ),
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_arguments_that_mean_nothing_are_refused(cli: Cli, arguments: str) -> None:
    lay("cassettes/old.yaml", text())
    ran = cli("record", *arguments.split())
    assert (ran.code, ran.out, ran.err) == (2, "", REFUSED[arguments])


MODULE = """
@pytest.fixture(scope="module")
def answer(aquila_cassette):
    with aquila_cassette("of_the_module"):
        return ask("NEW")

def test_one(answer): pass
def test_two(answer): assert {}
"""


def test_the_cassette_of_a_module_is_recorded_again_by_all_tests_of_the_module(
    cli: Cli, project: Project
) -> None:
    project.cassette("of_the_module", ("test_it.py", "old"))
    project.tests(MODULE.format(False))
    failed = cli("record", "of_the_module")
    assert failed.code == 1
    assert "test_it.py::test_two failed\n" in failed.out
    project.tests(MODULE.format(True))
    assert cli("record", "of_the_module").code == 0
    assert project.prompts("of_the_module") == ["NEW"]
