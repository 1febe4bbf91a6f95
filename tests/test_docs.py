"""The documentation is executed: docstrings, the README's first test and its miss."""

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest

import aquila_cassette
from aquila_cassette.provider import Provider

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(aquila_cassette.__path__, "aquila_cassette.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


@pytest.fixture
def embedded_provider_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "AQUILA_RECORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-the-embedded-provider")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("embedded_provider_settings")
def test_the_readmes_first_test_records_replays_and_misses_as_it_says(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = re.findall(r"```python\n(from openai.*?)```", README, re.DOTALL)
    (miss,) = re.findall(r"```\n(MissError: .*?)```", README, re.DOTALL)
    pytester.makepyfile(test_chat=source)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cassetter")
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        for _ in range(2):
            pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
            assert len(provider.requests) == 1
        assert (pytester.path / "cassettes" / "chat.says_hello.yaml").is_file()

        pytester.makepyfile(test_chat=source.replace("Say hello", "Say hi"))
        result = pytester.runpytest_subprocess("-q")
        result.assert_outcomes(failed=1)
        expected = re.sub(r"recorded \d{4}-\d\d-\d\d", "recorded ????-??-??", miss)
        expected = expected.replace("https://api.openai.com", provider.url)
        lines = [f"E*{line}" for line in expected.strip().splitlines()]
        result.stdout.fnmatch_lines(lines)

        (command,) = re.findall(r"^Fix: pytest (.*)$", miss, re.MULTILINE)
        for arguments in (shlex.split(command), ["--aquila-record=none"]):
            result = pytester.runpytest_subprocess(*arguments)
            result.assert_outcomes(passed=1)


def test_every_link_of_the_documentation_has_a_target() -> None:
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
