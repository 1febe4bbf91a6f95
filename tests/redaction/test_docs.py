"""The pages on secrets and on matching are executed."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest


@pytest.mark.parametrize(("page", "examples"), [("secrets.md", 8), ("matching.md", 12)])
def test_every_example_of_the_page_runs(page: str, examples: int) -> None:
    path = Path(__file__).parents[2] / "docs" / page
    results = doctest.testfile(str(path), module_relative=False)
    assert (results.failed, results.attempted > examples) == (0, True)
