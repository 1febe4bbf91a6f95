"""What the shell completes: the names of cassettes."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["names"]


def names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Give the names of the cassettes that begin with what is typed so far.

    Args:
        ctx: The command line so far; it may name the folder.
        incomplete: What is typed.
    """
    from aquila_cassette.cli.folder import cassettes_in, name_of

    folder = ctx.params.get("folder") or Path("cassettes")
    every = (name_of(path, folder) for path in cassettes_in(folder))
    return sorted(name for name in every if name.startswith(incomplete))
