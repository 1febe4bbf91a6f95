"""Declare every command with its options, defaults and help."""

# ruff: noqa: D301 - the character \b marks a paragraph of help that is not to be wrapped

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette.cli.shared_options import (
    Allow,
    Folder,
    Format,
    KeepHeaders,
    Names,
    Place,
    Redact,
    TargetFormat,
    complete_names,
)
from aquila_cassette.suite import FOLDER, folder_of_the_suite

if TYPE_CHECKING:
    from aquila_cassette.redaction import Redaction

__all__ = ["main"]

# Plain help: it reads the same on a terminal and in a pipe, and rich is not loaded for it.
app = typer.Typer(
    name="aquila-cassette",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has its own help: aquila-cassette show --help",
)

_DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show it, and change nothing.")]
_Cassette = typer.Argument(metavar="OLD", help="A cassette.", autocompletion=complete_names)
_NewName = typer.Argument(metavar="NEW", help="Its new name.", autocompletion=complete_names)
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"aquila-cassette {version('aquila-cassette')}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Show cassettes, keep them in order, and record them again.

    Exit codes: 0, all is well; 1, something differs or was found, or was left as it was; 2, a file
    or an argument is wrong; 130, Ctrl-C.
    """
    folder = folder_of_the_suite()
    context.default_map = {str(one.name): {"folder": folder} for one in app.registered_commands}


@app.command("demo")
def _demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Record into this folder, not into a temporary one."),
    ] = None,
    gap: Annotated[
        float,
        typer.Option(min=0.0, metavar="SECONDS", help="The pause between two tokens, on average."),
    ] = 0.03,
) -> None:
    """Record three live streams, and replay them with the provider gone.

    A small provider runs on this machine; no API key is needed. Plain httpx reads each stream, and
    so does the provider's SDK, if it is installed (pip install 'aquila-cassette[demo]').

    \b
    Example:
      aquila-cassette demo --keep cassettes
    """
    from aquila_cassette.cli import demo

    raise typer.Exit(demo.run(keep, gap))


@app.command("list")
def _list(
    place: Place = None,
    folder: Folder = FOLDER,
    as_json: _Json = False,
) -> None:
    """List cassettes, a line for each.

    A file that cannot be read has a line with its error, and the exit code is 2.

    \b
    Example:
      aquila-cassette list --json | jq '.[] | select(.ends.failed)'
    """
    from aquila_cassette.cli import list_cassettes

    raise typer.Exit(list_cassettes.run(place, folder, as_json=as_json))


@app.command("show")
def _show(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Cassettes, or paths.", autocompletion=complete_names),
    ],
    folder: Folder = FOLDER,
    as_json: _Json = False,
) -> None:
    """Show a cassette: what was asked, what the model answered, when, and how it ended.

    \b
    Example:
      aquila-cassette show chat_live.responds
    """
    from aquila_cassette.cli import show

    raise typer.Exit(show.run(names, folder, as_json=as_json))


@app.command("report")
def _report(
    place: Place = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = Path("report.html"),
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    folder: Folder = FOLDER,
) -> None:
    """Write an HTML page to look through cassettes.

    It is one file that reaches no network. It holds what the cassettes hold. A file that cannot be
    read is listed with its error, and the exit code is 2.

    \b
    Example:
      aquila-cassette report cassettes/chat -o chat.html --open
    """
    from aquila_cassette.cli import report

    raise typer.Exit(report.run(place, folder, output, open_it=open_it))


@app.command("record")
def _record(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Cassettes, paths, or patterns of names: 'chat/*'."),
    ] = None,
    folder: Folder = FOLDER,
    stale: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="What is older than AGE: 30d (also h, w, y)."),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What tests missed when they ran last.")
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Without tests: send the recorded requests again.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With --direct: ask there, not the recorded host."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Record cassettes again, and show what changed.

    Exactly the tests that recorded them are run, in one pytest. What follows -- is passed to it.
    Only a test that passed replaces what it had recorded, and a good answer is never replaced by a
    failure. NAMEs and --stale narrow each other down; --failed adds to them.

    With --direct the recorded requests are sent again without tests, with the key from the
    provider's usual variable. The cassette stays as it was where it is not known what the test
    would send.

    Exit codes: 0, all were recorded again; 1, some stay as they were; 2, a file or an argument is
    wrong; 130, Ctrl-C.

    \b
    Example:
      aquila-cassette record 'chat/*' --stale 30d -- -n 4
    """
    from aquila_cassette.cli import record
    from aquila_cassette.cli.record_selection import Wanted

    wanted = Wanted(names or (), folder, stale, failed)
    for_pytest = context.obj or ()
    raise typer.Exit(record.run(wanted, base_url, for_pytest, direct=direct, dry_run=dry_run))


@app.command("diff")
def _diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cassette, or a path.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Another one, the newer.")
    ] = None,
    folder: Folder = FOLDER,
    revision: Annotated[
        str | None,
        typer.Option(
            "--git", metavar="REV", help="The commit to compare with, by default the last one."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show what changed between two cassettes, or since a commit.

    What differs each time is left out: ids, dates, padding, latencies, headers, and when the
    pieces came.

    Exit codes: 0, they are the same; 1, they differ, or only one exists; 2, one cannot be read.

    \b
    Example:
      aquila-cassette diff chat_live.responds --git main
    """
    from aquila_cassette.cli import diff

    raise typer.Exit(diff.run(name, other, folder, revision=revision, as_data=as_json))


@app.command("play")
def _play(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Cassettes, or paths.")],
    folder: Folder = FOLDER,
    speed: Annotated[
        float,
        typer.Option(min=0.0, metavar="FACTOR", help="4 is four times as fast, 0 at once."),
    ] = 1.0,
    only: Annotated[
        list[int] | None,
        typer.Option("--only", "-n", min=1, metavar="N", help="The interaction with that number."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Play the bytes as they came.")] = False,
) -> None:
    """Play a cassette's streams at their recorded pace. Ctrl-C stops.

    --raw plays the bytes of the answers; in a pipe nothing else is written.

    \b
    Example:
      aquila-cassette play chat_live.responds --only 2 --raw | my-parser
    """
    from aquila_cassette.cli import play

    raise typer.Exit(play.run(names, folder, speed=speed, only=only or (), raw=raw))


def _rules(redact: list[str] | None, keep: list[str] | None, allow: list[str] | None) -> Redaction:
    from aquila_cassette.redaction import Redaction

    return Redaction(redact or (), (), keep or (), allow or ())


@app.command("check")
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

    rules = _rules(redact, keep, allow)
    raise typer.Exit(check.run(places, folder, rules, max_age, ignore or (), how.value))


@app.command("scrub")
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
    raise typer.Exit(scrub.run(places, folder, redact=rules, dry_run=dry_run))


@app.command("unused")
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


@app.command("mv")
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


@app.command("convert")
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

    rules = _rules(redact, keep, allow)
    raise typer.Exit(
        convert.run(places, folder, to.value, output, rules, in_place=in_place, dry_run=dry_run)
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `aquila-cassette` with `arguments`, by default those of this process, and exit."""
    from aquila_cassette.errors import AquilaError

    given = list(sys.argv[1:] if arguments is None else arguments)
    for_pytest: list[str] = []
    if given[:1] in (["record"], ["unused"]) and "--" in given:
        # What follows is pytest's; click would take it for names.
        place = given.index("--")
        given, for_pytest = given[:place], given[place + 1 :]
    try:
        app(args=given, prog_name="aquila-cassette", obj=for_pytest)
    except AquilaError as error:
        from aquila_cassette.cli.output import print_error

        print_error(str(error))
        sys.exit(2)
