"""The page about stepping: its tests record, say so, and pass when they are run again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aquila_cassette.provider import Provider

PAGE = (Path(__file__).parents[2] / "docs" / "stepping.md").read_text("utf-8")


def test_the_tests_of_the_page_record_first_and_then_step_as_it_says(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AQUILA_CASSETTE_DIR")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-the-embedded-provider")
    sources = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (told,) = re.findall(r"```\n(UsageError: .*?)```", PAGE, re.DOTALL)
    pytester.makepyfile(test_page="\n\n".join(sources))
    options = ("-q", "-p", "no:cassetter", "-o", "asyncio_mode=auto")
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        recorded = pytester.runpytest_subprocess(*options)
    recorded.assert_outcomes(failed=3)
    recorded.stdout.fnmatch_lines([f"E*{line}" for line in told.strip().splitlines()])
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=3)
