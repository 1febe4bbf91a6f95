"""The examples of the page on waiting run as they stand, while recording and on replay."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.provider import Provider

DOCS = Path(__file__).parents[2] / "docs"


def test_the_examples_of_the_page_on_waiting_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (DOCS / "waiting.md").read_text("utf-8")
    scope: dict[str, Any] = {"__name__": "docs"}
    for source in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(source, str(tmp_path / "docs.py"), "exec"), scope)
    with Provider(gap=0.001) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
        for mode in ("once", "none"):
            opened = partial(aquila_cassette, mode=mode, cassette_dir=tmp_path)
            asyncio.run(scope["test_the_answer_appears"](opened))
            scope["test_a_thread"](opened)
