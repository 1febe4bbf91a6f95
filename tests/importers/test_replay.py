"""Blocks that replay a cassette of another recorder, as it is."""

import gzip
from pathlib import Path

import httpx
import pytest

from aquila_cassette import MissError, aquila_cassette
from aquila_cassette.errors import CassetteNameError, CassetteSaveError
from aquila_cassette.importers import find_cassette
from aquila_cassette.options import Mode
from tests.importers.samples import CASSETTER, EVENTS, URL, vcrpy

KEY = "sk-ant-api03-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "CI", "AQUILA_CASSETTE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(tmp_path / "cassettes"))
    Path("cassettes").mkdir()


def lay(data: str | bytes, name: str = "chat.yaml") -> Path:
    path = Path("cassettes", name)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "mode"),
    [
        ("chat.yaml", vcrpy().encode(), "none"),
        ("chat.yaml.gz", gzip.compress(vcrpy().encode()), "once"),
        ("chat", vcrpy().encode(), "none"),
    ],
)
def test_a_cassette_of_vcrpy_replays_and_stays_as_it_is(name: str, data: bytes, mode: Mode) -> None:
    path = lay(data, name)
    with aquila_cassette("chat", mode=mode) as cassette, httpx.Client(verify=False) as client:
        answer = client.post(URL, json={"n": 1}, headers={"authorization": "Bearer other"})
        assert cassette.path.name == name
    assert (answer.status_code, answer.text) == (200, "hi")
    assert answer.headers["content-type"] == "text/plain"
    assert path.read_bytes() == data
    assert [one.name for one in Path("cassettes").iterdir()] == [name]


def test_a_stream_comes_event_by_event() -> None:
    lay(CASSETTER)
    sent = {"at": "2026-11-22", "more": ["yes", "1_000", "12:30", 100000.0, None]}
    with aquila_cassette("chat", mode="none", on_unplayed="ignore"):
        with httpx.Client(verify=False) as client:
            with client.stream("POST", URL, json=sent) as answer:
                pieces = list(answer.iter_raw())
    assert pieces == [EVENTS[:21], EVENTS[21:]]


def test_a_changed_prompt_misses_and_no_secret_of_the_cassette_is_shown() -> None:
    lay(vcrpy(sent=f"""body: '{{"n":1,"api_key":"{KEY}"}}'"""))
    with pytest.raises(MissError) as caught:
        with aquila_cassette("chat", mode="once"), httpx.Client(verify=False) as client:
            client.post(URL, json={"n": 2, "api_key": KEY})
    assert "-1\n" in str(caught.value)
    assert "+2\n" in str(caught.value)
    assert KEY not in str(caught.value)


def test_redaction_counts_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "quite-a-secret-0815")
    body = f"""body: '{{"n":"quite-a-secret-0815","api_key":"{KEY}"}}'"""
    lay(vcrpy(sent=body).replace(URL, f"{URL}?key={KEY}"))
    with aquila_cassette("chat", mode="none"), httpx.Client(verify=False) as client:
        sent = {"n": "quite-a-secret-0815", "api_key": "b"}
        assert client.post(f"{URL}?key=another", json=sent).text == "hi"


@pytest.mark.parametrize(
    ("mode", "command"), [("all", "chat.yaml --in-place"), ("new_episodes", "chat.json")]
)
def test_a_mode_that_would_write_the_file_is_refused_before_anything_is_sent(
    command: str, mode: Mode
) -> None:
    path = lay(vcrpy(), command.partition(" ")[0])
    with pytest.raises(CassetteSaveError) as caught:
        with aquila_cassette("chat", mode=mode):
            raise AssertionError("the block must not be entered")
    assert str(caught.value) == (
        f"{path} is in vcrpy's format: it can be replayed, not recorded into.\n"
        f"  mode: {mode}\n"
        f"Fix: convert it first: aquila-cassette convert cassettes/{command}"
    )
    assert path.read_text() == vcrpy()


# Which file a name means.


def where(name: str) -> str:
    return find_cassette(Path("cassettes"), name).name


@pytest.mark.parametrize("file", ["chat.hi.yml", "chat.hi.yaml.gz", "chat.hi"])
def test_the_only_file_of_a_name_is_meant_whatever_its_suffix(file: str) -> None:
    lay("", file)
    lay("", "other.json")
    assert where("chat.hi") == file
    assert where(file) == file


def test_the_usual_one_is_to_be_where_there_is_none() -> None:
    Path("cassettes/chat").mkdir()
    assert where("chat") == "chat.yaml"  # and not the folder of that name
    assert where("chat.json") == "chat.json.yaml"
    assert where("n" * 250) == f"{'n' * 250}.yaml"


def test_of_two_others_one_must_be_named() -> None:
    for name in ("chat.json", "chat.har"):
        lay("", name)
    with pytest.raises(CassetteNameError) as caught:
        where("chat")
    assert str(caught.value) == (
        "The cassette name 'chat' may mean 2 files.\n"
        "  cassettes/chat.json\n"
        "  cassettes/chat.har\n"
        'Fix: use the name of one, with its suffix: "chat.json"'
    )
    assert where("chat.json") == "chat.json"
    lay("", "chat.yaml")
    assert where("chat") == "chat.yaml"
