import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.transcript.humanize import format_age, format_size, parse_time
from tests.cli.conftest import Cli, Lay

AGO = format_age(parse_time("2020-02-01T10:32:00Z"), datetime.now(UTC))


def test_each_cassette_has_a_line(cli: Cli, lay: Lay) -> None:
    for name in ("chat", "closed", "failed", "gemini", "plain"):
        lay(name, f"kinds/{name}")
    assert cli("list").done == (
        "NAME          N  PROVIDER             MODEL              AGE        SIZE  ENDS\n"
        f"kinds/chat    1  openai-chat          gpt-4o-mini        {AGO}  1.7 kB  complete\n"
        "kinds/closed  1  anthropic            claude-sonnet-5-5  -        1.2 kB  closed\n"
        "kinds/failed  3  openai-chat at groq  llama              "
        f"{AGO}  1.1 kB  2 failed, 1 HTTP 429\n"
        "kinds/gemini  1  gemini               gemini-2.5-flash   -         926 B  complete\n"
        "kinds/plain   1  example.org          -                  -         255 B  complete\n"
    )


def test_a_damaged_file_has_a_line_that_says_so_and_the_exit_code_is_2(cli: Cli, lay: Lay) -> None:
    bad = lay("damaged", "bad")
    lay("failed")
    ran = cli("list")
    size = format_size(bad.stat().st_size)
    assert ran.out.splitlines()[1] == (
        f"bad     -  -                    -      -         {size}  unreadable"
    )
    assert ran.err == "1 of 2 files cannot be read. What is wrong: aquila-cassette show bad\n"
    assert ran.code == 2
    ran = cli("list", "--json")
    assert (ran.code, ran.err) == (2, "")
    damaged, failed = json.loads(ran.out)
    assert damaged["error"].startswith("cassettes/bad.yaml, line 6: 'ended' has a wrong value.\n")
    assert failed == {
        "name": "failed",
        "path": "cassettes/failed.yaml",
        "bytes": Path("cassettes/failed.yaml").stat().st_size,
        "interactions": 3,
        "providers": ["groq"],
        "dialects": ["openai-chat"],
        "models": ["llama"],
        "recorded_at": "2020-02-01T10:32:00Z",
        "ends": {"failed": 2, "HTTP 429": 1},
    }


def test_a_place_may_be_a_folder_or_a_file_and_the_names_are_those_that_show_takes(
    cli: Cli, lay: Lay
) -> None:
    lay("plain", "a/one")
    lay("plain", "b/two")
    lay("plain", "three", folder="other")
    for place, names in (
        ("cassettes/a", ["a/one"]),
        ("cassettes/b/two.yaml", ["b/two"]),
        ("other", ["other/three.yaml"]),
    ):
        listed = [one["name"] for one in json.loads(cli("list", place, "--json").out)]
        assert listed == names
        assert cli("show", *names).code == 0


def test_where_there_is_nothing_to_list_the_next_step_is_named(cli: Cli) -> None:
    assert "path 'cassetes' does not exist." in cli("list", "cassetes").refusal
    ran = cli("list")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "No cassettes in cassettes yet. A test that opens one records it: pytest\n"


def test_the_folder_comes_from_the_option_else_the_environment_else_the_configuration(
    cli: Cli, lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("cassettes", "others", "configured"):
        lay("plain", place, folder=place)
    Path("pytest.ini").write_text("[pytest]\naquila_cassette_dir = configured\n")
    assert cli("show", "configured").code == 0
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", "others")
    assert cli("show", "others").code == 0
    assert cli("show", "cassettes", "-d", "cassettes").code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [("pyproject.toml", "[tool.pytest"), ("tox.ini", "aquila_cassette_dir = recordings"),
     ("setup.cfg", "[tool:pytest]\naquila_cassette_dir ="), ("tox.ini", "\udcff")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_or_says_nothing_of_a_folder_is_passed_over(
    name: str, text: str, cli: Cli
) -> None:
    Path(name).write_text(text, errors="surrogateescape")
    ran = cli("list", "--json")
    assert (ran.code, ran.out, ran.err) == (0, "[]\n", "")


FOLDER = Path("cassettes")


def test_a_name_is_looked_for_in_the_folder_first_and_then_as_a_path(lay: Lay) -> None:
    inside = lay("chat", "a.b")
    outside = lay("chat", "a.b", folder=".")
    assert find("a.b", FOLDER) == inside
    assert find("a.b.yaml", FOLDER) == inside
    assert find("./a.b.yaml", FOLDER) == outside
    assert find("cassettes/a.b.yaml", FOLDER) == inside
    assert find(str(outside.absolute()), FOLDER) == outside.absolute()
    short = lay("chat").rename("cassettes/short.yml")
    assert find("short", FOLDER) == find(name_of(short, FOLDER), FOLDER) == short
