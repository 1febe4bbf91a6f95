"""`Fault`: what takes the place of a recorded answer, for which requests, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aquila_cassette.dialects.json_access import dump_json, load_json
from aquila_cassette.model import Failure, Headers, Interaction, Piece, Request, Response

On = int | str | Callable[[Request], bool] | None
"""Which requests: the number of one in its block, a text in it, a function; None for any."""


@dataclass(frozen=True, repr=False)
class Fault:
    """One failure; make it with a function of `aquila_cassette.faults`.

    Args:
        name: As ids of tests and time lines show it: ``disconnect-after-3``.
        change: Returns what is replayed in place of a recorded interaction.
        times: How many requests get it.
        on: Which requests: see `faults.disconnect`.
        speed: At which pace it is replayed; None for that of its block.
        is_whole: Whether the answer is one that code may take for whole.
        keeps_waits: Whether ``retry-after`` stays as it is; else clients are asked to come at once.
    """

    name: str
    change: Callable[[Interaction], Interaction]
    times: int = 1
    on: On = None
    speed: float | None = None
    keeps_waits: bool = False
    is_whole: bool = False

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError(f"{self.name}: times must be 1 or more, not {self.times}")

    def __repr__(self) -> str:
        on = f" on {self.on!r}" if isinstance(self.on, int | str) else ""
        return f"{self.name}{on}"

    def fits(self, request: Request, number: int) -> bool:
        """Return whether it is for the `number`-th request of the block."""
        if isinstance(self.on, str):
            asked = load_json(request.body)
            body = request.body.decode("utf-8", "replace") if asked is None else dump_json(asked)
            return self.on in request.url or self.on in body
        return self.on is None or self.on == number if not callable(self.on) else self.on(request)


def failed(recorded: Interaction, error: Failure) -> Interaction:
    """Return an interaction to which no answer came."""
    return replace(recorded, response=Response(None, ended="failed", error=error))


def replayed_as(recorded: Interaction, status: int, headers: Headers, body: bytes) -> Interaction:
    return replace(recorded, response=Response(status, headers, (Piece(0, body),)))
