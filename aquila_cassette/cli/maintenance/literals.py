"""Texts written out in code: what they say, where they stand, and whether they can be replaced."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.project import Source

__all__ = ["bound_once", "is_replaceable", "span", "text_of"]

_Binding: TypeAlias = "ast.Assign | ast.AnnAssign"


def text_of(node: ast.AST | None) -> str | None:
    """Give the text that an expression writes out, in one part or several; None of any other.

    Args:
        node: The expression.

    Example:
        >>> text_of(ast.parse("'chat' '.' + f'hello'", mode="eval").body)
        'chat.hello'
    """
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            texts = [text_of(part) for part in parts]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = [text_of(left), text_of(right)]
        case _:
            return None
    known = [text for text in texts if text is not None]
    return "".join(known) if len(known) == len(texts) else None


def span(node: ast.expr, source: Source) -> tuple[int, int]:
    """Give where an expression starts and ends in its file, in characters; ast counts bytes.

    Args:
        node: The expression.
        source: The file.
    """
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = _offset(source, node.lineno, node.col_offset)
    return start, _offset(source, node.end_lineno, node.end_col_offset)


def is_replaceable(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression is nothing but a text written out, with no comment inside.

    Args:
        node: The expression.
        source: The file.
    """
    start, end = span(node, source)
    code = f"({source.text[start:end]})"
    try:
        whole = ast.parse(code, mode="eval").body
        kinds = {token.type for token in tokenize.generate_tokens(io.StringIO(code).readline)}
    except (SyntaxError, ValueError, tokenize.TokenError):
        return False
    text = text_of(node)
    return text is not None and text_of(whole) == text and tokenize.COMMENT not in kinds


def bound_once(name: ast.Name, source: Source) -> tuple[ast.expr, list[ast.Name]] | None:
    """Give what a name is bound to, and where else it stands, if it is bound once in its file.

    Args:
        name: Where it is read.
        source: The file.

    Returns:
        The value and all places where it is read; None where the name stands for anything else as
        well, or may.
    """
    named = [node for node in source.nodes if isinstance(node, ast.Name) and node.id == name.id]
    stored = [node for node in named if not isinstance(node.ctx, ast.Load)]
    if len(stored) != 1 or len(named) != sum(1 for _ in _words(name.id, source)):
        return None
    match source.parents.get(stored[0]):
        case ast.Assign(targets=[_], value=value) | ast.AnnAssign(value=ast.expr() as value):
            return value, [node for node in named if node is not stored[0]]
    return None


def _words(name: str, source: Source) -> Iterator[str]:
    """Give each place where a name stands in code, whatever it means there."""
    lines = iter(source.lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type == tokenize.NAME and token.string == name:
                yield token.string
    except (SyntaxError, tokenize.TokenError):
        yield from re.findall(rf"\b{re.escape(name)}\b", source.text)


def _offset(source: Source, line: int, column: int) -> int:
    before = sum(map(len, source.lines[: line - 1]))
    return before + len(source.lines[line - 1].encode()[:column].decode())
