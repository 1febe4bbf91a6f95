"""A replay needs no secret: SDKs get placeholder keys where there are none."""

import os
from pathlib import Path

import pytest

from aquila_cassette.dialects.providers import PROVIDERS
from tests.plugin.conftest import Suite
from tests.session.fake_adapter import Suite as Folder

KEY = """
import os
PLACEHOLDER = "aquila-placeholder"
def key(name="OPENAI_API_KEY"): return os.environ.get(name)
"""


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for provider in PROVIDERS:
        for name in provider.key_variables:
            monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


REPLAYS = """
@pytest.fixture
def client(): return key()

@pytest.mark.skipif(not key(), reason="no key while tests are collected")
def test_live(aquila_cassette): pass

def test_fixture(client, aquila_cassette): assert client == key() == PLACEHOLDER
def test_cassette(client, cassette): assert client == key() == PLACEHOLDER
@pytest.mark.aquila_cassette('x')
def test_marker(client): assert client == key() == PLACEHOLDER
def test_none(client): assert client is key() is None
def test_block(client):
    with block('x'): assert client == key() == PLACEHOLDER
@block('x')
def test_decorated(client): assert client == key() == PLACEHOLDER
def enter(): return block('x')
def test_hidden_in_a_function(client):
    with enter(): assert key() == PLACEHOLDER
    assert client is key() is None

def test_google(aquila_cassette):  # google-genai warns where both are set
    assert [key("GOOGLE_API_KEY"), key("GEMINI_API_KEY")] == [PLACEHOLDER, None]

def test_general(aquila_cassette):  # these open more than models
    assert key("HF_TOKEN") is key("AWS_SECRET_ACCESS_KEY") is None
    with aquila_cassette("x"):
        assert key("HF_TOKEN") == key("AWS_SECRET_ACCESS_KEY") == PLACEHOLDER
    assert key("HF_TOKEN") is key("AWS_SECRET_ACCESS_KEY") is None

def test_taken_away(cassette, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert key() is None
def test_put_back(monkeypatch):
    with enter():
        monkeypatch.setenv("OPENAI_API_KEY", "mine")
def test_after(): assert key() is None
"""


def test_who_replays_gets_a_key_for_as_long(suite: Suite) -> None:
    suite(KEY + REPLAYS, "--aquila-record=none").assert_outcomes(passed=12, skipped=1)
    left = [name for name, value in os.environ.items() if value == "aquila-placeholder"]
    assert left == []


def test_a_key_that_is_set_stays_and_an_empty_one_is_none(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")  # as a secret is in the CI of a fork
    monkeypatch.setenv("GEMINI_API_KEY", "mine")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    source = """
def test_a(aquila_cassette):
    assert key() == "sk-mine"
    assert key("ANTHROPIC_API_KEY") == PLACEHOLDER
    assert key("GOOGLE_API_KEY") is None
    with aquila_cassette("x"):
        assert key("AWS_SECRET_ACCESS_KEY") is None
"""
    suite(KEY + source, "--aquila-record=none").assert_outcomes(passed=1)
    assert os.environ["ANTHROPIC_API_KEY"] == ""


def test_a_cassette_that_exists_replays_without_a_key_and_nothing_is_recorded_with_a_placeholder(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
from openai import OpenAI
@pytest.fixture
def client():
    with httpx.Client(headers={"authorization": f"Bearer {key()}"}) as client:
        yield client
def test_a(client, aquila_cassette):
    with aquila_cassette("x"):
        OpenAI(max_retries=0)
        assert client.get(URL + "/a").text == "/a"
def test_unknown(client, aquila_cassette):
    with aquila_cassette("unknown"):
        client.get(URL + "/a")
def test_known(client, aquila_cassette):
    with aquila_cassette("known"):
        client.get("https://api.anthropic.com/v1/models")
def test_known_by_its_sdk(aquila_cassette):
    client = OpenAI(base_url=URL)
    with aquila_cassette("sdk"):
        client.models.list()
"""
    with monkeypatch.context() as with_a_key:
        with_a_key.setenv("OPENAI_API_KEY", "sk-a-key-of-mine-0a1b2c3d")
        suite(KEY + source, "-k", "test_a").assert_outcomes(passed=1)
    ran = suite(None)
    ran.assert_outcomes(passed=1, failed=3)
    ran.stdout.fnmatch_lines(
        [
            "E*UsageError: GET *://*/a was not sent: its key is only a placeholder.",
            "E*Fix: set its key*",
        ]
    )
    for name in ("ANTHROPIC", "OPENAI"):
        ran.stdout.fnmatch_lines([f"E *Fix: set {name}_API_KEY in the environment, and run again"])


def test_a_script_that_replays_gets_a_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write([b"data: 1"])
    with folder.block(on_unplayed="ignore"):
        assert os.environ["OPENAI_API_KEY"] == "aquila-placeholder"
    assert "OPENAI_API_KEY" not in os.environ


def test_they_can_be_set_from_the_start_or_turned_off(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    settings = pytester.path / "pyproject.toml"
    before = settings.read_text() + "\naquila_placeholder_keys = "
    settings.write_text(before + "'session'\n")
    pytester.makeconftest("import os\nAT_IMPORT = os.environ.get('OPENAI_API_KEY')\n")
    source = "AT_IMPORT = key()\ndef test_a(): assert AT_IMPORT == key() == PLACEHOLDER\n"
    for workers in ([], ["-n", "1"]):
        suite(KEY + source, "--aquila-record=none", *workers).assert_outcomes(passed=1)
        assert "OPENAI_API_KEY" not in os.environ

    settings.write_text(before + "false\n")
    source = "def test_a(cassette): assert key() is None\n"
    suite(KEY + source, "--aquila-record=none").assert_outcomes(passed=1)
