"""Who uses a cassette, and what is in doubt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aquila_cassette.cli.maintenance.census import Census
from aquila_cassette.cli.maintenance.inspection import Known, find_orphans, read
from aquila_cassette.cli.maintenance.owners import Orphans
from aquila_cassette.cli.maintenance.project import Project
from aquila_cassette.cli.maintenance.standing import standing
from aquila_cassette.redaction import Redaction
from tests.cli.maintenance.tapes import BY, NOW, chat, check, lay, text

FOLDER = Path("cassettes")
GONE = "tests/test_chat.py::test_gone"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def census(**changes: object) -> Census:
    """One test, all of whose file is known."""
    known = Census(Path.cwd(), {BY: None}, frozenset({"tests/test_chat.py"}))
    return replace(known, **changes)  # type: ignore[arg-type]


def orphans(code: str = "", *, known: Census | None = None, **more: str) -> Orphans:
    lay("tests/test_chat.py", code)
    for name, content in more.items():
        lay(name, content)
    project = Project((Path.cwd(),), FOLDER)
    stock = read(sorted(FOLDER.rglob("*.y*ml")))
    return find_orphans(stock, Known(FOLDER, NOW, census=known or census(), project=project))


def tape(name: str, *owners: str | None) -> Path:
    return lay(FOLDER / name, text(*(chat(recorded_by=one) for one in owners or [GONE])))


def test_a_tape_that_nothing_speaks_for_is_an_orphan() -> None:
    for owner in (GONE, None, "tests/test_other.py::test"):
        path = tape("lost.yaml", owner)
        assert orphans('aquila_cassette("other")').sure == (path,)


def test_a_test_that_is_there_speaks_for_its_tape() -> None:
    tape("chat.yaml", GONE, BY)
    tape("torn.yaml", f"{BY} (teardown)")
    assert orphans().sure == ()


@pytest.mark.parametrize(
    "unsure", ["tests/test_chat.py", "tests", "", ".", "tests/test_chat.py::TestIt"]
)
def test_a_test_that_may_be_there_speaks_for_its_tape(unsure: str) -> None:
    tape("chat.yaml", "tests/test_chat.py::TestIt::test_reply")
    assert orphans(known=census(unsure=(unsure,))).sure == ()


def test_a_file_that_was_not_collected_but_exists_may_have_its_test() -> None:
    tape("chat.yaml", "tests/test_other.py::test_reply")
    assert len(orphans().sure) == 1
    lay("tests/test_other.py", "")
    assert orphans().sure == ()


def test_a_suite_in_a_folder_of_its_own_may_have_its_test() -> None:
    lay("part/tests/test_part.py", "")
    path = lay("part/cassettes/chat.yaml", text(chat(recorded_by="tests/test_part.py::test")))
    project = Project((Path.cwd(),), FOLDER)
    known = Known(Path("part/cassettes"), NOW, census=census(), project=project)
    assert find_orphans(read([path]), known).sure == ()


GONE_WITH_ITS_PARAMETER = [
    '@pytest.mark.parametrize("model", ["gpt", "claude"])',
    '@pytest.mark.parametrize("model", [pytest.param("gpt", marks=slow()), "claude"])',
    '@pytest.mark.parametrize("n", (1, -1))\n@pytest.mark.parametrize("model", MODELS)',
]
PERHAPS_IN_ANOTHER_ENVIRONMENT = [
    '@pytest.mark.parametrize("model", MODELS if KEY else [])',
    '@pytest.mark.parametrize("model", models())',
    '@pytest.mark.parametrize("model", [*MODELS, "gpt"])',
    '@pytest.mark.parametrize("model", [pytest.param(name(), id="gpt")])',
    '@pytest.mark.parametrize(argnames="model", argvalues=[1])',
    "",
]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        *((marks, "gone") for marks in GONE_WITH_ITS_PARAMETER),
        *((marks, "unknown") for marks in PERHAPS_IN_ANOTHER_ENVIRONMENT),
    ],
)
def test_a_parameter_is_gone_only_where_all_that_there_are_are_written_out(
    marks: str, expected: str
) -> None:
    lay("tests/test_chat.py", f'MODELS = ["gpt", "claude"]\n{marks}\ndef test_it(model): ...\n')
    now = "tests/test_chat.py::test_it[gpt]"
    project = Project((Path.cwd(),), FOLDER)
    for marked in ({now}, set()):
        known = census(tests={now: None}, marked=frozenset(marked))
        asked = standing("tests/test_chat.py::test_it[old]", FOLDER / "x.yaml", known, project)
        assert asked == (expected if marked else "unknown")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("if KEY:\n  def test_it(): ...", "unknown"),
        ("try:\n  def test_it(): ...\nexcept E: ...", "unknown"),
        ("def test_other(): ...", "gone"),
        ("class TestIt:\n  def test_it(): ...", "gone"),
        ("", "gone"),
        ("no python (", "gone"),
    ],
)
def test_a_test_that_its_file_still_has_may_be_there(code: str, expected: str) -> None:
    lay("tests/test_chat.py", code)
    project = Project((Path.cwd(),), FOLDER)
    test = "tests/test_chat.py::test_it (teardown)"
    assert standing(test, FOLDER / "x.yaml", census(), project) == expected


def test_a_test_that_has_lost_its_parameters_is_another_test() -> None:
    lay("tests/test_chat.py", "class TestIt:\n  async def test_it(): ...")
    project = Project((Path.cwd(),), FOLDER)
    known = census(tests={"tests/test_chat.py::TestIt::test_it": None})
    test = "tests/test_chat.py::TestIt::test_it[a]"
    assert standing(test, FOLDER / "x.yaml", known, project) == "gone"


def test_a_test_that_opens_it_by_its_marker_or_its_own_name_speaks_for_it() -> None:
    tape("Marked.yaml")
    tape("tests/test_chat/test_own.yaml")
    tests = {BY: "marked", "tests/test_chat.py::test_own": "tests/test_chat/test_own"}
    assert orphans(known=census(tests=tests)).sure == ()


@pytest.mark.parametrize(
    "code",
    [
        'aquila_cassette("chat.hello")',
        'aquila_cassette("chat.hello.yaml")',
        'aquila_cassette("CHAT.hello")',
        'aquila_cassette(f"chat.{x}")',
        'aquila_cassette("chat." + "hello")',
        'NAMES = ["chat.hello"]',
        "'''>>> aquila_cassette('chat.hello')'''",
        r'pytester.makepyfile("aquila_cassette(\"chat.hello\")")',
        "open('cassettes/chat.hello.yaml')",
        "# see cassettes/chat.hello.yaml",
    ],
)
def test_its_name_in_code_speaks_for_it(code: str) -> None:
    tape("chat.hello.yaml")
    assert orphans(code).sure == ()


@pytest.mark.parametrize(
    "code",
    [
        'aquila_cassette("chat.hello.more")',
        'aquila_cassette("my.chat.hello")',
        'aquila_cassette(f"chat.{x}.more")',
        "# we say chat.hello here",
        "chat.hello()",
    ],
)
def test_what_is_not_its_name_does_not(code: str) -> None:
    tape("chat.hello.yaml")
    assert len(orphans(code).sure) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", "Open `chat.hello` in a test."),
        ("names.json", '["chat.hello"]'),
        ("notebook.ipynb", '{"source": ["aquila_cassette(\\"chat.hello\\")"]}'),
        ("Makefile", "cat cassettes/chat.hello.yaml"),
    ],
)
def test_its_name_in_quotes_in_any_file_speaks_for_it(name: str, content: str) -> None:
    tape("chat.hello.yaml")
    assert orphans(**{name: content}).sure == ()


def test_a_name_from_a_folder_further_in_speaks_for_it() -> None:
    tape("unit/chat.yaml")
    assert orphans('aquila_cassette("chat", cassette_dir=HERE)').sure == ()


def test_a_name_made_at_run_time_leaves_it_in_doubt() -> None:
    path = tape("lost.yaml")
    lay("cassettes/used.yaml", text())
    found = orphans("\n\naquila_cassette(request.node.name)")
    assert found == Orphans((), (path,), "tests/test_chat.py:3")


def test_where_no_test_was_collected_nothing_is_an_orphan() -> None:
    tape("lost.yaml")
    assert orphans(known=census(tests={})) == Orphans(())


def test_a_test_that_is_gone_is_named_once() -> None:
    others = [chat(sent=sent, recorded_by=GONE) for sent in (b"{}", b"[]")]
    lay(FOLDER / "chat.yaml", text(others[0], chat(), others[1]))
    (one,) = check(FOLDER, Known(FOLDER, NOW, census=census()))
    assert (one.line, one.kind) == (5, "gone")
    assert one.what == f"recorded_by names {GONE}, which no longer exists"


def test_of_an_orphan_it_is_not_said_too_that_its_test_is_gone() -> None:
    tape("lost.yaml")
    lay("tests/test_chat.py", "")
    known = Known(FOLDER, NOW, census=census(), project=Project((Path.cwd(),), FOLDER))
    assert [one.kind for one in check(FOLDER, known)] == ["orphan"]


def test_the_rules_of_the_tests_that_use_a_tape_are_its_rules() -> None:
    mine, other = Redaction(names=["tenant"]), Redaction(["city"], keep_headers=["x-own"])
    tests = {BY: None, "tests/test_chat.py::test_marked": "marked"}
    known = census(tests=tests, rules={BY: mine, "tests/test_chat.py::test_marked": other})
    assert known.rules_for([BY], "chat").names == ("tenant",)
    assert known.rules_for([f"{BY} (teardown)"], "chat").names == ("tenant",)
    assert known.rules_for([], "Marked").names == ("city",)
    assert known.rules_for([BY], "marked").names == ("tenant", "city")
    whose_is_not_known = known.rules_for([GONE], "lost")
    assert whose_is_not_known.names == ()
    assert whose_is_not_known.keep_headers == ("x-own",)
