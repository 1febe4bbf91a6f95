"""Declare the commands `list`, `show`, `diff`, `play`, `demo`, `record`, `report` with their options."""

# ruff: noqa: D301 - the character \b marks a paragraph of help that is not to be wrapped

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette.cli import maintenance_commands as maintain
from aquila_cassette.cli.pytest_config import FOLDER, folder_of_the_suite
from aquila_cassette.cli.shared_options import Folder, Place, complete_names

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
    """Look at cassettes, recorded streams of language model providers, and keep them in order.

    \b
      aquila-cassette demo               watch it record and replay three streams
      aquila-cassette list               list what is in ./cassettes
      aquila-cassette show chat.hello    what was asked, what was said, how it ended
      aquila-cassette report --open      all cassettes as a page in the browser
      aquila-cassette play chat.hello    play a stream at its recorded pace
      aquila-cassette diff chat.hello    what changed since the last commit
      aquila-cassette record chat.hello  record it again, by its tests
      aquila-cassette check              what is wrong with them
      aquila-cassette scrub              remove secrets from them
      aquila-cassette unused --delete    remove what no test uses
      aquila-cassette mv OLD NEW         rename one, in the code too
      aquila-cassette convert PATH       convert cassettes of vcrpy, cassetter or HAR files

    Tests record cassettes; of these commands record, scrub, unused --delete and mv change
    some (demo fills a folder of its own). Colour appears only on a terminal, and never
    where NO_COLOR is set.

    Exit codes: 0, all is well; 1, demo or diff found a difference, check something, or record left
    something as it was; 2, a file or an argument is wrong.
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

    A small provider starts on this machine; nothing leaves it, and no API key is needed. OpenAI
    chat completions, OpenAI responses and Anthropic messages are each asked for by plain httpx
    and by the provider's SDK, if it is installed (pip install 'aquila-cassette[demo]').

    The table has, for each: when the first event reached the consumer while it was recorded, how
    many pieces and bytes came, how long it took live and on replay, and whether the replay gave
    the consumer the same (httpx: each piece, byte for byte; an SDK: each parsed event).

    \b
    Examples:
      aquila-cassette demo
      aquila-cassette demo --keep cassettes && aquila-cassette show -d cassettes chat.httpx
      aquila-cassette demo --gap 0.2     at reading pace
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

    Each line has the cassette's name (as show takes it), its number of interactions (N), who
    answered, the model asked for, how long ago the last interaction was recorded, the file's size,
    and how the answers ended. "+1" means one more. A file that cannot be read has a line with its
    error, and the exit code is 2.

    \b
    Examples:
      aquila-cassette list
      aquila-cassette list cassettes/chat
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
    """Show a cassette.

    For each interaction: what was asked, what the model said, thought and called, how many events
    came in how many pieces and when (a bar from the request to the last piece), how the answer
    ended, and which test recorded it when.

    \b
    Examples:
      aquila-cassette show chat_live.responds
      aquila-cassette show tests/cassettes/old.yaml
      aquila-cassette show chat_live.responds --json | jq -r '.[0].interactions[].response.text'
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

    One file that needs nothing else and reaches no network: each conversation as chat, each
    stream as a timeline that plays at its recorded pace, search, filters, a link to each
    interaction. It holds what the cassettes hold.

    A file that cannot be read is listed with its error, and the exit code is 2.

    \b
    Examples:
      aquila-cassette report --open
      aquila-cassette report cassettes/chat -o chat.html
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
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: VALUE'", help="With --direct: a header to send, too."),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With --direct: ask there, not the recorded host."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Record cassettes again, and show what changed.

    Each interaction on cassette names the test that recorded it. Exactly those tests are run, all in
    one pytest, with --aquila-record=all; what follows -- is handed on to it. A cassette is
    replaced only by a test that passed (or failed as xfail expects), and never a good answer by a
    failure; else the old one stays.

    With --direct no test is needed: the recorded requests are sent again, in their order, with
    the key from the provider's usual variable (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...), and the
    answers are shown as they come. Where a request sends back an id, a text or a tool call of an
    earlier answer, it gets that of the new answer. Where it is not known what the test would
    send (above all: where the model now calls another tool), the cassette stays as it was.

    NAMEs and --stale narrow each other down; --failed adds to what --stale finds.

    Exit codes: 0, all were recorded again; 1, some stay as they were; 2, a file or an argument is
    wrong; 130, Ctrl-C. Whatever stops it, each cassette is whole: the old one or the new one.

    \b
    Examples:
      aquila-cassette record chat_live.responds
      aquila-cassette record 'chat/*' --stale 30d -- -n 4
      aquila-cassette record --failed
      aquila-cassette record --direct chat.hello --header 'x-api-key: ...'
    """
    from aquila_cassette.cli import record
    from aquila_cassette.cli.record_selection import Wanted

    raise typer.Exit(
        record.run(
            Wanted(names or (), folder, stale, failed),
            direct=direct,
            dry_run=dry_run,
            headers=header or (),
            base_url=base_url,
            arguments=context.obj or (),
        )
    )


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
    everything: Annotated[
        bool, typer.Option("--all", help="Show what differs each time, too.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Show what changed between two cassettes, or since a commit.

    Both are written as show writes them, and compared: what was asked, what the model said (by the
    sentence), thought and called, how it ended, and its usage. Interactions are paired by their
    requests, in order.

    What differs each time is left out: ids, dates, padding, latencies, headers, and when and in
    which pieces the answer came. --all compares the interactions as they are in the file.

    Exit codes: 0, they are the same; 1, they differ, or only one of them exists; 2, one of them
    cannot be read.

    \b
    Examples:
      aquila-cassette diff chat_live.responds             since the last commit
      aquila-cassette diff chat_live.responds --git main
      aquila-cassette diff old.yaml chat_live.responds
    """
    from aquila_cassette.cli import diff

    raise typer.Exit(
        diff.run(name, other, folder, revision=revision, everything=everything, as_data=as_json)
    )


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
    """Play a cassette's streams at their recorded pace.

    For each interaction: what was asked last, then what the model thought, said and called, piece
    by piece, and how it ended. Ctrl-C stops.

    --raw plays the bytes of the answers. In a pipe nothing else is written, so that a parser can
    be fed with a live stream; on a terminal, control characters are shown as escapes.

    \b
    Examples:
      aquila-cassette play chat_live.responds
      aquila-cassette play chat_live.responds --speed 4
      aquila-cassette play chat_live.responds --only 2 --raw | my-parser
    """
    from aquila_cassette.cli import play

    raise typer.Exit(play.run(names, folder, speed=speed, only=only or (), raw=raw))


maintain.add_to(app)


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
