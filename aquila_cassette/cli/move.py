"""`mv`: rename a cassette, and its name in the code with `--code`."""

from __future__ import annotations

import difflib
import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen, print_diff, print_error
from aquila_cassette.cli.shared_options import Folder, app, complete_names
from aquila_cassette.errors import UsageError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import cassette_path, display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_OURS = frozenset(
    {"node_modules", "__pycache__", "build", "dist", "site-packages", "env", "venv"}
)
_Old = typer.Argument(metavar="OLD", help="A cassette.", autocompletion=complete_names)
_New = typer.Argument(metavar="NEW", help="Its new name.", autocompletion=complete_names)


@app.command("mv")
def run(
    old: Annotated[str, _Old],
    new: Annotated[str, _New],
    folder: Folder = FOLDER,
    code: Annotated[
        bool, typer.Option("--code", help="Change the name in the project's code, too.")
    ] = False,
) -> int:
    """Rename a cassette. Nothing at the new name is overwritten.

    With --code the name changes in calls of aquila_cassette("...") and in markers, in all Python
    files below this folder. Where else the old name occurs is listed.

    \b
    Example:
      aquila-cassette mv chat.hello chat/greets --code
    """
    source, target = find(old, folder), cassette_path(folder, new)
    _refuse_overwriting(source, target)
    before, after = (name_of(path, folder).removesuffix(".yml") for path in (source, target))
    screen = Screen()
    edits: list[tuple[Path, bytes]] = []
    mentions: list[str] = []
    for path in _code_files(Path.cwd()):
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        if before not in text:
            continue
        name = display_path(path)
        edited = renamed(text, before, after) if code else text
        if edited != text:
            edits.append((path, edited.encode()))
            lines = (text.splitlines(), edited.splitlines())
            print_diff(difflib.unified_diff(*lines, name, name, n=1, lineterm=""), screen)
        mentions += [
            f"{escape_control_chars(name)}:{number}"
            for number, line in enumerate(edited.splitlines(), 1)
            if re.search(rf"""(?<=["'/]){re.escape(before)}(?:\.ya?ml)?(?=["'])""", line)
        ]
    for path, data in edits:  # before the cassette: if that is killed, it can be run again
        with files.changing(path) as file:
            files.replace_file(file, data)
    with ExitStack() as locks:
        for path in sorted({source.resolve(), target.resolve()}):
            locks.enter_context(files.changing(path))
        _refuse_overwriting(source, target)
        source.rename(target)
    was, now = (escape_control_chars(display_path(path)) for path in (source, target))
    screen.line(f"{was} moved to ", (now, "bold"))
    if mentions:
        print_error(f"The old name is still in {', '.join(mentions)}.")
    return 0


def _refuse_overwriting(old: Path, new: Path) -> None:
    """Raise if there is a file at the new place; the old one itself if only letter case changes."""
    is_itself = old != new and new.exists() and old.samefile(new)
    if os.path.lexists(new) and not is_itself:
        raise UsageError(
            f"There is a file at {display_path(new)} already; it is not overwritten.",
            facts=[f"to move: {display_path(old)}"],
            fix="Fix: choose another name, or move that one away first",
        )


def renamed(text: str, before: str, after: str) -> str:
    """Return Python code in which calls and markers of ours that name a cassette name another.

    Only a name that is written as one string literal is changed.
    """
    call = r"""(\baquila_cassette\(\s*(?:name\s*=\s*)?(["']))"""
    rest = r"""(?=(?:\.ya?ml)?\2\s*[,)])"""
    return re.sub(call + re.escape(before) + rest, lambda found: found[1] + after, text)


def _code_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        is_ours = not any(part.startswith(".") or part in _NOT_OURS for part in parts)
        if is_ours and path.is_file() and path.resolve().is_relative_to(folder):
            yield path
