"""Declare the commands `check`, `scrub`, `unused`, `mv`, `convert` with their options."""

# ruff: noqa: D301 - the character \b marks a paragraph of help that is not to be wrapped

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette.cli.pytest_config import FOLDER
from aquila_cassette.cli.shared_options import (
    Allow,
    Folder,
    Format,
    KeepHeaders,
    Names,
    Redact,
    TargetFormat,
    complete_names,
)

if TYPE_CHECKING:
    from aquila_cassette.redaction import Redaction


_DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show it, and change nothing.")]
_Cassette = typer.Argument(metavar="OLD", help="A cassette.", autocompletion=complete_names)
_NewName = typer.Argument(metavar="NEW", help="Its new name.", autocompletion=complete_names)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for name, command in (
        ("check", _check),
        ("scrub", _scrub),
        ("unused", _unused),
        ("mv", _mv),
        ("convert", _convert),
    ):
        app.command(name)(command)


def _rules(redact: list[str] | None, keep: list[str] | None, allow: list[str] | None) -> Redaction:
    from aquila_cassette.redaction import Redaction

    return Redaction(redact or (), (), keep or (), allow or ())


def _check(
    places: Names = None,
    folder: Folder = FOLDER,
    max_age: Annotated[
        str | None, typer.Option(metavar="AGE", help="Find what is older: 36h, 30d, 12w, 1y.")
    ] = None,
    how: Annotated[Format, typer.Option("--format", help="How to write findings.")] = Format.text,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="KIND", help="A kind to pass over; may be repeated."),
    ] = None,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> None:
    """Find what is wrong with cassettes: one line a finding, and what to do about it.

    \b
      unreadable   the file is damaged, or no cassette
      secret       it holds what is redacted when it is saved today
      unused       no test of the last complete run used it
      old          recorded longer ago than --max-age
      name         Windows cannot hold the name, or it is one with another's
      leftover     a temporary file of a save that was killed
      format       it would be written otherwise today

    A redact= of the tests is not known here: pass it as --redact, --keep-header and --allow.

    Exit codes: 0, nothing was found; 1, something was; 2, an argument is wrong.

    \b
    Example:
      aquila-cassette check --max-age 12w --ignore format
    """
    from aquila_cassette.cli import check

    code = check.run(
        places or [],
        folder,
        redact=_rules(redact, keep, allow),
        max_age=max_age,
        ignore=ignore or (),
        how=how.value,
    )
    raise typer.Exit(code)


def _scrub(
    places: Names = None,
    folder: Folder = FOLDER,
    dry_run: _DryRun = False,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> None:
    """Redact in place what saving would redact today, and list it.

    A secret that was committed stays in the history: revoke it. A redact= of the tests is not
    known here: pass it as --redact, --keep-header and --allow.

    Exit codes: 0, it is done; 1, --dry-run found something; 2, a file or an argument is wrong.

    \b
    Example:
      aquila-cassette scrub chat_live.responds --dry-run
    """
    from aquila_cassette.cli import scrub

    rules = _rules(redact, keep, allow)
    raise typer.Exit(scrub.run(places or [], folder, redact=rules, dry_run=dry_run))


def _unused(
    context: typer.Context,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is unused.")] = False,
) -> None:
    """Run all tests and list what no test used. What follows -- is passed to pytest.

    Exit codes: 0, nothing is unused, or it is deleted; 1, something is; 2, the run was not complete.

    \b
    Example:
      aquila-cassette unused --delete -- -n 4
    """
    from aquila_cassette.cli import unused

    raise typer.Exit(unused.run(context.obj or (), delete=delete))


def _mv(
    old: Annotated[str, _Cassette],
    new: Annotated[str, _NewName],
    folder: Folder = FOLDER,
    code: Annotated[
        bool, typer.Option("--code", help="Change the name in the project's code, too.")
    ] = False,
    dry_run: _DryRun = False,
) -> None:
    """Rename a cassette. Nothing at the new name is overwritten.

    With --code the name changes in calls of aquila_cassette("...") and in markers, in all Python
    files below this folder. Where else the old name occurs is listed.

    \b
    Example:
      aquila-cassette mv chat.hello chat/greets --code
    """
    from aquila_cassette.cli import move

    raise typer.Exit(move.run(old, new, folder, code=code, dry_run=dry_run))


def _convert(
    places: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Cassettes, files or folders."),
    ],
    folder: Folder = FOLDER,
    to: Annotated[
        TargetFormat, typer.Option("--to", help="The format to write.")
    ] = TargetFormat.v1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write there, not next to each file."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Replace files whose name stays the same.")
    ] = False,
    dry_run: _DryRun = False,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> None:
    """Convert cassettes of other recorders to ours, or ours to vcrpy's format.

    It reads files of vcrpy, cassetter, betamax, HAR, and our own. Each file stays; one whose name
    stays the same is replaced only with --in-place. What saving would redact is redacted, and listed.

    Exit codes: 0, it is done; 1, something is in the way of some; 2, a file or an argument is wrong.

    \b
    Example:
      aquila-cassette convert tests/cassettes -o cassettes --dry-run
    """
    from aquila_cassette.cli import convert

    code = convert.run(
        places,
        folder,
        to=to.value,
        output=output,
        in_place=in_place,
        dry_run=dry_run,
        redact=_rules(redact, keep, allow),
    )
    raise typer.Exit(code)
