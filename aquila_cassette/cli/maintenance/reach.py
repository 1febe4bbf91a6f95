"""What a name made in code can come to: a pattern, as narrow as can be told without running it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.maintenance.scopes import FUNCTIONS, Scope, parameters, scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila_cassette.cli.maintenance.project import Project, Source

__all__ = ["ANYTHING", "Reach"]

ANYTHING = ".*"
"""The pattern of what cannot be told."""

_DEPTH = 8
_FIELD = re.compile(r"%(?:\([^)]*\))?[-#0 +]*[0-9*]*(?:\.[0-9*]+)?[a-zA-Z%]|\{[^{}]*\}")
_WRITTEN_OUT = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp),
    *(ast.unaryop, ast.keyword, ast.Load),
)
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")


class _Bound(NamedTuple):
    """What a target of an assignment or a loop is bound to: a value, or each item of one."""

    value: ast.expr
    each: bool
    place: int | None


class Reach:
    """Follows names through a project's code.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def pattern(self, node: ast.expr, source: Source) -> str:
        """Give a regular expression that every value of an expression matches.

        Args:
            node: The expression.
            source: The file it stands in.
        """
        return self._of(node, source, 0)

    def parameters(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source
    ) -> Iterator[ast.expr]:
        """Give the lists of values that marks give a test.

        Args:
            function: The test.
            source: The file it stands in.
        """
        yield from (call.args[1] for call in _parametrizing(function, source))

    def is_listed(self, values: ast.expr, source: Source) -> bool:
        """Tell whether a list of values is written out, so that it is the same in each run.

        Args:
            values: The expression.
            source: The file it stands in.
        """
        items = self._items(values, source, 0)
        if items is None:
            return False
        return all(
            isinstance(node, _WRITTEN_OUT) or _is_param(node)
            for item in items
            for node in _nodes(item)
        )

    def _of(self, node: ast.expr | None, source: Source, depth: int) -> str:
        if node is None or depth > _DEPTH:
            return ANYTHING
        deeper = depth + 1
        match node:
            case ast.Constant(value=str() | int() | float() as value):
                return re.escape(str(value))
            case ast.JoinedStr(values=parts):
                return _joined(self._of(part, source, depth) for part in parts)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self._of(value, source, deeper)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self._of(left, source, deeper), self._of(right, source, deeper)])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return f"{self._of(left, source, deeper)}/{self._of(right, source, deeper)}"
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
                return _filled(text)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                return _filled(text)
            case ast.Call(func=ast.Name(id="str"), args=[value]):
                return self._of(value, source, deeper)
            case ast.IfExp(body=one, orelse=other):
                return self._any_of([one, other], source, deeper)
            case ast.BoolOp(values=values):
                return self._any_of(values, source, deeper)
            case ast.NamedExpr(value=value):
                return self._of(value, source, deeper)
            case ast.Name(id=name):
                return self._of_name(name, node, source, deeper)
            case ast.Attribute(attr=name) if _CONSTANT.fullmatch(name):
                return self._of_constant(name, deeper)
        return ANYTHING

    def _any_of(self, nodes: Iterable[ast.expr], source: Source, depth: int) -> str:
        return _either(self._of(node, source, depth) for node in nodes)

    def _of_name(self, name: str, node: ast.AST, source: Source, depth: int) -> str:
        for scope in scopes(node, source):
            if isinstance(scope, FUNCTIONS) and name in parameters(scope):
                return self._of_parameter(name, scope, source, depth)
            if bound := list(_bound(name, scope)):
                return _either(self._of_bound(one, source, depth) for one in bound)
        if _is_imported(name, source):
            return self._of_constant(name, depth)
        return ANYTHING

    def _of_bound(self, bound: _Bound | None, source: Source, depth: int) -> str:
        if bound is None:
            return ANYTHING
        if not bound.each:
            return self._of(bound.value, source, depth)
        return self._of_items(bound.value, bound.place, source, depth)

    def _of_items(self, values: ast.expr, place: int | None, source: Source, depth: int) -> str:
        """Give what the items of a list come to, or what stands at a place in each of them."""
        items = self._items(values, source, depth)
        if not items:
            return ANYTHING
        return _either(self._of(_at(item, place), source, depth) for item in items)

    def _items(self, values: ast.expr, source: Source, depth: int) -> list[ast.expr] | None:
        if depth > _DEPTH:
            return None
        if isinstance(values, ast.List | ast.Tuple | ast.Set):
            return values.elts
        if isinstance(values, ast.Dict):
            return [key for key in values.keys if key is not None]
        if isinstance(values, ast.Name):
            for scope in scopes(values, source):
                bound = list(_bound(values.id, scope))
                if len(bound) == 1 and bound[0] is not None and not bound[0].each:
                    return self._items(bound[0].value, source, depth + 1)
        return None

    def _of_parameter(self, name: str, scope: Scope, source: Source, depth: int) -> str:
        if isinstance(scope, ast.Lambda | ast.Module | ast.ClassDef):
            return ANYTHING
        given = [
            self._of_items(values, place, source, depth)
            for values, place in _parametrized(name, scope, source)
        ]
        if given:
            return _either(given)
        if scope.name.startswith("test") or _is_fixture(scope):
            return ANYTHING
        return _either(self._of_calls(name, scope, source, depth))

    def _of_calls(
        self,
        name: str,
        function: ast.FunctionDef | ast.AsyncFunctionDef,
        home: Source,
        depth: int,
    ) -> Iterator[str]:
        """Give what each call of `function` hands to its parameter; anything where that is open."""
        names = parameters(function)
        place = names.index(name) - (names[0] in ("self", "cls"))
        default = _default(name, function)
        for source, node in self._references(function, home):
            call = source.parents.get(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                yield ANYTHING  # handed on: who calls it cannot be told
                continue
            yield self._of(_argument(call, name, place, default), source, depth)

    def _references(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, home: Source
    ) -> Iterator[tuple[Source, ast.AST]]:
        """Give where the name of a function is read: within the one around it, or anywhere."""
        around = next(scopes(function, home), None)
        if isinstance(around, FUNCTIONS):
            for node in ast.walk(around):
                if isinstance(node, ast.Name) and _refers(node, function.name):
                    yield home, node
            return
        for source in self._project.sources(function.name):
            yield from ((source, node) for node in source.nodes if _refers(node, function.name))

    def _of_constant(self, name: str, depth: int) -> str:
        """Give what a name in capitals is bound to, anywhere in the project."""
        if not _CONSTANT.fullmatch(name):
            return ANYTHING
        return _either(
            self._of_bound(bound, source, depth)
            for source in self._project.sources(name)
            for node in source.nodes
            if isinstance(node, ast.Module | ast.ClassDef)
            for bound in _bound(name, node)
        )


def _joined(patterns: Iterable[str]) -> str:
    """Put patterns behind one another; twice anything is anything."""
    parts: list[str] = []
    for pattern in patterns:
        if pattern != ANYTHING or parts[-1:] != [ANYTHING]:
            parts.append(pattern)
    return "".join(parts)


def _either(patterns: Iterable[str]) -> str:
    """Join patterns; none at all is not known."""
    distinct = list(dict.fromkeys(patterns))
    if not distinct or ANYTHING in distinct:
        return ANYTHING
    return distinct[0] if len(distinct) == 1 else f"(?:{'|'.join(distinct)})"


def _filled(template: str) -> str:
    """Give the pattern of a template whose fields are filled in."""
    parts = [re.escape(part) for part in _FIELD.split(template)]
    return _joined(one for part in parts for one in (ANYTHING, part) if one)[len(ANYTHING) :]


def _at(item: ast.expr, place: int | None) -> ast.expr | None:
    if isinstance(item, ast.Call):
        if not _is_param(item) or any(isinstance(one, ast.Starred) for one in item.args):
            return None
        index = place or 0
        return item.args[index] if index < len(item.args) else None
    if isinstance(item, ast.Starred):
        return None
    if place is None:
        return item
    if isinstance(item, ast.Tuple | ast.List) and place < len(item.elts):
        return item.elts[place]
    return None


def _bound(name: str, scope: Scope) -> Iterator[_Bound | None]:
    """Give what `name` is bound to in a scope itself; None for what cannot be followed."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        inner = isinstance(node, (*FUNCTIONS, ast.ClassDef))
        if inner:
            if getattr(node, "name", None) == name:
                yield None
            continue
        waiting += ast.iter_child_nodes(node)
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _targets(name, target, value, each=False)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _targets(name, target, value, each=False)
            case ast.NamedExpr(target=target, value=value):
                yield from _targets(name, target, value, each=False)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                yield from _targets(name, node.target, node.iter, each=True)
            case ast.AugAssign(target=ast.Name(id=bound)) if bound == name:
                yield None
            case ast.withitem(optional_vars=ast.Name(id=bound)) if bound == name:
                yield None
            case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                yield None


def _targets(
    name: str, target: ast.expr, value: ast.expr, *, each: bool
) -> Iterator[_Bound | None]:
    match target:
        case ast.Name(id=bound) if bound == name:
            yield _Bound(value, each, None)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for place, part in enumerate(parts):
                if isinstance(part, ast.Name) and part.id == name:
                    if each:
                        yield _Bound(value, each, place)
                    else:
                        one = _at(value, place)
                        yield None if one is None else _Bound(one, each, None)


def _parametrized(
    name: str, function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source
) -> Iterator[tuple[ast.expr, int | None]]:
    """Give the lists of values that marks of a test, its class or its module give a parameter."""
    for call in _parametrizing(function, source):
        match call.args[0]:
            case ast.Constant(value=str(text)):
                names = [one.strip() for one in text.split(",") if one.strip()]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                names = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            case _:
                continue
        if name in names:
            yield call.args[1], None if len(names) == 1 else names.index(name)


def _parametrizing(
    function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source
) -> Iterator[ast.Call]:
    for call in _marks(function, source):
        if getattr(call.func, "attr", "") == "parametrize" and len(call.args) > 1:
            yield call


def _is_param(node: ast.AST) -> bool:
    """Tell whether `node` is a call of ``pytest.param``."""
    return isinstance(node, ast.Call) and (
        getattr(node.func, "attr", getattr(node.func, "id", "")) == "param"
    )


def _nodes(item: ast.AST) -> Iterator[ast.AST]:
    """Give all parts of a value, but for the name of ``pytest.param`` and its marks."""
    yield item
    for inner in ast.iter_child_nodes(item):
        of_param = isinstance(item, ast.Call) and inner is item.func
        marks = isinstance(inner, ast.keyword) and inner.arg == "marks"
        if not of_param and not marks:
            yield from _nodes(inner)


def _marks(function: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> Iterator[ast.Call]:
    at: ast.AST | None = function
    while at is not None:
        if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (one for one in at.decorator_list if isinstance(one, ast.Call))
        if isinstance(at, ast.ClassDef | ast.Module):
            for bound in _bound("pytestmark", at):
                value = bound.value if bound is not None else None
                marks = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
                yield from (one for one in marks if isinstance(one, ast.Call))
        at = source.parents.get(at)


def _is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    for one in function.decorator_list:
        made = one.func if isinstance(one, ast.Call) else one
        if getattr(made, "attr", getattr(made, "id", "")) == "fixture":
            return True
    return False


def _is_imported(name: str, source: Source) -> bool:
    return any(
        (one.asname or one.name) == name and one.name == name
        for node in source.nodes
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    )


def _refers(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Attribute) and node.attr == name


def _default(name: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    given = function.args
    listed = [*given.posonlyargs, *given.args]
    late = dict(zip([one.arg for one in reversed(listed)], reversed(given.defaults), strict=False))
    only = {one.arg: value for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    return late.get(name) or only.get(name)


def _argument(call: ast.Call, name: str, place: int, default: ast.expr | None) -> ast.expr | None:
    """Give what a call hands to a parameter; None where that cannot be told."""
    for one in call.keywords:
        if one.arg == name:
            return one.value
    if any(isinstance(one, ast.Starred) for one in call.args) or any(
        one.arg is None for one in call.keywords
    ):
        return None
    return call.args[place] if 0 <= place < len(call.args) else default
