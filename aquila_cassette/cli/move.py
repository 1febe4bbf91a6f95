"""``mv``: another name for a cassette, and for it in the code."""

from __future__ import annotations

import ast
import difflib
import os
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen, print_diff, print_error
from aquila_cassette.cli.rewrite import move, refuse_outside, refuse_overwriting
from aquila_cassette.cli.selection import owners_of
from aquila_cassette.cli.suite import root_of_the_suite
from aquila_cassette.errors import CassetteError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import cassette_path, display_path, name_of_test
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["renamed", "run"]

_OPENER = "aquila_cassette"
_SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "site-packages"})
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_STRING = re.compile(r"""[bBuU]?("{3}|'{3}|"|')""")


class _Edit(NamedTuple):
    path: Path
    old: str
    new: str
    encoding: str


def run(old: str, new: str, folder: Path, *, code: bool, dry_run: bool) -> int:
    """Move a cassette and, with `code`, change its name in the code; return the exit code."""
    source, target = find(old, folder), cassette_path(folder, new)
    refuse_outside(source, [folder])
    if os.path.lexists(target) and not (source.samefile(target) and source != target):
        raise refuse_overwriting(source, target)
    before, after = _stem(name_of(source, folder)), _stem(name_of(target, folder))
    screen = Screen()
    edits: list[_Edit] = []
    mentions: list[str] = []
    for path in _code_files(_code_folder(folder)):
        try:
            with tokenize.open(path) as file:
                encoding = file.encoding
            text = path.read_bytes().decode(encoding)
        except (SyntaxError, UnicodeDecodeError):
            continue
        if before not in text:
            continue
        edited = renamed(text, before, after) if code else text
        if edited != text:
            edits.append(_Edit(path, text, edited, encoding))
        mentions += [
            f"{escape_control_chars(display_path(path))}:{number}"
            for number, line in enumerate(edited.splitlines(), 1)
            if re.search(rf"""(?<=["'/]){re.escape(before)}(?:\.ya?ml)?(?=["'])""", line)
        ]
    for edit in edits:
        name = display_path(edit.path)
        lines = (edit.old.splitlines(), edit.new.splitlines())
        print_diff(difflib.unified_diff(*lines, name, name, n=1, lineterm=""), screen)
    if not dry_run:
        move(source, target)
        for edit in edits:
            data = edit.new.encode(edit.encoding)
            files.replace_file(edit.path.resolve(), data)
    would = "would be " if dry_run else ""
    names = (escape_control_chars(display_path(path)) for path in (source, target))
    screen.line(f"{next(names)} {would}moved to ", (next(names), "bold"))
    if mentions:
        print_error(f"The old name is still in {', '.join(mentions)}.")
    for test in _named_after(target if target.exists() else source, before):
        print_error(
            f"{escape_control_chars(test)} opens it by its own name (the fixture cassette): add "
            f'@pytest.mark.aquila_cassette("{escape_control_chars(after)}")'
        )
    return 0


def renamed(text: str, before: str, after: str) -> str:
    """Return Python code in which calls and markers of ours that name a cassette name another.

    Only a name that is written as one string literal is changed.

    Example:
        >>> renamed('with aquila_cassette("chat.hello"): ...', "chat.hello", "chat/greets")
        'with aquila_cassette("chat/greets"): ...'
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    lines = _LINE.findall(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in sorted(_names(tree), key=lambda one: (one.lineno, one.col_offset), reverse=True):
        value = str(node.value)
        if _stem(value) != before or node.end_lineno != node.lineno:
            continue
        line = lines[node.lineno - 1].encode()
        start = starts[node.lineno - 1] + len(line[: node.col_offset].decode())
        end = starts[node.lineno - 1] + len(line[: node.end_col_offset].decode())
        literal = text[start:end]
        quote = _STRING.match(literal)
        if quote is None or literal.count(quote[1]) != 2 or value not in literal:
            continue  # several literals in a row, or with escapes
        text = (
            text[:start] + literal.replace(value, after + value.removeprefix(before)) + text[end:]
        )
    return text


def _names(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the names that calls and markers of ours are given as constants."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else ""
        called = function.id if isinstance(function, ast.Name) else called
        named = [word.value for word in node.keywords if word.arg == "name"]
        for value in (*node.args[:1], *named) if called == _OPENER else ():
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def _stem(name: str) -> str:
    return name.removesuffix(".yaml").removesuffix(".yml")


def _named_after(path: Path, name: str) -> list[str]:
    """Return the tests that recorded a cassette and that it is named after."""
    try:
        tests = owners_of(importers.load(path).interactions)
    except CassetteError:  # a damaged cassette may be moved, too
        return []
    return [test for test in tests if name_of_test(test) == name]


def _code_folder(folder: Path) -> Path:
    """Return where the code is that names cassettes of a folder: here, or the suite's root above."""
    here, root = Path.cwd(), root_of_the_suite()
    whole = folder.absolute().resolve()
    is_below = whole.is_relative_to(here.resolve())
    return root if whole.is_relative_to(root.resolve()) and not is_below else here


def _code_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        is_ours = not any(part.startswith(".") or part in _SKIPPED for part in parts)
        inside = path.resolve().is_relative_to(folder.resolve())
        if is_ours and inside and path.is_file() and not _is_environment(path, folder):
            yield path


def _is_environment(path: Path, folder: Path) -> bool:
    return any((one / "pyvenv.cfg").exists() for one in path.parents if one.is_relative_to(folder))
