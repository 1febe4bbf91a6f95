"""An open cassette: it answers each request from the cassette, or records the answer that passes."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aquila_cassette import importers
from aquila_cassette.importers import find_cassette, refuse_to_record
from aquila_cassette.options import Mode
from aquila_cassette.redaction import environment_secrets
from aquila_cassette.session import current as scope
from aquila_cassette.session.ambient import AmbientRequest, ambient_request
from aquila_cassette.session.created_this_run import note_recorded
from aquila_cassette.session.leak_check import no_secrets
from aquila_cassette.session.miss import miss
from aquila_cassette.session.modes import Decision, decide
from aquila_cassette.session.outcome import swallowed, swallowed_miss
from aquila_cassette.session.overwrite_guard import failure
from aquila_cassette.session.placeholder_key import holds_placeholder, refuse_placeholder
from aquila_cassette.session.player import Player
from aquila_cassette.session.progress import Progress, facts
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.replacement import Change
from aquila_cassette.session.replay_index import ReplayIndex
from aquila_cassette.session.stepping import Stepping
from aquila_cassette.storage import files
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams

if TYPE_CHECKING:
    from aquila_cassette.errors import MissError
    from aquila_cassette.model import Interaction, Request
    from aquila_cassette.options import Resolved
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.waiting.pending import Pending

__all__ = ["Session"]

_order = itertools.count()


class Session:
    """An open cassette: it decides about each request of its block, and records or replays it.

    Args:
        name: The name it was opened by.
        resolved: Its options, and where each came from.
        owner: Who answers for it.

    Raises:
        CassetteNameError: The name leaves the cassette folder.
        CassetteFormatError: The file is there and is not a cassette.
        CassetteSaveError: It is in another recorder's format, and the mode would write it.
    """

    def __init__(self, name: str, resolved: Resolved, owner: Owner) -> None:
        self.name = name
        self.options = resolved.options
        self.sources = resolved.sources
        self.owner = owner
        self.path: Path = self._find_path(name)
        self.parent: Session | None = None
        self.streams = OpenStreams()
        self.discarded: list[Interaction] = []
        self.replaced: tuple[tuple[Interaction, ...], tuple[Interaction, ...]] = (), ()
        self.matcher = self.options.matcher()
        # Mode `all` is `once` on an emptied cassette: what a test's earlier blocks recorded is known.
        self._deciding: Mode = "once" if self.mode == "all" else self.mode
        self.index = self._load_index()
        self.stepping = Stepping(self)
        self._numbers = itertools.count(1)
        self._played: list[Interaction] = []
        self._recordings: list[Recorder] = []
        self._given_up: set[Recorder] = set()
        self._misses: list[MissError] = []
        self._told = 0
        self._lock = threading.RLock()
        owner.cassettes.append(self)
        if self.mode == "none" and owner.keys is not None:
            owner.keys.opened()

    @property
    def mode(self) -> Mode:
        """The record mode in force."""
        return self.options.mode

    @property
    def may_record(self) -> bool:
        """Whether a request that the cassette does not know would be sent."""
        return self._decide(known=False) == "record"

    @property
    def records(self) -> bool:
        """Whether what goes on here may be going on live, at a model's pace."""
        return bool(self._recordings) or self.may_record

    @property
    def only_records(self) -> bool:
        """Whether all that is asked goes out, since the cassette has nothing to replay."""
        return self.may_record and not self.index.interactions

    @property
    def keeps_old(self) -> bool:
        """Whether it was to be recorded anew, and what was there has not given way so far."""
        return self.mode == "all" and not self.owner.committed

    @property
    def shown_path(self) -> str:
        """The file's path as people see it: relative to where they are, if it is below."""
        try:
            return self.path.relative_to(Path.cwd()).as_posix()
        except ValueError:
            return str(self.path)

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What is on the cassette: what was on file when it was opened, then what was recorded."""
        return (*self.index.interactions, *self.recorded)

    @property
    def played(self) -> tuple[Interaction, ...]:
        """What this block played, in the order in which it was asked for."""
        return tuple(self._played)

    @property
    def recorded(self) -> tuple[Interaction, ...]:
        """What this block has recorded so far, of responses that are over."""
        return tuple(interaction for _, interaction in self._kept())

    @property
    def answers(self) -> tuple[Interaction, ...]:
        """What came of all that was asked live in this block, whether it is kept or not."""
        return tuple(recording.answer() for recording in self._over())

    @property
    def is_open(self) -> bool:
        """Whether its block has not ended yet."""
        return self in scope.opened()

    @property
    def misses(self) -> tuple[MissError, ...]:
        """The errors of the requests that no recording matched."""
        return tuple(self._misses)

    @property
    def untold_misses(self) -> tuple[MissError, ...]:
        """The misses since the last time that somebody was told of them."""
        return tuple(self._misses[self._told :])

    def take_failure(self) -> MissError | None:
        """Give the misses that nobody was told of, as one error, and count them as told."""
        misses = swallowed(self, None)
        self.settle_misses()
        return swallowed_miss(misses) if misses else None

    def pending(self) -> Sequence[Pending]:
        """List nothing: what may go on here are streams."""
        return ()

    # What the heads call.

    def handle(self, request: Request) -> Recorder | Player | None:
        """Decide about one request: record it, replay it, or let it pass (None).

        Args:
            request: The request as it would go out, secrets and all.

        Raises:
            MissError: The cassette has no answer and the mode does not let it be recorded.
        """
        if self.options.ignore_hosts and self._is_ignored(request.url):
            return None
        asked = self._redacted(request)
        if asked is None:
            return None
        key = self.matcher.key(asked)
        if self._decide(known=True) == "replay":
            found = self.index.take(key, repeats=self.options.repeats)
            if found is not None:
                next(self._numbers)
                interaction = self.index.interactions[found.place]
                return self._replay(interaction, found.place + 1, more=found.more)
        # What is on the cassette is replayed, whatever it is; so a test may be about ambient requests too.
        if not self.options.record_ambient and (kind := ambient_request(request)):
            return self._beside(kind, request)
        number = next(self._numbers)
        if self._decide(known=False) == "miss":
            raise self._missed(miss(self, asked, number, key))
        refuse_placeholder(request, asked)
        return self._record(asked)

    def ended(self, recording: Recorder) -> None:
        """Note that a recording is over."""
        self.streams.close(recording.stream)

    def redacted(self, interaction: Interaction) -> Interaction:
        """Redact the answer of what was recorded."""
        secrets = environment_secrets(os.environ)
        return replace(
            interaction, response=self.options.redact.response(interaction.response, env=secrets)
        )

    def before_record(self, interaction: Interaction) -> Interaction | None:
        """Redact what is about to be kept, and show it to the user's hook."""
        interaction = self.redacted(interaction)
        hook = self.options.before_record_response
        if hook is None:
            return interaction
        hooked = hook(interaction.response)
        return None if hooked is None else self.redacted(replace(interaction, response=hooked))

    def settle_misses(self) -> None:
        """Note that all misses so far were told; what is told once is not told again."""
        self._told = len(self._misses)

    def close(self, *, raised: bool) -> None:
        """End the block: nothing is recorded after this; what is to be kept is saved.

        Args:
            raised: Whether the block ended in an exception. Then answers that failed (an HTTP
                error, a failed stream) are put to `discarded`. Of mode ``all`` it is all or nothing
                then, and nothing where no test is there to have expected that exception.

        Raises:
            CassetteSaveError: The file could not be written.
            SecretLeakError: What would have been written still holds a known secret.
        """
        self._stop()
        kept = self._kept()
        failed = [(recording, one) for recording, one in kept if raised and _is_failure(one)]
        if self.mode == "all":
            if failed or (raised and self.owner.name is None):
                self._discard(kept)
            return
        self._discard(failed)
        if recorded := self.recorded:
            self._save(recorded, drop=None)

    def refuse_loss(self, gives_way: Callable[[Interaction, bool], bool]) -> None:
        """Look whether what is on file may give way to what was recorded anew.

        Args:
            gives_way: As for `save_instead`.

        Raises:
            OverwriteError: Failures would take the place of good answers.
        """
        if self.path.exists() and any(map(failure, self.owner.answers_anew(self.path))):
            change = Change(self, gives_way)
            for old in importers.load(self.path).interactions:
                change.drops(old)
            change.refuse_loss()

    def save_instead(self, gives_way: Callable[[Interaction, bool], bool]) -> None:
        """Save what the blocks of this cassette recorded anew, in the place of what was there.

        Args:
            gives_way: Tells whether an interaction on file gives way; it is also told whether its
                request was answered again.

        Raises:
            OverwriteError: Failures would take the place of good answers.
            CassetteSaveError: The file could not be written.
            SecretLeakError: What would have been written still holds a known secret.
        """
        anew = self.owner.recorded_anew(self.path)
        if not anew:
            return
        change = Change(self, gives_way)
        self._save(anew, drop=change.drops, check=change.refuse_loss)
        self.replaced = tuple(old for _, old in change.gone), tuple(anew)

    # How it works. A cassette of another format (vcr_compat) is a subclass that finds, keeps and
    # saves its recordings otherwise.

    def _find_path(self, name: str) -> Path:
        return find_cassette(self.owner.root / self.options.cassette_dir, name)

    def _load_index(self) -> ReplayIndex:
        owner = self.owner
        index = ReplayIndex.of_file(
            self.path, owner.created, self.recorded_key, reader=owner.signature
        )
        if index.foreign and self.mode in ("all", "new_episodes"):
            raise refuse_to_record(self.path, index.foreign, self.mode)
        if self.mode == "all":
            return ReplayIndex(owner.recorded_anew(self.path), "new", self.recorded_key)
        return index

    def _stop(self) -> None:
        scope.leave(self)
        if self.mode == "none" and self.owner.keys is not None:
            self.owner.keys.closed()
        self.stepping.release(None)
        for recording in list(self._recordings):
            recording.closed()

    def _missed(self, error: MissError) -> MissError:
        self._misses.append(error)
        notify()
        return error

    def _decide(self, *, known: bool) -> Decision:
        return decide(self._deciding, self.index.state, known=known)

    def _save(
        self,
        interactions: Sequence[Interaction],
        drop: Callable[[Interaction], bool] | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        created = self.owner.created

        def look(text: str) -> None:
            check()
            no_secrets(text, self.options.redact, self.path, self.shown_path)

        files.save(
            self.path,
            interactions,
            drop=drop,
            check=look,
            on_create=None if created is None else lambda: created.add(self.path),
        )
        note_recorded(interactions)

    def _redacted(self, request: Request) -> Request | None:
        redact = self.options.redact
        secrets = environment_secrets(os.environ)
        asked = redact.request(request, env=secrets)
        hook = self.options.before_record_request
        if hook is None:
            return asked
        hooked = hook(asked)
        return None if hooked is None else redact.request(hooked, env=secrets)

    def recorded_key(self, request: Request) -> Hashable:
        """Give the key of a request that is on cassette."""
        return self.matcher.key(self.options.redact.request(request, env=()))

    def _is_ignored(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        return any(fnmatchcase(host, pattern.lower()) for pattern in self.options.ignore_hosts)

    def _replay(self, interaction: Interaction, number: int, *, more: bool) -> Player:
        held = self.stepping.replay(interaction, number, more=more) if self.options.hold else None
        replay = held or Player(self, interaction, number, more=more)
        replay.stream = self._opened(interaction.request, replay.progress)
        self._played.append(interaction)
        return replay

    def _beside(self, kind: AmbientRequest, request: Request) -> Player | None:
        """Let ambient requests pass where its block records; else answer it, and count it nowhere."""
        if self.may_record and not holds_placeholder(request):
            return None
        return Player(self, kind.interaction(request), 0, more=False)

    def _record(self, asked: Request) -> Recorder:
        recording = Recorder(self, asked, next(_order))
        recording.stream = self._opened(asked, recording.progress)
        with self._lock:
            self._recordings.append(recording)
        return recording

    def _opened(self, request: Request, progress: Callable[[], Progress]) -> OpenStream:
        return self.streams.start(
            f"{request.method} {request.url}",
            lambda: facts(request, progress()),
            background=any(fnmatchcase(request.url, one) for one in self.options.background),
        )

    def _kept(self) -> list[tuple[Recorder, Interaction]]:
        """Pair those that are to be kept with what is kept."""
        return [
            (recording, interaction)
            for recording in self._over()
            if recording not in self._given_up
            and (interaction := recording.interaction()) is not None
        ]

    def _over(self) -> list[Recorder]:
        """List the recordings that are over, in the order they started."""
        with self._lock:
            recordings = list(self._recordings)
        return sorted((one for one in recordings if one.over), key=lambda one: one.order)

    def _discard(self, pairs: list[tuple[Recorder, Interaction]]) -> None:
        for recording, interaction in pairs:
            self.discarded.append(interaction)
            self._given_up.add(recording)


def _is_failure(interaction: Interaction) -> bool:
    response = interaction.response
    return response.ended == "failed" or (response.status or 0) >= 400
