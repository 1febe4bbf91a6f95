"""An HTTP library without a network: it asks the session in force, as adapters do.

`Library` sends requests to a function that answers them; `Suite` opens blocks for owners that the
test makes itself. No HTTP library, no pytest plugin, no server.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aquila_cassette import Cassette, Failure, Interaction, Piece, Request, Response
from aquila_cassette.api import Block
from aquila_cassette.http.dispatcher import decide, find_session
from aquila_cassette.model import Ended
from aquila_cassette.options import Layer
from aquila_cassette.session import current_session as current
from aquila_cassette.session.owner import BlockOwner, Owner
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.run_folder import RunFolder
from aquila_cassette.session.stepping import SteppedPlayer
from aquila_cassette.storage import files

URL = "https://api.example.com/v1/chat"
EVENTS = [b"data: %d\n\n" % number for number in range(1, 6)]
_runs = itertools.count()
SSE = (("content-type", "text/event-stream"),)


class LibraryError(Exception):
    """What the fake library raises for a failed transport."""


def request(asked: object, url: str = URL) -> Request:
    body = json.dumps({"prompt": asked}).encode()
    return Request("POST", url, (("content-type", "application/json"),), body)


class Library:
    """Sends requests: live ones to `answers`, which is what the network would be."""

    def __init__(self, answers: Callable[[str], Any] = lambda asked: b"live " + asked.encode()):
        self.sent: list[str] = []
        self._answers = answers

    def send(self, asked: str, url: str = URL) -> bytes:
        """Return the whole answer: bytes, or what `answers` gives as (status, bytes), or raise."""
        session = find_session()
        handled = decide(session, request(asked, url)) if session else None
        if isinstance(handled, Player):
            body = b"".join(handled.pieces)
            handled.finished()
            handled.raise_ending(make_error)
            return body
        self.sent.append(asked)
        if handled is None:
            return self._live(asked)[1]
        with handled:
            status, body = self._live(asked)
            handled.start_response(status, (("content-type", "text/plain"),), "HTTP/1.1")
            handled.add_piece(body)
        handled.body_ended()
        return body

    def _live(self, asked: str) -> tuple[int, bytes]:
        answer = self._answers(asked)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, tuple) else (200, answer)


def make_error(failure: Failure) -> Exception:
    return LibraryError(failure.message)


def read_held(asked: str) -> Iterator[bytes]:
    """Read a held answer in this thread."""
    return held_player(asked).replay(make_error)


def held_player(asked: str) -> SteppedPlayer:
    """Ask for a held answer; where that is recorded, it comes whole: `EVENTS`."""
    session = current.current_session()
    assert session is not None
    handled = session.handle(request(asked))
    if isinstance(handled, Recorder):
        handled.start_response(200, SSE, "HTTP/1.1")
        for event in EVENTS:
            handled.add_piece(event)
        handled.body_ended()
        handled = handled.replay()
    assert isinstance(handled, SteppedPlayer)
    return handled


class HeldReader:
    """A task or thread that reads a held answer: what it got, and the error it ended in."""

    def __init__(self, asked: str, *, in_thread: bool = False) -> None:
        self.pieces: list[bytes] = []
        self.error: BaseException | None = None
        self.player: SteppedPlayer | None = None
        reading = asyncio.to_thread(self._read_sync, asked) if in_thread else self._read(asked)
        self.task = asyncio.ensure_future(reading)

    async def done(self) -> list[bytes]:
        await asyncio.wait([self.task])
        return self.pieces

    async def _read(self, asked: str) -> None:
        try:
            self.player = held_player(asked)
            async for step in self.player.replay_async(make_error):
                self.pieces.append(step)
        except BaseException as error:
            self.error = error

    def _read_sync(self, asked: str) -> None:
        try:
            self.player = held_player(asked)
            for step in self.player.replay(make_error):
                self.pieces.append(step)
        except BaseException as error:
            self.error = error


class Suite:
    """Owners and blocks in one cassette folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.next_run()
        self.library = Library()

    def owner(self, name: str | None = "test_a") -> Owner:
        return (Owner if name else BlockOwner)(
            name,
            rerecord=lambda mode: f"pytest {name} --aquila-record={mode}",
            above=[Layer("folder", {"cassette_dir": self.folder})],
            run=self.folder_of_run,
        )

    def next_run(self) -> None:
        """Begin another run of the suite: nothing was created in it."""
        self.folder_of_run = RunFolder(self.folder / f"created in run {next(_runs)}")

    @contextmanager
    def block(
        self, owner: Owner | None = None, name: str = "x", **options: Any
    ) -> Iterator[Cassette]:
        """Open a block of `owner`, by default of one that has no name: a script."""
        owner = owner or self.owner(None)
        session = owner.open(name, Layer("the block", {"mode": "once", **options}))
        current.enter(session)
        error: BaseException | None = None
        try:
            yield Cassette(session)
        except BaseException as raised:
            error = raised
            raise
        finally:
            current.leave(session)
            owner.close(session, error)

    def script(self, **options: Any) -> Block:
        """A block of a function outside pytest."""
        call = Layer("the block", {"mode": "once", "cassette_dir": self.folder, **options})
        return Block(
            "x", call, BlockOwner("it.py", lambda mode: f"AQUILA_RECORD={mode} python it.py")
        )

    def run(
        self,
        name: str,
        *asked: str,
        passed: bool = True,
        library: Library | None = None,
        **options: Any,
    ) -> Owner:
        """Run a test that asks these in one block, and ends so."""
        owner = self.owner(name)
        with self.block(owner, **options):
            for one in asked:
                (library or self.library).send(one)
        if passed:
            owner.check()
        owner.end(passed=passed)
        return owner

    def on_file(self, name: str = "x") -> list[tuple[str, int | None]]:
        """Return what is on file: what was asked, and the status of the answer."""
        path = self.folder / f"{name}.yaml"
        if not path.exists():
            return []
        return [
            (json.loads(one.request.body)["prompt"], one.response.status)
            for one in files.load(path).interactions
        ]

    def write(
        self,
        *bodies: Sequence[bytes],
        ended: Ended = "complete",
        error: Failure | None = None,
        content_type: str = "text/event-stream",
    ) -> None:
        """Write the cassette: answers to ``question 1`` and so on, each in one piece."""
        headers = (("content-type", content_type),)
        interactions = [
            Interaction(
                request(f"question {number}"),
                Response(200, headers, (Piece(3, b"".join(body)),), 2, "HTTP/1.1", ended, error),
            )
            for number, body in enumerate(bodies, 1)
        ]
        files.save(self.folder / "x.yaml", interactions)
