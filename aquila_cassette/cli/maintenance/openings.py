"""Where code opens cassettes: calls of `aquila_cassette`, its markers, what cannot be followed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.maintenance.scopes import parameters, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.project import Project, Source

__all__ = ["WORD", "Opening", "openings"]

WORD = "aquila_cassette"
"""The name of the function, the fixture and the marker."""

_PACKAGE = Path(__file__).parents[1]


class Opening(NamedTuple):
    """A place in code that opens a cassette.

    Args:
        source: The file.
        line: The line.
        name: The expression that names the cassette; None where the function itself is handed on,
            so that it cannot be told who calls it with what.
        call: The whole call; None likewise.
    """

    source: Source
    line: int
    name: ast.expr | None
    call: ast.Call | None = None


def openings(project: Project) -> Iterator[Opening]:
    """Find all places in the code of a project that open a cassette by a name.

    The code of this package is none of a project's, though its source may lie in it.

    Args:
        project: The project.
    """
    for source in project.sources(WORD):
        if not source.path.absolute().is_relative_to(_PACKAGE):
            yield from _openings_in(source)


def _openings_in(source: Source) -> Iterator[Opening]:
    names = {WORD, *_aliases(source)}
    for node in source.nodes:
        if isinstance(node, ast.Call) and _means_it(node.func, names):
            if name := _name_given(node):
                yield Opening(source, node.lineno, name, node)
            elif not _is_mark(node.func) or any(isinstance(one, ast.Starred) for one in node.args):
                yield Opening(source, node.lineno, None)
        elif isinstance(node, ast.Call) and _asks_for_the_fixture(node):
            yield Opening(source, node.lineno, None)
        elif _means_it(node, names) and _is_handed_on(node, source):
            yield Opening(source, node.lineno, None)  # type: ignore[attr-defined]


def _aliases(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(WORD):
            yield from (one.asname for one in node.names if one.name == WORD and one.asname)


def _means_it(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Attribute) and node.attr == WORD and isinstance(node.ctx, ast.Load)


def _name_given(call: ast.Call) -> ast.expr | None:
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg == "name"), None)


def _is_mark(node: ast.AST) -> bool:
    """Tell whether `node` is ``pytest.mark.aquila_cassette``, or the same of ``mark``."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value
    return getattr(owner, "attr", getattr(owner, "id", "")) == "mark"


def _asks_for_the_fixture(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "getfixturevalue"
        and any(isinstance(one, ast.Constant) and one.value == WORD for one in call.args)
    )


def _is_handed_on(node: ast.AST, source: Source) -> bool:
    """Tell whether the function is used in another way than by calling it there."""
    parent = source.parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return False
    if isinstance(parent, ast.Attribute):  # it is the package: aquila_cassette.MissError
        return False
    return not _is_mark(node) and not _is_the_package(node, source)


def _is_the_package(node: ast.AST, source: Source) -> bool:
    """Tell whether a name is what ``import aquila_cassette`` binds, and no fixture."""
    if not isinstance(node, ast.Name):
        return False
    imported = any(
        isinstance(one, ast.Import)
        and any(name.name.partition(".")[0] == WORD for name in one.names)
        for one in source.nodes
    )
    return imported and not any(node.id in parameters(scope) for scope in scopes(node, source))
