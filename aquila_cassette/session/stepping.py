"""The held streams of one cassette, and letting their events through."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from aquila_cassette.errors import RenderTimeout, SettleTimeout, UsageError
from aquila_cassette.session.stepped_player import SteppedPlayer, steps
from aquila_cassette.session.wait_until_idle import pending_lines, settled
from aquila_cassette.waiting.event_loops import current_task_or_thread, run_in_own_loop
from aquila_cassette.waiting.idle import Idle
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.pending import (
    Pending,
    PendingMessages,
    forbid_inside_job,
    sources,
)

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction
    from aquila_cassette.session.session import Session

__all__ = ["Stepping", "Which"]

Which = str | int | None
"""Which held stream: a piece of its prompt or its URL, its number, or the only one there is."""


class Stepping:
    """The held streams of one cassette.

    Args:
        cassette: The open cassette.
    """

    def __init__(self, cassette: Session) -> None:
        self.cassette = cassette
        self.released = False
        self._streams: list[SteppedPlayer] = []
        self._home = threading.current_thread()
        self._lock = threading.RLock()

    def replay(self, interaction: Interaction, number: int, *, more: bool) -> SteppedPlayer | None:
        """Make a held replay, as `Replay` is made; None for what is not held: no stream."""
        cut = steps(interaction.response)
        if not cut:
            return None
        replay = SteppedPlayer(
            self.cassette, interaction, number, more=more, cut=cut, home=self._home
        )
        with self._lock:
            if self.released:
                return None
            self._streams.append(replay)
        return replay

    async def advance(self, count: int, of: Which, timeout: float) -> None:
        """Let events through and wait until they were consumed; see `Cassette.advance`."""
        advance = _Advance(self, "advance", count, of)
        if self.cassette.only_records:
            await self._recorded()
            raise advance.live()
        deadline = time.monotonic() + timeout
        with anyio.move_on_after(timeout):
            while True:
                before = notifier.count
                if advance.is_done():
                    break
                await notifier.wait(before)
        await advance.end(timeout, deadline)

    def advance_sync(self, count: int, of: Which, timeout: float) -> None:
        """Do the same, and block this thread meanwhile."""
        advance = _Advance(self, "advance_sync", count, of)
        if self.cassette.only_records:
            run_in_own_loop(self._recorded)
            raise advance.live()
        deadline = time.monotonic() + timeout
        while True:
            before = notifier.count
            if advance.is_done() or not notifier.wait_sync(before, deadline - time.monotonic()):
                break
        run_in_own_loop(lambda: advance.end(timeout, deadline))

    def release(self, of: Which) -> None:
        """Let everything through; see `Cassette.release`."""
        _check_which("release", of)
        if of is None:
            with self._lock:
                self.released = True
        chosen = self.fitting(of)
        if not chosen and of is not None:
            raise UsageError(
                f"release(of={of!r}) fits no held stream.",
                facts=self.told(),
                fix="Fix: release() lets all streams through, now and later",
            )
        for stream in chosen:
            stream.release()

    def fitting(self, of: Which) -> list[SteppedPlayer]:
        """List the streams that may be meant."""
        known = self._all()
        if of is None:
            return known
        if isinstance(of, str):
            return [stream for stream in known if stream.fits(of)]
        return known[of - 1 : of]

    def number(self, stream: SteppedPlayer) -> int:
        """Give its number."""
        return self._all().index(stream) + 1

    def told(self, streams: Sequence[SteppedPlayer] | None = None) -> list[str]:
        """Give the lines that tell where the streams stand, those given or all."""
        lines = []
        for stream in self._all() if streams is None else streams:
            first, *more = stream.told()
            lines.append(f"stream {self.number(stream)}: {first}")
            lines += [f"  {line}" for line in more]
        return lines

    def _all(self) -> list[SteppedPlayer]:
        with self._lock:
            return list(self._streams)

    async def _recorded(self) -> None:
        """Wait until all that goes on was recorded whole: an error now would cut the cassette short."""
        with contextlib.suppress(SettleTimeout):
            await settled([self.cassette], None, streams=1)


class _Advance:
    """One call: it finds its stream, lets events through, and sees that they were consumed."""

    def __init__(self, held: Stepping, called: str, count: int, of: Which) -> None:
        forbid_inside_job(called)
        _check_count(called, count)
        _check_which(called, of)
        self._held = held
        self._here = current_task_or_thread()
        self._count = count
        self._of = of
        self._stream: SteppedPlayer | None = None
        self._target = 0
        self._called = called
        self._call = f"{called}({count})" if of is None else f"{called}({count}, of={of!r})"
        if not held.cassette.options.hold:
            raise UsageError(
                f"{self._call} needs a block that holds streams back.",
                fix=f'Fix: aquila_cassette("{held.cassette.name}", hold=True)',
            )

    def is_done(self) -> bool:
        """Go on as far as that is possible now, and tell whether that is to the end.

        Raises:
            UsageError: Several streams may be meant, or there is nothing left to let through.
            MissError: There is no stream yet, and a request had no recording.
        """
        if self._stream is None:
            self._stream = self._find()
            if self._stream is None:
                return False
            self._target = self._stream.let(self._count)
        return self._stream.has_passed(self._target)

    async def end(self, timeout: float, deadline: float) -> None:
        """Wait until views have handled what came of it, and who read a stream that is over left.

        Jobs are not waited for: they wait for the held stream, or for another.

        Args:
            timeout: The longest wait in all, in seconds.
            deadline: When that is up, by `time.monotonic`.

        Raises:
            RenderTimeout: That, or the consuming before it, was not done in time.
        """
        if self._stream is None or not self.is_done():
            raise self._too_late(timeout)
        left = await Idle(
            [self._stream.readers()],
            [PendingMessages(source) for source in sources()],
            here=self._here,
            include_worker_threads=False,
            ignore_held=True,
        ).wait(max(0.0, deadline - time.monotonic()))
        if left:
            raise self._too_late(timeout, left)

    def live(self) -> UsageError:
        """Say that nothing can be held here."""
        cassette = self._held.cassette
        fix = "Run it again: what was recorded is replayed then, and held"
        if cassette.mode == "all":
            fix = "Fix: delete the file, and run it twice in mode once"
        return UsageError(
            f"{self._call} has nothing to hold back: this block records, and that is live.",
            facts=[f"cassette: {cassette.shown_path} (mode {cassette.mode})"],
            fix=fix,
        )

    def _too_late(self, timeout: float, left: Sequence[Pending] = ()) -> RenderTimeout:
        """Say what was waited for in vain, for so many seconds."""
        facts = pending_lines(left)
        if left:
            what = f"{self._call}: what came of the events was not handled in {timeout:g} s."
            mend = "end it"
        elif self._stream is None:
            what = f"{self._call} found no held stream in {timeout:g} s."
            facts = self._held.told() or ["held: none"]
            mend = "have it asked for in a task or thread of its own"
        else:
            what = f"{self._call} let events through that were not consumed in {timeout:g} s."
            facts = self._held.told([self._stream])
            mend = "read it in a task or thread of its own"
        return RenderTimeout(
            what, facts=facts, fix=f"Fix: {mend}, or wait longer: {self._called}(timeout=...)"
        )

    def _find(self) -> SteppedPlayer | None:
        held, of = self._held, self._of
        fitting = held.fitting(of)
        found = [stream for stream in fitting if stream.is_held]
        if len(found) > 1:
            raise UsageError(
                f"{self._call} has {len(found)} held streams to choose from.",
                facts=held.told(found),
                fix="Fix: say which, by a piece of its prompt or URL or by its number: "
                f"{self._called}({self._count}, of={held.number(found[0])})",
            )
        if found:
            return found[0]
        if held.released:
            raise UsageError(
                f"{self._call} has nothing to let through: all was released.", facts=held.told()
            )
        if isinstance(of, int) and fitting:
            raise UsageError(
                f"{self._call} has nothing to let through: all of that stream was.",
                facts=held.told(fitting),
            )
        failure = held.cassette.take_failure()
        if failure is not None:
            raise failure
        return None


def _check_count(called: str, count: object) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UsageError(
            f"{called} cannot let that many events through.",
            facts=["expected: a number, 1 or more", f"got:      {count!r}"],
        )


def _check_which(called: str, of: object) -> None:
    by_number = isinstance(of, int) and not isinstance(of, bool) and of >= 1
    by_text = isinstance(of, str) and of != ""
    if of is not None and not by_number and not by_text:
        raise UsageError(
            f"{called} cannot tell which stream is meant.",
            facts=[
                "expected: of= a piece of its prompt or URL, or its number, from 1",
                f"got:      {of!r}",
            ],
        )
