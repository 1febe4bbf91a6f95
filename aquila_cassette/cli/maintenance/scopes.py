"""The functions that a piece of code stands in, and what they are called with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.project import Source

__all__ = ["FUNCTIONS", "Scope", "parameters", "scopes"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
"""The kinds of function there are."""

Scope: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module | ast.ClassDef"
"""What binds names."""


def scopes(node: ast.AST, source: Source) -> Iterator[Scope]:
    """Give the functions around `node`, the innermost first, then the module.

    Args:
        node: Any part of the code.
        source: The file it stands in.
    """
    at: ast.AST | None = node
    while at is not None:
        at = source.parents.get(at)
        if isinstance(at, (*FUNCTIONS, ast.Module)):
            yield at


def parameters(scope: Scope) -> list[str]:
    """Give the names of a function's parameters in their order; none of a module's or a class's.

    Args:
        scope: A function, or what else binds names.
    """
    if not isinstance(scope, FUNCTIONS):
        return []
    given = scope.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
