"""Options and arguments that several commands share, and their shell completion."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette.suite import folder_of_the_suite


def complete_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the cassettes that begin with what is typed so far."""
    from aquila_cassette.cli.folder import name_of
    from aquila_cassette.storage.names import cassettes_in

    # Defaults of the program are not looked for while the shell completes.
    source = ctx.get_parameter_source("folder")
    is_named = source is not None and source.name != "DEFAULT"
    folder = ctx.params["folder"] if is_named else folder_of_the_suite()
    every = (name_of(path, folder) for path in cassettes_in(folder))
    return sorted(name for name in every if name.startswith(incomplete))


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    github = "github"
    json = "json"


class TargetFormat(StrEnum):
    """The format to write: ours, or vcrpy's."""

    v1 = "v1"
    vcrpy = "vcrpy"


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

Place = Annotated[
    Path | None, typer.Argument(metavar="PATH", help="A folder or a file, not the whole DIR.")
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
