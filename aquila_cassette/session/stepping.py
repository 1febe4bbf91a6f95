"""Stepping: `hold`, `advance` and `release`."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from aquila_cassette.dialects.framing import split_events
from aquila_cassette.errors import AquilaError, RenderTimeout, UsageError
from aquila_cassette.model import Interaction, Response
from aquila_cassette.session.player import Player, let_others_run
from aquila_cassette.session.stream_text import HELD, pending_lines
from aquila_cassette.transcript.request_text import summarize_request
from aquila_cassette.waiting.event_loops import (
    TaskOrThread,
    current_task_or_thread,
    elapsed,
    time_limit,
)
from aquila_cassette.waiting.idle import Idle
from aquila_cassette.waiting.notifier import Notifier, notifier, notify
from aquila_cassette.waiting.pending import Pending, sources

RECORDING = 120.0
"""How long to wait, in seconds, for a model that answers live."""

Which = str | int | None
"""Which held stream: a part of its prompt or its URL, its number, or the only one there is."""


class Stepping:
    """The held streams of one `Session`, which imports this."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.released = False
        self._streams: list[SteppedPlayer] = []
        self._lock = threading.RLock()

    def replay(self, interaction: Interaction, number: int, **how: Any) -> Player:
        """Make the replay of an interaction: held, if it is a stream."""
        cut = steps(interaction.response)
        with self._lock:
            if not cut or self.released:
                return Player(self.session, interaction, number, **how)
            player = SteppedPlayer(self.session, interaction, number, cut=cut, **how)
            self._streams.append(player)
        return player

    def release(self, of: Which) -> None:
        """Let everything through; see `Cassette.release`."""
        with self._lock:
            self.released |= of is None
            chosen = self._matching(of)
        if of is not None and not chosen:
            fix = "name one of these; release() lets all streams through, now and later"
            raise self._error(UsageError, f"release(of={of!r}) matches no held stream.", fix)
        for stream in chosen:
            stream.release()

    async def advance(
        self, called: str, count: int, of: Which, here: TaskOrThread, timeout: float
    ) -> None:
        """Let events of a stream through, then wait as `render_async`; see `Cassette.advance`.

        It was `called` in the task or thread `here`. What waits for a held stream is not waited for.
        """
        if not self.session.options.hold:
            raise UsageError(
                f"{called} needs a block that holds streams back.",
                fix=f'Fix: aquila_cassette("{self.session.name}", hold=True)',
            )
        call = f"{called}({count})" if of is None else f"{called}({count}, of={of!r})"
        stream: SteppedPlayer | None = None
        target = 0
        left: Sequence[Pending] = ()

        def is_done() -> bool:
            """Go on as far as that is possible now, and return whether that is to the end."""
            nonlocal stream, target
            if stream is None and (stream := self._find(called, call, count, of)) is not None:
                target = stream.allow(count)
            return stream is not None and stream.has_passed(target)

        for limit in (timeout, RECORDING):
            deadline = elapsed() + limit
            with time_limit(limit):
                await notifier.until(is_done)
            if stream is not None or not self.session.is_recording:
                break
        if stream is not None and is_done():
            blocks, background = [self.session.streams], self.session.options.background
            idle = Idle(blocks, sources(), here, background=background, held=False)
            left = await idle.wait(max(0.0, deadline - elapsed()))
            if not left:
                return
        fix = "ask for it and read it in a task or thread of its own, or wait longer: "
        fix += f"{called}(timeout=...)"
        what = f"{call} was not done in {timeout:g} s."
        raise self._error(RenderTimeout, what, fix, self._matching(of), pending_lines(left))

    def _find(self, called: str, call: str, count: int, of: Which) -> SteppedPlayer | None:
        """Return the held stream that is meant; None if it may still come."""
        found = [stream for stream in self._matching(of) if stream.is_held]
        if len(found) > 1:
            number = self._streams.index(found[0]) + 1
            fix = "say which, by a part of its prompt or URL or by its number: "
            fix += f"{called}({count}, of={number})"
            what = f"{call} has {len(found)} held streams to choose from."
            raise self._error(UsageError, what, fix, found)
        if found:
            return found[0]
        if failure := self.session.take_failure():
            raise failure
        is_over = isinstance(of, int) and self._matching(of)
        if self.released or is_over or self.session.is_played_out:
            fix = "take the call out, or record what is to be let through: "
            fix += self.session.owner.rerecord("all")
            raise self._error(UsageError, f"{call} has nothing left to let through.", fix)
        return None

    def _matching(self, of: Which) -> list[SteppedPlayer]:
        """Return the streams that `of` may name."""
        if isinstance(of, int):
            return self._streams[of - 1 : of]
        return [stream for stream in self._streams if of is None or stream.matches(of)]

    def _error(
        self,
        kind: type[AquilaError],
        what: str,
        fix: str,
        streams: Sequence[SteppedPlayer] | None = None,
        facts: Sequence[str] = (),
    ) -> AquilaError:
        """Make an error with the state of some streams, by default of all, unless other `facts` say more."""
        lines = []
        for stream in self._streams if streams is None else streams:
            first, *more = stream.describe()
            number = self._streams.index(stream) + 1
            lines += [f"stream {number}: {first}", *(f"  {line}" for line in more)]
        return kind(what, facts=facts or lines or ["held: none"], fix=f"Fix: {fix}")


class SteppedPlayer(Player):
    """A replay whose steps the test lets through, by `allow` and `release`; at no pace."""

    def __init__(self, *args: Any, cut: list[bytes], **how: Any) -> None:
        self._steps = cut
        self._allowed = 0
        self._given = 0
        self._iterators = 0
        self._back_for = -1  # how many steps its reader had been given when it last came for more
        self._over = False
        self._reader: weakref.ref[TaskOrThread] | None = None
        self._notifier = Notifier()
        super().__init__(*args, **how)
        self.speed = 0.0
        self.is_immediate = False

    def begin(self) -> Callable[[], None]:
        """Note that an iterator of the body begins: it may be another one.

        The one before is abandoned then; the garbage collector closes it at any time.
        """
        self._over = False
        self._iterators += 1
        number = self._iterators
        return lambda: self.finished() if number == self._iterators else None

    def take(self) -> bytes:
        while True:
            count = self._notifier.count
            if (step := self._next()) is not None:
                return step
            if threading.current_thread() is self._session.home:  # who else would let it through?
                raise UsageError(
                    "A held stream is read in the thread that opened the block, which then waits "
                    "for itself.",
                    facts=self.describe(),
                    fix="Fix: read it in a thread of its own (or async, in a task), and call "
                    "advance_sync here",
                )
            self._notifier.wait_sync(count)

    async def take_async(self) -> bytes:
        if self._given:
            await let_others_run()
        while True:
            count = self._notifier.count
            if (step := self._next()) is not None:
                return step
            await self._notifier.wait(count)

    def has_given_all(self) -> bool:
        return False

    def close(self) -> None:
        """Note that its reader closed it; another that waits in `take` gets the rest."""
        self.release()
        self.finished()

    def finished(self) -> None:
        self._over = True
        notify()
        super().finished()

    @property
    def is_held(self) -> bool:
        """Whether there is anything left to let through."""
        return not self._over and self._allowed < len(self._steps)

    def allow(self, count: int) -> int:
        """Let so many more steps through; return how many that makes in all."""
        self._allowed = min(self._allowed + count, len(self._steps))
        notify()
        self._notifier.notify()
        return self._allowed

    def release(self) -> None:
        self.allow(len(self._steps))

    def has_passed(self, target: int) -> bool:
        """Return whether the first `target` steps were taken; what follows from them may go on."""
        return self._over or self._given >= target

    def matches(self, text: str) -> bool:
        """Return whether `text` is in the URL or in what was asked."""
        request = self.interaction.request
        asked = [turn.text for turn in summarize_request(request).turns]
        return any(text in one for one in [request.url, *asked])

    def describe(self) -> list[str]:
        """Return the lines of a message on its state."""
        reader = None if self._over or self.stream is None else self.stream.reader_location()
        states = {
            "it is over": self._over,
            "nobody reads it yet": self._back_for < 0,
            "its reader waits for the next event": self._back_for == self._given,
            "its reader did not come back for more": True,
        }
        state = next(state for state, is_so in states.items() if is_so)
        located = [f"reader: {reader}"] if reader else []
        return [f"{self._title}: {state}", *self._so_far(), *located]

    def _facts(self) -> list[str]:
        return [*self._so_far(), *([HELD] if self.is_held else [])]

    def _so_far(self) -> list[str]:
        return self._describe(b"".join(self._steps[: self._given]))

    def _next(self) -> bytes | None:
        """Return the next step, nothing at the end, or None where it must be waited for."""
        here = current_task_or_thread()
        if self._reader is None or self._reader() is not here:
            self._reader = weakref.ref(here)
            super().begin()
        self._back_for = self._given
        if self._given == len(self._steps):
            return b""
        if self._given < self._allowed:
            self._given += 1
            return self._steps[self._given - 1]
        notify()
        return None


def steps(response: Response) -> list[bytes]:
    """Cut a recorded stream into steps of one event each; joined, they are its body.

    An ending that raises is a step of its own, empty if nothing came before it. A body that is no
    stream has none.
    """
    error = response.error
    raises = response.ended == "closed" or (error is not None and error.raises)
    return split_events(response.header("content-type"), response.body, rest_apart=raises)
