"""What the shell completes: the names of cassettes."""

from __future__ import annotations

import typer

from aquila_cassette.cli.suite import folder_of_the_suite

__all__ = ["names"]


def names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Give the names of the cassettes that begin with what is typed so far.

    Args:
        ctx: The command line so far; it may name the folder.
        incomplete: What is typed.
    """
    from aquila_cassette.cli.folder import cassettes_in, name_of

    # Defaults of the program are not looked for while the shell completes.
    source = ctx.get_parameter_source("folder")
    is_named = source is not None and source.name != "DEFAULT"
    folder = ctx.params["folder"] if is_named else folder_of_the_suite()
    every = (name_of(path, folder) for path in cassettes_in(folder))
    return sorted(name for name in every if name.startswith(incomplete))
