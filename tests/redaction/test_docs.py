from __future__ import annotations

import doctest
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "secrets.md"


def test_every_example_of_the_documentation_runs():
    results = doctest.testfile(str(DOCS), module_relative=False)
    assert (results.failed, results.attempted > 8) == (0, True)
