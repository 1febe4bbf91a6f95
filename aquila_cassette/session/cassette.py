"""`Cassette`: the public object that `with aquila_cassette(...) as cassette` yields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.session.settled import settled

if TYPE_CHECKING:
    from aquila_cassette.errors import MissError
    from aquila_cassette.model import Interaction
    from aquila_cassette.options import Mode
    from aquila_cassette.session.session import Session
    from aquila_cassette.session.stepping import Which


class Cassette:
    """An open cassette, as ``with aquila_cassette(name) as cassette`` yields it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def name(self) -> str:
        """The name it was opened by."""
        return self._session.name

    @property
    def path(self) -> Path:
        """The file."""
        return self._session.path

    @property
    def mode(self) -> Mode:
        """The record mode in force."""
        return self._session.mode

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the file held when the cassette was opened, then what this block recorded."""
        return self._session.interactions

    @property
    def recorded(self) -> tuple[Interaction, ...]:
        """What this block has recorded so far: the responses that are over."""
        return self._session.recorded

    @property
    def played(self) -> tuple[Interaction, ...]:
        """What this block has replayed, in the order of its requests."""
        return tuple(self._session.played)

    @property
    def misses(self) -> tuple[MissError, ...]:
        """The errors of the requests that no interaction matched."""
        return tuple(self._session.misses)

    async def settled(
        self, timeout: float | None = None, *, streams: int | None = None, once: bool = False
    ) -> None:
        """Wait until every stream of this cassette is over and the code that read it has returned.

        Streams that this task reads itself are not waited for.

        Args:
            timeout: The longest wait, in seconds; by default 5 on replay, 120 while recording.
            streams: How many streams must have been opened in this block, at least.
            once: Wait only for what is going on now, not for what that starts.

        Raises:
            SettleTimeout: Something was still going on then; the error lists it.
            MissError: A request had no matching interaction.
        """
        await settled([self._session], timeout, streams=streams, once=once)

    async def advance(self, n: int = 1, *, of: Which = None, timeout: float = 5.0) -> None:
        """Let `n` events of a held stream through, and wait until its reader consumed them.

        A stream that is asked for a little later is waited for. Where fewer events are left, the
        stream just ends. An ending that raises is let through like an event.

        Args:
            n: How many events: of an SSE stream its events, of NDJSON its lines.
            of: Which stream, where several are held: a part of its prompt or of its URL, or its
                number among the held streams, from 1 in the order of their requests.
            timeout: The longest wait, in seconds.

        Raises:
            UsageError: There are several streams to choose from; nothing is left to let through;
                or nothing can be held: the block has no ``hold=True``, or it records.
            RenderTimeout: No held stream came, or its reader did not come back for more.
            MissError: A request had no matching interaction.
        """
        await self._session.stepping.advance(n, of, timeout)

    def advance_sync(self, n: int = 1, *, of: Which = None, timeout: float = 5.0) -> None:
        """Do what `advance` does, and block this thread meanwhile; same arguments and errors."""
        self._session.stepping.advance_sync(n, of, timeout)

    def release(self, of: Which = None) -> None:
        """Let all of a held stream through; without `of` all of all streams, now and later.

        Args:
            of: Which streams, as for `advance`; several may fit.

        Raises:
            UsageError: None fits.
        """
        self._session.stepping.release(of)
