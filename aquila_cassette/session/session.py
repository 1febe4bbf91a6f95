"""`Session`: decide about each request of an open cassette (the record modes), and handle it."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aquila_cassette import importers
from aquila_cassette.errors import FaultError, MissError, UsageError
from aquila_cassette.importers import find_cassette, refuse_to_record
from aquila_cassette.matching.keys import Key, Matcher
from aquila_cassette.model import UNFINISHED, CassetteData, Headers, Interaction, Request
from aquila_cassette.options import MATCHING, Mode, Options
from aquila_cassette.redaction import Secrets, environment_secrets
from aquila_cassette.session.ambient import (
    AmbientRequest,
    ambient_request,
    holds_placeholder,
    refuse_placeholder,
)
from aquila_cassette.session.failures import how_failed, is_good
from aquila_cassette.session.forks import Journal, renew_locks
from aquila_cassette.session.hosts import host_and_port, is_listed
from aquila_cassette.session.miss import (
    combined,
    facts_of,
    left_over,
    miss_of,
    swallowed,
    warn_in_user_code,
)
from aquila_cassette.session.ordering import Order, OrderedPlayer
from aquila_cassette.session.player import Player, ReplayIndex
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.stepping import Stepping
from aquila_cassette.storage.names import display_path
from aquila_cassette.waiting.notifier import notifier, notify
from aquila_cassette.waiting.open_streams import OpenStreams
from aquila_cassette.waiting.pending import Pending

if TYPE_CHECKING:
    from aquila_cassette.session.attempts import Attempts

CassetteState = Literal["absent", "new", "present"]
"""The file when the block was entered: not there; created in this same run, or left by a run in which
its owner failed; or there before."""

Recorded = tuple[int, Interaction | None, Interaction]
"""The order of a request; what a cassette may hold of the answer, None if a hook dropped it; all of it."""

_order = itertools.count()


def _next_order() -> int:
    """Number requests as they start, in all processes: by the clock, then by turn."""
    return (time.monotonic_ns() << 20) + next(_order)


def records_what_is_new(mode: Mode, state: CassetteState) -> bool:
    """Return whether a request that nothing on the cassette answers is recorded; else it is a miss.

    docs/record-modes.md shows every case. In mode ``all`` the cassette holds only what the same
    owner's earlier blocks recorded.
    """
    return mode in ("all", "new_episodes") or (mode == "once" and state != "present")


class Session:
    """An open cassette. `handle` is what adapters call; the rest is for its `Owner` and this folder."""

    reports_unrecorded = True

    def __init__(self, name: str, options: Options, owner: Any) -> None:
        self.name = name
        self.owner = owner
        self.options = options
        self.mode: Mode = options.mode
        self.fix = f"Fix: {owner.rerecord('all')}"
        self.parent: Session | None = None
        self.is_open = True
        self.keeps_old = False
        self.discarded: list[Interaction] = []
        self.saved: Sequence[Interaction] = ()  # at the end of the block
        self.on_late_end: Callable[[], None] | None = None  # of a stream that outlived the block
        self.played: list[Interaction] = []
        self.misses: list[MissError] = []
        self.warned: set[str] = set()
        self.warns_if_empty = True  # that no request came
        self.replaced: tuple[tuple[Interaction, ...], tuple[Interaction, ...]] = (), ()
        self.streams = OpenStreams()
        self.path = self._find_path()
        self.played_before: set[int] = set()  # by earlier blocks of the owner
        self.foreign = ""  # the format of another recorder
        self.state: CassetteState
        self.state, interactions = self._load()
        self.unfinished = {
            place: one
            for place, one in enumerate(interactions)
            if (one.recorded_by or "").endswith(UNFINISHED) and one.owner == owner.name
        }
        if self.unfinished:
            self.state = "new"
        self.index = ReplayIndex(interactions, self.recorded_key, reader=owner.signature)
        self._numbers = itertools.count(1)
        self.recorders: list[Recorder] = []
        self._of_children: list[Recorded] = []  # forked ones
        self.journal: Journal | None = None  # once a process was forked in the block
        self._reported = 0
        self.home = threading.current_thread()
        self._lock = threading.RLock()
        # Retries and loops send equal requests.
        self._matched = lru_cache(maxsize=16)(self._clean_and_key)
        self._cookies: dict[str, None] = {}  # values that live answers set

    # What an adapter calls.

    def handle(self, request: Request, left_by: Session | None = None) -> Recorder | Player | None:
        """Decide about one request as it would go out: record it, replay it, or let it pass (None).

        `left_by` is the block, over by now, in which the task or thread that sends it was started.
        """
        __tracebackhide__ = True
        self.warns_if_empty = False
        if self.is_ignored(request.url):
            return None
        matched = self._as_matched(request)
        if matched is None:
            return None
        asked, key = matched
        index = self.index
        found = self._take(key) if index.interactions and not left_by else None
        if found is None and not self.options.record_ambient and (kind := ambient_request(request)):
            return self._handle_ambient(kind, request)
        if left_by:
            error = left_over(asked, left_by.shown_path, self.shown_path)
            if not self.may_record:
                raise error
            warn_in_user_code(error)
            return None
        number = next(self._numbers)
        if found is not None:
            place, more = found
            if self.options.faults:
                return self._replay_with_faults(place, more, asked, number, key)
            return self._replay(index.interactions[place], place + 1, more, asked=request)
        if not self.may_record:
            raise self.missed(miss_of(self, asked, number, key))
        refuse_placeholder(request, asked)
        return self._record(asked, number)

    # What is asked of it.

    @cached_property
    def order(self) -> Order:
        return Order(self.index)

    @cached_property
    def matcher(self) -> Matcher:
        return Matcher(**{name: getattr(self.options, name) for name in MATCHING})

    @cached_property
    def attempts(self) -> Attempts:
        """What the code did about the faults of this block."""
        from aquila_cassette.session.attempts import Attempts  # hardly ever needed

        return Attempts(self.options.faults)

    @cached_property
    def stepping(self) -> Stepping:
        return Stepping(self)

    @property
    def shown_path(self) -> str:
        """The file's path as messages show it."""
        return display_path(self.path)

    @property
    def may_record(self) -> bool:
        """Whether a request that is not on the cassette would be sent."""
        return records_what_is_new(self.options.mode, self.state)

    @property
    def recorded(self) -> tuple[Interaction, ...]:
        """What a cassette may hold of the responses that are over, in the order of their requests."""
        return tuple(one for _, one in self.recordings())

    @property
    def answers(self) -> tuple[Interaction, ...]:
        """All that came of live requests, whether a hook dropped it or not."""
        return tuple(came for _, _, came in self._finished())

    def recordings(self) -> list[tuple[int, Interaction]]:
        """Return what was recorded and not discarded, with the order of the requests."""
        self.read_journal()
        return [
            (order, one)
            for order, one, _ in self._finished()
            if one is not None and one not in self.discarded
        ]

    def discard_failed(self, discard: bool) -> None:
        """Discard the failed answers that were recorded, or none."""
        self.discarded = []
        if discard:
            was_skipped = self.owner.outcome == "skipped"  # which ends its streams early
            is_kept = (lambda one: not how_failed(one)) if was_skipped else is_good
            self.discarded = [one for one in self.recorded if not is_kept(one)]

    def recorded_key(self, request: Request) -> Key:
        """Return the key of a request that is on the cassette."""
        return self.matcher.recorded_key(self.options.redact.request(request, env=()))

    def take_swallowed(self, left_by: BaseException | None = None) -> list[MissError]:
        """Return the misses since the last call that `left_by` does not deliver, once."""
        self.read_journal()
        misses = self.misses[self._reported :]
        self._reported = len(self.misses)
        return swallowed(misses, left_by)

    def take_failure(self, left_by: BaseException | None = None) -> MissError | None:
        """Return them as one error, once."""
        misses = self.take_swallowed(left_by)
        return combined(misses) if misses else None

    @property
    def is_played_out(self) -> bool:
        """Whether no request can be answered any more."""
        is_open = self.may_record or self.options.repeats
        return not is_open and 0 < len(self.index.interactions) <= len(self.played)

    def pending(self) -> Sequence[Pending]:
        return ()  # what may be pending here are streams

    # Its end, and what a recorder asks of it.

    def stop(self) -> None:
        """End the block: held streams are released; a stream that is read later is recorded on."""
        self.is_open = False
        if "order" in vars(self):
            self.order.is_over = True
            notify()
        if self.options.hold:
            self.stepping.release(None)
        for recorder in list(self.recorders):
            recorder.block_ended()

    @property
    def is_recording(self) -> bool:
        return any(not recorder.over for recorder in self.recorders)

    def close_streams(self) -> None:
        """End what is still recorded."""
        for recorder in list(self.recorders):
            recorder.closed()

    def give_up_streams(self) -> None:
        """End what is still recorded, since nothing saves what comes from now on."""
        for recorder in list(self.recorders):
            recorder.give_up()
        self.end_journal()

    def note_cookies(self, headers: Headers) -> None:
        """Hide from now on, in all that is kept, the cookies that an answer sets."""
        self._cookies.update(dict.fromkeys(self.options.redact.cookies(headers)))

    def clean_answer(self, interaction: Interaction) -> Interaction:
        """Return it without secrets; its request is already so."""
        response = self.options.redact.response(interaction.response, env=self._secrets())
        return replace(interaction, response=response)

    def as_kept(self, interaction: Interaction) -> Interaction | None:
        """Return it without secrets, as the user's hook has it; None where the hook drops it."""
        interaction = self.clean_answer(interaction)
        hook = self.options.before_record_response
        if hook is None:
            return interaction
        hooked = hook(interaction.response)
        return None if hooked is None else self.clean_answer(replace(interaction, response=hooked))

    # How it works; vcr_compat has a subclass that finds, keeps and saves its interactions otherwise.

    def _find_path(self) -> Path:
        return find_cassette(self.owner.root / self.options.cassette_dir, self.name)

    def _load(self) -> tuple[CassetteState, Sequence[Interaction]]:
        found = self.path.exists()
        loaded = importers.load(self.path) if found else CassetteData()
        self.foreign = loaded.foreign
        if loaded.foreign and self.mode in ("all", "new_episodes"):
            raise refuse_to_record(self.path, loaded.foreign, self.mode)
        if self.mode == "all":
            return "new", self.owner.recorded_in_mode_all(self.path)
        if not found:
            return "absent", ()
        return "new" if self.path in self.owner.run else "present", loaded.interactions

    def _as_matched(self, request: Request) -> tuple[Request, Key] | None:
        """Return the request as it is kept, and its key; None where the user's hook lets it pass."""
        secrets = self._secrets()
        hook = self.options.before_record_request
        if hook is not None:
            hooked = hook(self.options.redact.request(request, env=secrets))
            if hooked is None:
                return None
            request = hooked
        return self._matched(request, secrets)

    def _clean_and_key(self, request: Request, secrets: Secrets) -> tuple[Request, Key]:
        asked = self.options.redact.request(request, env=secrets)
        return asked, self.matcher.key(asked)

    def _secrets(self) -> Secrets:
        return (*environment_secrets(os.environ), *self._cookies)

    def is_ignored(self, url: str) -> bool:
        hosts = self.options.ignore_hosts
        return bool(hosts) and is_listed(hosts, *host_and_port(url))

    def _is_background(self, request: Request) -> bool:
        patterns = self.options.background
        return bool(patterns) and any(fnmatchcase(request.url, one) for one in patterns)

    def _replay_with_faults(
        self, place: int, more: bool, asked: Request, number: int, key: Key
    ) -> Player:
        recorded = self.index.interactions[place]
        fault = self.attempts.take_fault(asked, number)
        try:
            answer = recorded if fault is None else fault.change(recorded)
        except UsageError as error:
            where = {"method": asked.method, "url": asked.url, "path": self.path}
            what = f"The fault {fault} {error.what}"
            raise self.missed(
                FaultError(what, facts=facts_of(self), fix=error.fix, **where)
            ) from None
        attempt = self.attempts.add(asked, number, key, answer, fault)
        if fault is None:
            player = self._replay(answer, place + 1, more, asked=asked)
        else:
            self.index.put_back(place)
            more = not fault.keeps_waits
            player = self._make_player(answer, place + 1, more=more, asked=asked, speed=fault.speed)
        player.on_end = partial(self.attempts.end, attempt, answer)
        return player

    def _replay(
        self, interaction: Interaction, number: int, more: bool, asked: Request | None = None
    ) -> Player:
        answer = interaction
        if self.options.pieces != "recorded":
            from aquila_cassette.faults import edits  # hardly ever needed

            response = edits.sliced(interaction.response, self.options.pieces)
            answer = replace(interaction, response=response)
        player = self._make_player(answer, number, more=more, asked=asked)
        self.played.append(interaction)  # now: `advance` looks for its stream
        return player

    def _make_player(self, interaction: Interaction, number: int, **how: Any) -> Player:
        how["background"] = self._is_background(interaction.request)
        if self.options.hold:
            return self.stepping.replay(interaction, number, **how)
        if "." in interaction.recorded_at and (waits := self.order.waits(interaction)):
            return OrderedPlayer(self, interaction, number, order=self.order, waits=waits, **how)
        return Player(self, interaction, number, **how)

    def _handle_ambient(self, kind: AmbientRequest, request: Request) -> Player | None:
        """Let an ambient request pass where its block records; else answer it, and count it nowhere."""
        if self.may_record and not holds_placeholder(request):
            return None
        return Player(self, kind.interaction(request), 0, is_stream=False)

    def _record(self, asked: Request, number: int = 0) -> Recorder:
        background = self._is_background(asked)
        hold = None
        if self.options.hold and not background:
            hold = partial(self.stepping.replay, number=number)
        recorder = Recorder(self, asked, order=_next_order(), background=background, hold=hold)
        with self._lock:
            self.recorders.append(recorder)
        if self.journal is not None and self.journal.is_forked:
            asked_by = f"{asked.method} {asked.url} (process {recorder.pid})"
            self.journal.note("asked", recorder.order, asked_by)
        return recorder

    # In forked processes; see `forks`.

    def before_fork(self) -> None:
        self.journal = self.journal or Journal(self.shown_path, self._count)

    def in_child(self) -> None:
        """Begin in a forked child: nothing is held, since nobody advances it there."""
        if self.options.hold:
            self.stepping.released = True
            renew_locks(self.stepping)
        renew_locks(self, self.index, self.streams, *self.recorders, notifier)
        if self.journal is not None:
            self.journal.in_child()

    @property
    def is_forked(self) -> bool:
        """Whether this process is a child of the one that opened the block."""
        return self.journal is not None and self.journal.is_forked

    def read_journal(self) -> None:
        """Count what other processes did in this block."""
        if self.journal is not None:
            with self.journal.locked():
                pass

    def end_journal(self) -> None:
        if self.journal is not None:
            self.journal.end()
            self.journal = None

    def _count(self, kind: str, of: Any, value: Any) -> None:
        """Count what another process did."""
        if kind == "played":
            played = self.index.interactions[of]
            self.index.note_played(self.recorded_key(played.request), of)
            self.played.append(played)
        elif kind == "missed":
            self.misses.append(value)
        elif not self.is_forked:
            self._of_children.append(value)

    def _take(self, key: Key) -> tuple[int, bool] | None:
        if self.journal is None:
            return self._find(key)
        with self.journal.locked():
            found = self._find(key)
            if found is not None:
                self.journal.append("played", found[0])
            return found

    def _find(self, key: Key) -> tuple[int, bool] | None:
        take, repeats = self.index.take, self.options.repeats
        found = take(key, repeats=repeats)
        if found is None:
            looser = (take(one, repeats=repeats) for one in self.matcher.looser_keys(key))
            found = next(filter(None, looser), None)
        return found

    def recording_ended(self, recorder: Recorder) -> None:
        if self.journal is not None and self.journal.is_forked:
            if recorder.pid == os.getpid():
                self.journal.note("recorded", recorder.order, _recorded(recorder))
        elif not self.is_open and self.on_late_end is not None:
            self.on_late_end()

    def missed(self, error: MissError) -> MissError:
        self.warns_if_empty = False
        self.misses.append(error)
        if self.journal is not None:
            self.journal.note("missed", value=error)
        notify()
        return error

    def _finished(self) -> list[Recorded]:
        with self._lock:
            recorders = [one for one in self.recorders if one.is_kept]
        return sorted([*map(_recorded, recorders), *self._of_children], key=itemgetter(0))


def _recorded(recorder: Recorder) -> Recorded:
    return recorder.order, recorder.interaction(), recorder.answer()
