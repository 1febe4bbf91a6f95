"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from aquila_cassette import dialects

MODULES = [
    "aquila_cassette.sse",
    "aquila_cassette.dialects",
    *(f"aquila_cassette.dialects.{each.name}" for each in pkgutil.iter_modules(dialects.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
