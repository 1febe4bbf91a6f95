"""A replay needs no secret: SDKs get placeholder keys in mode none, where there are none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aquila_cassette.dialects.providers import PROVIDERS

Suite = Callable[..., pytest.RunResult]

KEY = """
import os
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


@pytest.mark.parametrize(
    "test",
    [
        "def test_a(client, aquila_cassette): assert client == key() == 'aquila-placeholder'",
        "def test_a(client, cassette): assert client == key() == 'aquila-placeholder'",
        """
@pytest.mark.aquila_cassette('x')
def test_a(client): assert client == key() == 'aquila-placeholder'
""",
        "def test_a(client): assert client is key() is None",
        """
def test_a(client):
    with block('x'): assert key() == 'aquila-placeholder'
    assert client is key() is None
""",
    ],
)
def test_who_replays_gets_a_key_for_as_long(suite: Suite, test: str) -> None:
    source = KEY + f"@pytest.fixture\ndef client(): return key()\n{test}\n"
    suite(source, "--aquila-record=none").assert_outcomes(passed=1)
    assert "OPENAI_API_KEY" not in os.environ


@pytest.mark.parametrize(
    ("mode", "lent"), [("{'mode': 'none'}", True), ("{'mode': 'once'}", False), ("{}", True)]
)
def test_the_suites_own_mode_counts(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, mode: str, lent: bool
) -> None:
    monkeypatch.setenv("CI", "true")
    source = f"""
@pytest.fixture(scope="session")
def aquila_config(): return {mode}
def test_a(aquila_cassette): assert (key() is not None) == {lent}
"""
    suite(KEY + source).assert_outcomes(passed=1)


def test_a_key_that_is_set_stays_and_an_empty_one_is_none(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")  # as a secret is in the CI of a fork
    monkeypatch.setenv("GEMINI_API_KEY", "mine")
    source = """
def test_a(aquila_cassette):
    assert key() == "sk-mine"
    assert key("ANTHROPIC_API_KEY") == "aquila-placeholder"
    assert key("GOOGLE_API_KEY") is None  # google-genai warns where both are set
"""
    suite(KEY + source, "--aquila-record=none").assert_outcomes(passed=1)
    assert os.environ["ANTHROPIC_API_KEY"] == ""


def test_keys_that_open_more_than_models_are_lent_inside_blocks_only(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
def test_a(aquila_cassette):
    assert key("HF_TOKEN") is key("AWS_SECRET_ACCESS_KEY") is None
    with aquila_cassette("x"):
        assert key("HF_TOKEN") == "aquila-placeholder"
        assert key("AWS_SECRET_ACCESS_KEY") == {aws}
        assert key("AWS_ACCESS_KEY_ID") == {aws}
    assert key("HF_TOKEN") is key("AWS_SECRET_ACCESS_KEY") is None
"""
    lent = KEY + source.format(aws="'aquila-placeholder'")
    suite(lent, "--aquila-record=none").assert_outcomes(passed=1)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    suite(KEY + source.format(aws=None), "--aquila-record=none").assert_outcomes(passed=1)


def test_a_test_that_takes_the_key_away_goes_without(suite: Suite) -> None:
    source = """
def test_a(cassette, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert key() is None
def test_b(monkeypatch):
    with block("x"):
        monkeypatch.setenv("OPENAI_API_KEY", "mine")
def test_c():
    assert key() is None
"""
    suite(KEY + source, "--aquila-record=none").assert_outcomes(passed=3)
    assert "OPENAI_API_KEY" not in os.environ


def test_none_are_lent_while_tests_are_collected(suite: Suite) -> None:
    source = """
@pytest.mark.skipif(not key(), reason="no key")
def test_live(aquila_cassette): pass
def test_a(aquila_cassette): assert key()
"""
    suite(KEY + source, "--aquila-record=none").assert_outcomes(passed=1, skipped=1)


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_a_suite_may_ask_for_them_from_the_start(
    suite: Suite, pytester: pytest.Pytester, workers: list[str]
) -> None:
    with (pytester.path / "pyproject.toml").open("a") as settings:
        settings.write("\naquila_placeholder_keys = 'session'\n")
    pytester.makeconftest("import os\nAT_IMPORT = os.environ['OPENAI_API_KEY']\n")
    source = "AT_IMPORT = key()\ndef test_a(): assert AT_IMPORT == key() == 'aquila-placeholder'\n"
    suite(KEY + source, "--aquila-record=none", *workers).assert_outcomes(passed=1)
    assert "OPENAI_API_KEY" not in os.environ


def test_another_value_is_an_error(suite: Suite, pytester: pytest.Pytester) -> None:
    with (pytester.path / "pyproject.toml").open("a") as settings:
        settings.write("\naquila_placeholder_keys = 'always'\n")
    result = suite("def test_a(): pass\n")
    result.stderr.fnmatch_lines(
        [
            "ERROR: ini aquila_placeholder_keys has a value that it cannot take.",
            "  expected: true, session or false",
            "  got:      'always'",
            "Fix: aquila_placeholder_keys = true",
        ]
    )


def test_a_tape_recorded_with_a_key_replays_without_one(suite: Suite) -> None:
    source = """
import openai
def ask():
    with openai.OpenAI(base_url=URL, max_retries=0) as client:
        client.get(f"/of/{{client.api_key}}", cast_to=str)
def test_a(cassette, {fixtures}):
    {before}
    ask()
"""
    recording = source.format(
        fixtures="monkeypatch", before="monkeypatch.setenv('OPENAI_API_KEY', 'sk-mine-123456789')"
    )
    suite(KEY + recording).assert_outcomes(passed=1)
    replaying = source.format(fixtures="monkeypatch", before="")
    suite(KEY + replaying, "--aquila-record=none").assert_outcomes(passed=1)
