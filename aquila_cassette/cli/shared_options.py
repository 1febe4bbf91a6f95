"""The program, and the options that several commands share, with their shell completion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette.cli.folder import name_of
from aquila_cassette.storage.names import cassettes_in
from aquila_cassette.suite import folder_of_the_suite


def _exit(code: int, **_options: object) -> None:
    """Exit with what a command returned."""
    raise typer.Exit(code)


# Plain help: it reads the same on a terminal and in a pipe, and rich is not loaded for it.
app = typer.Typer(
    name="aquila-cassette",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has its own help: aquila-cassette show --help",
    result_callback=_exit,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"aquila-cassette {version('aquila-cassette')}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Show cassettes, keep them in order, and record them again.

    Exit codes: 0, all is well; 1, something differs or was found, or was left as it was; 2, a file
    or an argument is wrong; 130, Ctrl-C.
    """
    folder = folder_of_the_suite()
    context.default_map = {str(one.name): {"folder": folder} for one in app.registered_commands}


def complete_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the cassettes that begin with what is typed so far."""
    # Defaults of the program are not looked for while the shell completes.
    source = ctx.get_parameter_source("folder")
    is_named = source is not None and source.name != "DEFAULT"
    folder = ctx.params["folder"] if is_named else folder_of_the_suite()
    every = (name_of(path, folder) for path in cassettes_in(folder))
    return sorted(name for name in every if name.startswith(incomplete))


Folder = Annotated[
    Path,
    typer.Option(
        "--cassette-dir",
        "-d",
        metavar="DIR",
        envvar="AQUILA_CASSETTE_DIR",
        help="The folder of the cassettes.",
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show it, and change nothing.")]

Place = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="A folder or a file, not the whole DIR.", exists=True),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Cassettes, files or folders, not the whole DIR.",
        autocompletion=complete_names,
        show_default=False,
    ),
]

Redact = Annotated[
    list[str] | None,
    typer.Option("--redact", metavar="NAME", help="A further name of fields that hold secrets."),
]
KeepHeaders = Annotated[
    list[str] | None,
    typer.Option("--keep-header", metavar="NAME", help="A further header that may stay."),
]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="VALUE", help="A value or a field's name that is no secret."),
]
