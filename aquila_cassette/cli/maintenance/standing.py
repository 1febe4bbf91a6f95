"""Whether a test is still there: by what was collected, and in doubt by its file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.census import TEARDOWN
from aquila_cassette.cli.maintenance.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.cli.maintenance.census import Census, Standing
    from aquila_cassette.cli.maintenance.project import Project, Source

__all__ = ["standing"]

_BLOCKS = ("body", "orelse", "finalbody", "handlers")


def standing(test: str, near: Path, census: Census, project: Project | None) -> Standing:
    """Tell whether a test that once recorded is still there.

    Where its function is, and was collected with other parameters or not at all, it may be there
    in another environment (``MODELS if KEY else []``), unless its parameters are listed in marks.

    Args:
        test: What ``recorded_by`` says.
        near: The cassette.
        census: What was collected.
        project: The code; None where it is not looked at.
    """
    found = census.standing(test, near)
    if found != "gone" or project is None:
        return found
    whole = test.removesuffix(TEARDOWN)
    base, parametrized, _ = whole.partition("[")
    file, _, inside = base.partition("::")
    source = project.source(census.root / file)
    function = _defined(source.tree, inside.split("::")) if source.tree else None
    if function is None:
        return "gone"
    now = [one for one in census.tests if one == base or one.startswith(f"{base}[")]
    if not now:
        return "unknown"
    if not parametrized or base in now:
        return "gone"
    listed = _is_listed(function, source, project) and census.marked.issuperset(now)
    return "gone" if listed else "unknown"


def _is_listed(
    function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source, project: Project
) -> bool:
    """Tell whether the parameters of a test stand in its marks, all of them, and no call does."""
    reach = Reach(project)
    lists = list(reach.parameters(function, source))
    return bool(lists) and all(reach.is_listed(values, source) for values in lists)


def _defined(scope: ast.AST, names: Sequence[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Find a function by its name and those of the classes around it, whatever it depends on."""
    for node in _within(scope):
        if getattr(node, "name", None) != names[0]:
            continue
        if len(names) == 1 and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node
        if len(names) > 1 and isinstance(node, ast.ClassDef):
            return _defined(node, names[1:])
    return None


def _within(scope: ast.AST) -> Sequence[ast.AST]:
    """Give what a module or class defines, in the branches of its conditions too."""
    found: list[ast.AST] = []
    for block in _BLOCKS:
        for node in getattr(scope, block, []):
            found.append(node)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found += _within(node)
    return found
