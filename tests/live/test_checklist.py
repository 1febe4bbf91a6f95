"""Every promise of the document that this project was created from has a test that names it."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def rows_of(source: str) -> set[int]:
    """List the rows that the tests of a file name."""
    return {
        argument.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", None) == "seed_row"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


def test_each_row_of_the_checklist_has_a_test_that_names_it() -> None:
    sources = [path.read_text("utf-8") for path in TESTS.rglob("test_*.py")]
    named = set[int]().union(*(rows_of(source) for source in sources if "@seed_row" in source))
    assert named == set(range(1, 35))
