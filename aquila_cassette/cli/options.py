"""Options and arguments that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette.cli import completion

__all__ = ["Allow", "Folder", "Format", "KeepHeaders", "Names", "Recorder", "Redact"]


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    github = "github"
    json = "json"


class Recorder(StrEnum):
    """Whose format is written: ours, or vcrpy's."""

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

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="Cassettes, files or folders, not the whole DIR.",
        autocompletion=completion.names,
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
