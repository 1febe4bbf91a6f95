"""``convert``: cassettes of other recorders to ours, ours to vcrpy's, and nothing lost on the way."""

import gzip
import json
import re
from pathlib import Path

import pytest

from aquila_cassette import importers
from tests.cli.conftest import Cli
from tests.cli.samples import chat, lay, text
from tests.importers.samples import CASSETTER, EVENTS, URL, vcrpy

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
EXAMPLE = r"```console\n\$ aquila-cassette (convert[^\n]*)\n(.*?)```"
KEY = "sk-ant-api03-abcdefghijklmnop"
LEAKY = vcrpy(sent=f"""body: '{{"n":1,"api_key":"{KEY}"}}'""")
OURS = f"""\
interactions:
- request:
    method: POST
    url: {URL}
    json:
      "n": 1
      api_key: "[redacted]"
  response:
    status: 200
    headers: {{Content-Type: text/plain}}
    text: hi
    pieces: 0+2
    ended: complete
"""


IN_THE_WAY = """\
There is a file at cassettes/chat.yaml already; it is not overwritten.
Fix: replace it with --in-place if it is the one to convert; else write into another folder with -o FOLDER
"""
END = " converted to our format.\n"


def below_the_head(path: str | Path) -> str:
    return Path(path).read_text().partition("\n")[2].partition("\n")[2]


def test_a_file_of_another_name_stays_and_ours_is_beside_it(cli: Cli) -> None:
    packed = lay("cassettes/chat.yaml.gz", gzip.compress(LEAKY.encode()))
    before = packed.read_bytes()
    ran = cli("convert", "chat")
    assert (ran.code, ran.err) == (0, "1 of 1 file converted to our format.\n")
    assert ran.out == (
        "cassettes/chat.yaml.gz: vcrpy, 1 interaction, to cassettes/chat.yaml\n"
        "  hidden: the header 'authorization', a key (sk-...)\n"
    )
    assert packed.read_bytes() == before
    assert below_the_head("cassettes/chat.yaml") == OURS
    assert cli("convert", "cassettes/chat.yaml.gz").out.endswith(
        "left: cassettes/chat.yaml holds it already\n"
    )


def test_a_file_is_replaced_only_where_that_is_allowed(cli: Cli) -> None:
    path = lay("cassettes/chat.yaml", LEAKY)
    refused = cli("convert", "chat")
    assert (refused.code, refused.out, refused.err) == (1, "", f"{IN_THE_WAY}0 of 1 file{END}")
    assert path.read_text() == LEAKY
    assert cli("convert", "chat", "--in-place").code == 0
    assert below_the_head(path) == OURS
    assert [one.name for one in Path("cassettes").iterdir()] == ["chat.yaml"]
    ran = cli("convert", "chat", "--in-place")
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        "cassettes/chat.yaml: ours, 1 interaction, left: it is in that format already",
    )


def test_a_folder_is_converted_into_another_and_keeps_its_names(cli: Cli) -> None:
    lay("old/a/chat.yaml", CASSETTER)
    lay("old/chat.v2.json", json.dumps({"interactions": [], "version": 1}))
    lay("old/session.har", json.dumps({"log": {"entries": []}}))
    lay("old/legacy", vcrpy())
    lay("old/ours.yaml", text())
    lay("old/package.json", '{"name": "x"}')
    lay("old/README.md", "# uri:")
    lay("old/.hidden/chat.yaml", vcrpy())
    ran = cli("convert", "old", "-o", "new")
    assert ran.code == 0
    assert sorted(path.as_posix() for path in Path("new").rglob("*.yaml")) == [
        "new/a/chat.yaml",
        "new/legacy.yaml",
        "new/session.yaml",
    ]
    assert ran.err == "3 of 4 files converted to our format.\n"
    assert importers.load(Path("new/a/chat.yaml")).interactions[0].response.body == EVENTS


def test_what_is_no_http_is_counted(cli: Cli) -> None:
    lay("calls.yaml", f"{CASSETTER}grpc_interactions: [{{}}, {{}}]\nws_interactions: [{{}}]\n")
    lay("only.yaml", "version: 1\ninteractions: []\ngrpc_interactions:\n- request: {}\n")
    lay("browser.har", json.dumps({"log": {"entries": [{"response": {"status": 101}}]}}))
    lines = cli("convert", "calls.yaml", "only.yaml", "browser.har", "-o", "new").out.splitlines()
    assert [line for line in lines if "left out" in line] == [
        f"  left out: {count} of gRPC or WebSocket, which no cassette of ours can hold"
        for count in ("3 interactions", "1 interaction", "1 interaction")
    ]


def test_nothing_that_stands_there_is_overwritten(cli: Cli) -> None:
    lay("cassettes/chat.json", json.dumps({"log": {"entries": []}}))
    ours = lay("cassettes/chat.yaml", text())
    ran = cli("convert", "cassettes/chat.json", "--in-place")
    assert ran.code == 1
    assert ran.err == f"{IN_THE_WAY}0 of 1 file{END}"
    assert ours.read_text() == text()


def test_a_damaged_file_is_told_of_and_the_others_are_converted(cli: Cli) -> None:
    lay("old/a.yaml", vcrpy(sent="body: !!python/object/apply:os.system ['touch made']"))
    lay("old/b.yaml", vcrpy())
    ran = cli("convert", "old", "-o", "new")
    assert ran.code == 2
    assert ran.err == (
        "old/a.yaml, line 3: the tag !!python/object/apply:os.system is not allowed here.\n"
        "Fix: take the tag out, and write the value as plain text\n"
        "1 of 2 files converted to our format.\n"
    )
    assert not Path("made").exists()
    assert Path("new/b.yaml").exists()


def test_a_file_that_would_hold_a_secret_all_the_same_is_not_written(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "QUITE-A-SECRET-0815")
    lay("old/chat.yaml", vcrpy().replace("method: POST", "method: QUITE-A-SECRET-0815"))
    ran = cli("convert", "old", "-o", "new")
    assert (ran.code, ran.err) == (
        2,
        (
            "old/chat.yaml was not converted, since the new file would hold a secret.\n"
            "  line 5 of it: the value of ACME_API_KEY\n"
            "Fix: name the field it is in with --redact\n"
            "0 of 1 file converted to our format.\n"
        ),
    )
    assert not Path("new").exists()


def test_ours_becomes_a_cassette_of_vcrpy_and_comes_back(cli: Cli) -> None:
    lay("cassettes/chat.yaml", text())
    ran = cli("convert", "cassettes", "--to", "vcrpy", "-o", "out")
    assert (ran.code, ran.err) == (0, "1 of 1 file converted to vcrpy's format.\n")
    assert importers.load(Path("out/chat.yaml")).foreign == "vcrpy"
    assert cli("convert", "out", "-o", "back").code == 0
    (back,), before = importers.load(Path("back/chat.yaml")).interactions, chat()
    assert (back.request, back.response.body) == (before.request, before.response.body)


def test_the_other_commands_read_such_files_or_say_what_to_do(cli: Cli) -> None:
    path = lay("cassettes/chat.yaml", vcrpy())
    assert "hi" in cli("show", "chat").out
    for more in ([], ["--direct"]):
        fix = "convert it first: aquila-cassette convert cassettes/chat.yaml --in-place"
        assert f"Fix: {fix}\n" in cli("record", "chat", *more).refusal
    assert path.read_text() == vcrpy()


def test_the_example_of_the_page_is_what_is_written(cli: Cli) -> None:
    lay("tests/cassettes/test_chat.yaml", LEAKY)
    lay("tests/cassettes/test_image.yaml.gz", gzip.compress(vcrpy().encode()))
    lay("tests/cassettes/test_tools.yaml", CASSETTER)
    ((command, expected),) = re.findall(EXAMPLE, PAGE, re.DOTALL)
    ran = cli(*command.split())
    assert ran.out + ran.err == expected
