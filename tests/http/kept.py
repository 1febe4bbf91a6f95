"""What a recording left on its cassette."""

from __future__ import annotations

from aquila_cassette import Interaction, aquila_cassette

__all__ = ["kept"]


def kept(name: str = "ends") -> Interaction:
    """Return the one interaction on the cassette, as it is on file."""
    with aquila_cassette(name, mode="none", on_unplayed="ignore") as cassette:
        (interaction,) = cassette.interactions
    return interaction
