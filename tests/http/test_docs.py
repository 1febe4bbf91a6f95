"""The pages about libraries and stepping: their programs and tests run as they say."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.provider import Provider

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("library", ["requests", "asyncio"])
def test_the_documented_programs_record_and_replay(library: str) -> None:
    page = (DOCS / "libraries.md").read_text("utf-8")
    (source,) = re.findall(rf"```python\n(import {library}.*?)```", page, re.DOTALL)
    program: dict[str, Any] = {}
    exec(source, program)
    run = asyncio.run if library == "asyncio" else list
    with Provider() as provider:
        url = f"{provider.url}/v1/chat/completions"
        live = run(program["main"](url))
    assert run(program["main"](url)) == live
    assert live[-1].rstrip() == b"data: [DONE]"


def test_the_tests_of_the_page_step_as_it_says_when_they_record_and_when_they_replay(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "stepping.md").read_text("utf-8")
    monkeypatch.delenv("AQUILA_CASSETTE_DIR")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-the-embedded-provider")
    sources = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    pytester.makepyfile(test_page="\n\n".join(sources))
    options = ("-q", "-p", "no:cassetter", "-o", "asyncio_mode=auto")
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        pytester.runpytest_subprocess(*options).assert_outcomes(passed=3)
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=3)
