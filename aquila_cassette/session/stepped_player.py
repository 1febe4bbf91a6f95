"""A replay that is held back: its reader gets the next event when the test lets it through."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from aquila_cassette import sse
from aquila_cassette.dialects.framing import framing, is_complete_frame, read_event, split_frames
from aquila_cassette.errors import RecordedFailure, UsageError
from aquila_cassette.model import Failure
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.progress import Progress, facts
from aquila_cassette.transcript.request import summarize_request
from aquila_cassette.waiting.event_loops import TaskOrThread, current_task_or_thread
from aquila_cassette.waiting.notifier import Notifier, notify
from aquila_cassette.waiting.open_streams import Readers

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction, Response
    from aquila_cassette.session.session import Session

__all__ = ["SteppedPlayer", "steps"]


def steps(response: Response) -> list[bytes]:
    r"""Cut a recorded stream into what is let through at a time: one event each; joined, its body.

    What is no event by itself (a comment, a blank line) goes with the event after it. An end that
    raises is a step of its own, empty if nothing came before it. A body that is no stream has none.

    Args:
        response: The recorded response.

    Example:
        >>> from aquila_cassette import Piece, Response
        >>> body = b": hi\n\ndata: 1\n\ndata: 2\n\n"
        >>> steps(Response(200, pieces=(Piece(0, body),)))
        [b': hi\n\ndata: 1\n\n', b'data: 2\n\n']
        >>> steps(Response(200, pieces=(Piece(0, b"data: 1\n\n"),), ended="closed"))
        [b'data: 1\n\n', b'']
    """
    body = response.body
    how = framing(response.header("content-type"), body)
    if how == "json":
        return []
    if how == "sse":
        parts = [(frame.raw, frame.event is not None) for frame in sse.frames(body)]
    else:
        parts = [(raw, is_complete_frame(how, raw)) for raw in split_frames(how, body)]
    found: list[bytes] = []
    waiting: list[bytes] = []
    for raw, is_event in parts:
        waiting.append(raw)
        if is_event:
            found.append(b"".join(waiting))
            waiting.clear()
    rest = b"".join(waiting)
    # Some streams lack the last blank line, and readers take such a rest for an event.
    if _raises(response) or (rest and (not found or read_event(how, rest) is not None)):
        found.append(rest)
    elif rest:
        found[-1] += rest
    return found


def _raises(response: Response) -> bool:
    """Tell whether reading on past the last piece raises."""
    error = response.error
    return response.ended == "closed" or (error is not None and error.type is not None)


class SteppedPlayer(Player):
    """A replay whose steps are let through by the test; in all else a replay at once.

    A head's body begins with `begin`, calls `take` or `take_async` until that gives nothing, then
    `end`, and at last `leave`; it calls `close` when the response is closed. The test's side calls
    `let` and `release`.

    Args:
        cassette: The open cassette that plays.
        interaction: What is played.
        number: Its place on the cassette, from 1.
        more: Whether the cassette holds a further answer to the same request.
        cut: What `steps` makes of it.
        home: The thread that opened the block: if that blocks here, nobody lets it go.
    """

    def __init__(
        self,
        cassette: Session,
        interaction: Interaction,
        number: int,
        *,
        more: bool,
        cut: list[bytes],
        home: threading.Thread,
    ) -> None:
        super().__init__(cassette, interaction, number, more=more)
        self.speed = 0.0
        self._steps = cut
        self._home = home
        self._let = 0
        self._given = 0
        self._iterators = 0
        self._back_for = -1  # how many steps its reader had been given when it last came for more
        self._waits = False
        self._free = False
        self._closed = False
        self._over = False
        self._reader: weakref.ref[TaskOrThread] | None = None
        self._bell = Notifier()
        self._lock = threading.RLock()

    # What the heads call.

    def begin(self) -> int:
        """Note that an iterator of the body begins, and give its number; it may be a further one.

        The one before is abandoned then; the garbage collector closes it at any time.
        """
        with self._lock:
            self._over = False
            self._iterators += 1
            return self._iterators

    def leave(self, iterator: int) -> None:
        """Note that this iterator has ended."""
        if iterator == self._iterators:
            self.finished()

    def take(self) -> bytes:
        """Give the next step when it has been let through; nothing at the end.

        Raises:
            UsageError: It would have to be waited for in the thread that opened the block.
        """
        while True:
            count = self._bell.count
            step = self._next()
            if step is not None:
                return step
            self._refuse_home()
            self._bell.wait_sync(count, None)

    async def take_async(self) -> bytes:
        """Give the next step when it has been let through; nothing at the end."""
        while True:
            count = self._bell.count
            step = self._next()
            if step is not None:
                return step
            await self._bell.wait(count)

    def raise_ending(self, make_error: MakeError) -> None:
        """End as the recording ended; where the response was closed under its reader, raise that.

        Args:
            make_error: Makes an exception of the HTTP library that asks.
        """
        if not self._closed:
            super().raise_ending(make_error)
            return
        closed = "The response was closed while it was held back."
        raise make_error(Failure("ReadError", closed, "reset")) or RecordedFailure(closed)

    def close(self) -> None:
        """Note that its reader closed it; whoever waits in `take` gets an error from `end`."""
        self._closed = True
        self._bell.notify()
        self.finished()

    def finished(self) -> None:
        """Note that nobody reads it any more."""
        with self._lock:
            self._over = True
            self._waits = False
        self._show()
        super().finished()

    # What the test's side calls.

    @property
    def is_held(self) -> bool:
        """Whether there is anything left to let through."""
        return not (self._over or self._free) and self._let < len(self._steps)

    def let(self, count: int) -> int:
        """Let so many more steps through; give how many that makes in all."""
        with self._lock:
            self._let = min(self._let + count, len(self._steps))
            self._waits = False
            target = self._let
        self._show()
        self._bell.notify()
        return target

    def release(self) -> None:
        """Let everything through, now and later."""
        with self._lock:
            self._free = True
            self._waits = False
        self._show()
        self._bell.notify()

    def has_passed(self, target: int) -> bool:
        """Tell whether the first so many steps were consumed: the reader came for more, or left."""
        if self._over or (target < len(self._steps) and self._back_for >= target):
            return True
        stream = self.stream
        return (
            self._given == len(self._steps)
            and stream is not None
            and bool(stream.activities)
            and not stream.has_reader_except(set())
        )

    def readers(self) -> Readers:
        """Give who is still in the work that it reads this stream for, once that is over."""
        streams = [] if self.stream is None or not self._over else self.stream.with_parents()
        return Readers([work for stream in streams for work in stream.activities])

    def fits(self, text: str) -> bool:
        """Tell whether `text` is in the URL or in what was asked."""
        request = self.interaction.request
        if text in request.url or text in request.body.decode("utf-8", "replace"):
            return True
        return any(text in turn.text for turn in summarize_request(request).turns)

    def told(self) -> list[str]:
        """Give the lines that tell where it stands."""
        if self._over:
            state = "it is over"
        elif self._free:
            state = "it was released"
        elif self._waits:
            state = "its reader waits for the next event"
        elif self._back_for < 0:
            state = "nobody reads it yet"
        else:
            state = "its reader did not come back for more"
        request = self.interaction.request
        reader = None if self._over or self.stream is None else self.stream.reader_location()
        return [
            f"{request.method} {request.url}: {state}",
            *facts(request, self.progress()),
            *([f"reader: {reader}"] if reader else []),
        ]

    def progress(self) -> Progress:
        """Say how far it was read."""
        response = self.interaction.response
        whole = Progress.of_a_replay(response, 0)
        return Progress(whole.content_type, b"".join(self._steps[: self._given]), whole.events)

    # How it works.

    def _next(self) -> bytes | None:
        """Give the next step, nothing at the end, or None where it must be waited for."""
        self._attend()
        with self._lock:
            self._back_for = self._given
            if self._closed or self._given == len(self._steps):
                return b""
            if self._free or self._given < self._let:
                self._given += 1
                return self._steps[self._given - 1]
            self._waits = True
        self._show()
        return None

    def _attend(self) -> None:
        """Note who reads, if that is somebody else than before."""
        driver = current_task_or_thread()
        if self.stream is not None and (self._reader is None or self._reader() is not driver):
            self._reader = weakref.ref(driver)
            self.cassette.streams.add_reader(self.stream)

    def _refuse_home(self) -> None:
        if threading.current_thread() is self._home:
            raise UsageError(
                "A held stream is read in the thread that opened the block, which then waits for "
                "itself.",
                facts=self.told(),
                fix="Fix: read it in a thread of its own (or async, in a task), and call "
                "advance_sync here",
            )

    def _show(self) -> None:
        """Say to those who wait for other streams whether this one waits for the test."""
        if self.stream is not None:
            self.stream.held = self._waits
        notify()
