"""The commands that look after a shelf, as their help reads: check, scrub, rm, mv, convert."""

# ruff: noqa: D301 - the character \b marks a paragraph of help that is not to be wrapped

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette.cli import completion
from aquila_cassette.cli.options import (
    Allow,
    Folder,
    Format,
    KeepHeaders,
    Names,
    Recorder,
    Redact,
    Tests,
)
from aquila_cassette.cli.suite import FOLDER

__all__ = ["add_to"]

_DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show it, and change nothing.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program.

    Args:
        app: The program.
    """
    app.command("check")(_check)
    app.command("scrub")(_scrub)
    app.command("rm")(_rm)
    app.command("mv")(_mv)
    app.command("convert")(_convert)


def _check(
    places: Names = None,
    folder: Folder = FOLDER,
    max_age: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Find what is older: 36h, 30d, 12w, 1y."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    how: Annotated[Format, typer.Option("--format", help="How to write findings.")] = Format.text,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="KIND", help="A kind to pass over; may be repeated."),
    ] = None,
    tests: Tests = True,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> None:
    """Find what is wrong with cassettes.

    One line a finding: the file and its line, the kind, what is wrong, and what mends it.

    \b
    Files that cannot be used:
      unreadable, empty, binary, truncated, newer (of a version to come),
      duplicate-key, anchor, tag, format (anything else)
    What should not be on a cassette:
      secret       what saving it today would hide: in URLs, headers, JSON,
                   forms, by its looks, or as the value of a variable of
                   this environment
      header       a header that would not be kept
    What is used no more:
      orphan       no test uses the cassette
      gone         recorded_by names a test that no longer exists
      old          older than --max-age
      duplicate    the same request with the same answer, needlessly twice
    Edits that do not add up:
      pieces       the time line and the body          ended    the end and the stream
      length       content-length and the body; a body that a HEAD, 204 or 304 cannot have
      type         content-type, and what the body is or is kept as
      request      a method or URL that never matches
      date         recorded_at is no time, or one in the future
      layout       it would be written otherwise today
    Files that lie wrong:
      name         Windows cannot hold it              case     two names, one but for case
      leftover     a temporary file of a save that was killed

    A cassette is an orphan only where nothing speaks for it: none of its interactions was recorded by
    a test that is there (or may be: its file did not load, or was skipped), no collected test
    opens it by its marker or its own name, no call of aquila_cassette() in the project can come to
    its name, and its name stands in quotes in no file of the project. Code that makes names of
    what only a run can tell leaves it in doubt; that is said, and it is no finding. What is in
    other projects, or in files that pytest and this command do not see, it cannot know.

    The tests' own redact= counts where a marker or aquila_config has it; one in a call is not
    seen: name it with --redact, --keep-header and --allow.

    --fix rewrites a file (layout, pieces) only where that leaves all that is on the cassette the same,
    in one step, and keeps its comments; and it deletes leftovers. What a link leads to outside of
    the folder stays as it is.

    \b
    Examples:
      aquila-cassette check
      aquila-cassette check --max-age 12w --ignore duplicate
      aquila-cassette check cassettes/chat --no-tests
      aquila-cassette check --format=github     in a workflow of GitHub Actions

    Exit codes: 0, nothing is left to see to; 1, something is; 2, an argument is wrong.
    """
    from aquila_cassette.cli import check
    from aquila_cassette.cli.shelf import Rules

    code = check.run(
        places or [],
        folder,
        rules=Rules(redact or (), keep or (), allow or ()),
        max_age=max_age,
        ignore=ignore or (),
        tests=tests,
        fix=fix,
        how=how,
    )
    raise typer.Exit(code)


def _scrub(
    places: Names = None,
    folder: Folder = FOLDER,
    dry_run: _DryRun = False,
    tests: Tests = True,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> None:
    """Take secrets out of cassettes, in place.

    What saving a cassette today would hide is hidden: see docs/secrets.md. The difference is shown,
    with the length of a secret in the place of the secret. Interactions with nothing to hide keep
    each character. The new file takes the place of the old in one step, and no copy of the old one
    is left: a secret that was committed is in the history all the same, so make it invalid. In a
    damaged file each secret is replaced where it stands. What a link leads to outside of the
    folder stays as it is, and is told of.

    The tests' own redact= counts where a marker or aquila_config has it; one in a call is not
    seen: name it with --redact, --keep-header and --allow.

    \b
    Examples:
      aquila-cassette scrub --dry-run
      aquila-cassette scrub chat_live.responds
      aquila-cassette scrub --redact tenant --keep-header x-request-id

    Exit codes: 0, it is done; 1, --dry-run found something; 2, a file or an argument is wrong.
    """
    from aquila_cassette.cli import scrub
    from aquila_cassette.cli.shelf import Rules

    rules = Rules(redact or (), keep or (), allow or ())
    raise typer.Exit(scrub.run(places or [], folder, rules=rules, tests=tests, dry_run=dry_run))


def _rm(
    places: Names = None,
    folder: Folder = FOLDER,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Those that no test uses, as check finds them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: _DryRun = False,
) -> None:
    """Remove the cassettes that no test uses.

    They are listed, and removed once you say so. Where nobody can be asked, --yes must stand.
    What makes a cassette an orphan: aquila-cassette check --help

    \b
    Examples:
      aquila-cassette rm --orphans
      aquila-cassette rm --orphans cassettes/chat --yes

    Exit codes: 0, it is done, or there is none; 1, you said no, or --dry-run found some; 2, an
    argument is wrong, or it cannot be told which tests there are.
    """
    from aquila_cassette.cli import remove

    raise typer.Exit(remove.run(places or [], folder, orphans=orphans, yes=yes, dry_run=dry_run))


def _mv(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="A cassette.", autocompletion=completion.names),
    ],
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="Its new name.", autocompletion=completion.names),
    ],
    folder: Folder = FOLDER,
    code: Annotated[
        bool, typer.Option("--code", help="Change the name in the project's code, too.")
    ] = False,
    dry_run: _DryRun = False,
) -> None:
    """Give a cassette another name.

    Nothing that stands at the new name is overwritten. With --code the name changes in calls of
    aquila_cassette("...") and in its markers, in all Python files below this folder; the
    difference is shown. Calls that come to the name in a way that cannot be changed safely are
    told, file and line, and left to you; so is where else it stands in quotes.

    \b
    Examples:
      aquila-cassette mv chat.hello chat/greets --code
      aquila-cassette mv chat.hello chat/greets --code --dry-run

    Exit codes: 0, it is done; 2, a file or an argument is wrong.
    """
    from aquila_cassette.cli import move

    raise typer.Exit(move.run(old, new, folder, code=code, dry_run=dry_run))


def _convert(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Cassettes, files, folders, or patterns of paths: 'old/*.json'."
        ),
    ],
    folder: Folder = FOLDER,
    to: Annotated[Recorder, typer.Option("--to", help="The format to write.")] = Recorder.v1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write there, not beside each file."),
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

    What is read: vcrpy's YAML and JSON, of any age and compressed or not, cassetter's YAML,
    betamax's JSON, HAR, and our own. What a Python tag in YAML names is never run.

    old.json becomes old.yaml beside it, and stays. Where the new file would have the name of the
    old one, --in-place must stand: it is replaced in one step, after the new one was read back.
    Nothing else is ever overwritten.

    What saving a cassette would hide is hidden, and what that was is told; headers that a cassette of ours
    would not keep go. A file that would hold a known secret all the same is not written.

    \b
    Examples:
      aquila-cassette convert tests/cassettes --dry-run
      aquila-cassette convert tests/cassettes -o cassettes
      aquila-cassette convert chat.hello --in-place
      aquila-cassette convert cassettes --to vcrpy -o for_vcrpy

    Exit codes: 0, it is done; 1, some stay as they were, since something is in the way; 2, a file
    or an argument is wrong.
    """
    from aquila_cassette.cli import convert
    from aquila_cassette.cli.shelf import Rules

    code = convert.run(
        places,
        folder,
        to=to.value,
        output=output,
        in_place=in_place,
        dry_run=dry_run,
        redact=Rules(redact or (), keep or (), allow or ()).redaction(),
    )
    raise typer.Exit(code)
