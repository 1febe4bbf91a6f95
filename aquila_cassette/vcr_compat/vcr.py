"""`vcr.VCR` and its cassettes on our session."""

from __future__ import annotations

import copy
import functools
import json
import os
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vcr import VCR, errors, matchers  # type: ignore[import-untyped]
from vcr.cassette import Cassette, CassetteContextDecorator  # type: ignore[import-untyped]
from vcr.persisters.filesystem import FilesystemPersister  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict  # type: ignore[import-untyped]

from aquila_cassette import http
from aquila_cassette.errors import MissError
from aquila_cassette.importers.vcrpy import read_response
from aquila_cassette.matching.difference import describe
from aquila_cassette.model import Interaction, Request
from aquila_cassette.options import Layer, Options, resolve
from aquila_cassette.plugin import naming
from aquila_cassette.plugin.run import RUN
from aquila_cassette.session import current_session as scope
from aquila_cassette.session.ambient import ambient_request, refuse_placeholder
from aquila_cassette.session.miss import cassette_line, first_line
from aquila_cassette.session.owner import Owner
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder
from aquila_cassette.session.session import CassetteState, Session
from aquila_cassette.vcr_compat.persister import Files, Pair
from aquila_cassette.vcr_compat.translation import (
    SuiteRedaction,
    our_request,
    their_request,
    their_response,
)
from aquila_cassette.vcr_compat.vcr_suite import SUITE
from aquila_cassette.waiting.event_loops import current_task_or_thread, tasks_of_this_loop

_FILTERS = ("filter_headers", "filter_query_parameters", "filter_post_data_parameters")
_MODES = {RecordMode.NONE: "none", RecordMode.ONCE: "once", RecordMode.ALL: "all"}
_OF_THE_URL = (matchers.method, matchers.uri, matchers.host, matchers.path, matchers.query)
_ADDED_BY_LIBRARIES = (
    "accept", "accept-encoding", "connection", "content-length", "content-type", "host",
    "transfer-encoding", "user-agent",
)  # fmt: skip
# Those of our options that vcrpy has no counterpart of.
_OUR_OPTIONS = ("ignore_json", "redact", "speed", "background")


class CompatVCR(VCR):  # type: ignore[misc]
    """A `vcr.VCR` that opens our cassettes; `others` are further cassettes that they play.

    With `rewrite`, cassettes are recorded without what is on file, as pytest-recording's mode of
    this name does.
    """

    def __init__(
        self,
        config: pytest.Config,
        *,
        others: Sequence[str] = (),
        rewrite: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.suite = config.stash[SUITE]
        self._config = config
        self._others = others
        self._rewrite = rewrite

    def get_merged_config(self, **options: Any) -> dict[str, Any]:
        merged: dict[str, Any] = super().get_merged_config(**options)
        # What the suite itself puts in the place of secrets is no secret.
        merged["replacements"] = [
            pair[1]
            for name in _FILTERS
            for pair in options.get(name, getattr(self, name)) or ()
            if isinstance(pair, tuple) and isinstance(pair[1], str)
        ]
        return merged

    def _use_cassette(self, with_current_defaults: bool = False, **options: Any) -> _Use:
        theirs = super()._use_cassette(with_current_defaults, **options)
        return _Use(self, theirs._args_getter)

    def load(self, *, persister: Any, replacements: Sequence[str], **settings: Any) -> Any:
        """Open a cassette; vcrpy calls this where it would load its own."""
        is_ours = persister is FilesystemPersister
        if is_ours:
            persister = Files(self._others, replaces=self._rewrite)
        cassette = CompatCassette(persister=persister, **settings)
        if is_ours or not self._rewrite:
            cassette._load()
        http.install()
        suite, ours = self.suite, self._config.stash[RUN].settings
        owner = Owner(
            naming.node_id(suite.item.nodeid),
            suite.rerecord,
            above=[Layer("aquila_config", {key: ours[key] for key in _OUR_OPTIONS if key in ours})],
            root=self._config.rootpath,
        )
        mode = "all" if self._rewrite else _MODES.get(cassette.record_mode, "new_episodes")
        call: dict[str, Any] = {"mode": mode, "match_on": ("body",), "repeats": None}
        options = resolve([*owner.above, Layer("the mark vcr", call)], os.environ)
        redaction = SuiteRedaction(options.redact, replacements)
        cassette.session = VcrSession(cassette, options, owner, redaction, strict=suite.strict)
        suite.sessions.append(cassette.session)
        return cassette


class _Use(CassetteContextDecorator):  # type: ignore[misc]
    """vcrpy's block or decorator, but nothing is patched: our session answers instead."""

    def _patch_generator(self, cassette: CompatCassette) -> Generator[CompatCassette, Any, None]:
        self._session = cassette.session
        assert self._session is not None
        scope.enter(self._session)
        try:
            yield cassette
        finally:
            self._session.leave()
            self.cls.suite.count(self._session.owner, self._session.other_body)

    def __exit__(self, *exc_info: Any) -> None:
        assert self._session is not None
        self._session.owner.outcome = "failed" if any(exc_info) else "passed"
        super().__exit__(*exc_info)


class CompatCassette(Cassette):  # type: ignore[misc]
    """A `vcr.cassette.Cassette`: loading, hooks, matchers, counts and saving are vcrpy's own."""

    session: VcrSession | None = None
    # What vcrpy 7 has none of.
    _loaded_count = 0
    _played_interactions: Sequence[Pair] = ()

    @property
    def data(self) -> list[Pair]:
        """The requests and responses: those of the file, and those recorded so far."""
        if self.session is None:
            return self._pairs
        recorded = self.session.recorded_pairs()
        self.dirty |= bool(recorded)
        return [*self._pairs, *recorded]

    @data.setter
    def data(self, pairs: list[Pair]) -> None:
        self._pairs = pairs

    def append(self, request: Any, response: Any) -> None:
        if isinstance(response.get("headers"), dict):
            response = {**response, "headers": CaseInsensitiveDict(response["headers"])}
        super().append(request, response)

    def _save(self, force: bool = False) -> None:
        assert self.session is not None
        self.session.end()
        if self.session.keeps_old or not self.data:
            return
        # Copies that any serializer can write, and may write into; nothing is recorded any more.
        self._pairs = list(map(_plain, self.data))
        self._played_interactions = list(map(_plain, self._played_interactions))
        self.session = None
        if isinstance(self._persister, Files):
            drops = getattr(self, "drop_unused_requests", False)
            self._persister.replaces |= self.record_mode == RecordMode.ALL or drops
        super()._save(force=force)

    def _load(self) -> None:
        super()._load()
        self._loaded_count = len(self._pairs)

    def _as_dict(self) -> dict[str, Any]:
        """Return what vcrpy saves; before 8.5 it would add to what it recorded again."""
        old, recorded = self.data[: self._loaded_count], self.data[self._loaded_count :]
        if self.record_mode == RecordMode.ALL:
            match = matchers.requests_match
            old = [
                pair
                for pair in old
                if not any(match(one, pair[0], self._match_on) for one, _ in recorded)
            ]
        pairs = old + recorded
        return {"requests": [one for one, _ in pairs], "responses": [one for _, one in pairs]}

    def find_requests_with_most_matches(self, request: Any) -> list[tuple[Any, ...]]:
        """Return the recorded requests that fit best, with the matchers that hold and that do not."""
        compare, match_on = matchers.get_matchers_results, self._match_on
        results = [
            (stored, *compare(_like_recorded(request, stored), stored, match_on))
            for stored, _ in self.data
        ]
        most = max((len(held) for _, held, _ in results), default=0)
        return [one for one in results if most and len(one[1]) == most]

    def fits(self, request: Any, stored: Any) -> bool:
        match = matchers.requests_match
        at_once = [one for one in self._match_on if one in _OF_THE_URL]  # others cost more
        rest = [one for one in self._match_on if one not in _OF_THE_URL]
        return match(request, stored, at_once) and (
            not rest or match(_like_recorded(request, stored), stored, rest)
        )


def _plain(pair: Pair) -> Pair:
    request, response = pair
    return request, {k: dict(v) if isinstance(v, Mapping) else v for k, v in response.items()}


class VcrSession(Session):
    """A session that asks vcrpy's cassette what matches, and gives it what was recorded.

    With `strict`, a request with another body than the recorded one is a miss.
    """

    reports_unrecorded = False  # as vcrpy

    def __init__(
        self,
        cassette: CompatCassette,
        options: Options,
        owner: Owner,
        redaction: SuiteRedaction,
        *,
        strict: bool,
    ) -> None:
        self.cassette = cassette
        self.other_body: list[Request] = []  # answered although their body is not the recorded one
        self._home = threading.current_thread()
        self._redaction = redaction
        self._strict = strict
        self._recorded: dict[int, Pair] = {}
        self._key_at = functools.cache(self._recorded_key_at)
        path = str(cassette._path)
        super().__init__(path, options, owner)
        owner.sessions.append(self)

    @property
    def may_record(self) -> bool:
        return not self.cassette.write_protected

    def handle(self, request: Request, left_by: Session | None = None) -> Recorder | Player | None:
        filtered = self.cassette.filter_request(their_request(request))
        if not filtered:
            return None
        asked = self._redaction.request(our_request(filtered))
        with self._lock:
            player = self._choose(filtered, asked)
            if player is None and (kind := ambient_request(request)):
                return self._handle_ambient(kind, request)
            number = next(self._numbers)
            if player is None and not self.may_record:
                raise self.missed(VcrMissError(self, asked, number))
        if player is not None:
            return player
        refuse_placeholder(request, asked)
        return self._record(asked)

    def _choose(self, filtered: Any, asked: Request) -> Player | None:
        """Replay the answer to a request, and count it as played; None where there is none.

        Of several that match, the first one answers, as in vcrpy. Requests that may overlap come in
        any order: for them, and where `strict`, those with the same body come first.
        """
        cassette = self.cassette
        repeats = cassette.allow_playback_repeats
        if cassette.record_mode == RecordMode.ALL or not (cassette.rewound or repeats):
            return None
        pairs = cassette.data
        # The recorded request may be as stock vcrpy keeps it, or redacted.
        forms = (filtered, their_request(asked))
        fitting = [
            place
            for place, (stored, _) in enumerate(pairs)
            if (repeats or not cassette.play_counts[place])
            and any(cassette.fits(form, stored) for form in forms)
        ]
        key = self.matcher.key(asked)
        same = [place for place in fitting if self._key_at(place) == key]
        if not same and (self._strict or not fitting):
            return None
        in_order = not self._strict and not self._may_overlap()
        place = fitting[0] if in_order else (same or fitting)[0]
        recorded, response = pairs[place]
        if not cassette.play_counts[place] and place < cassette._loaded_count:
            cassette._played_interactions = [*cassette._played_interactions, pairs[place]]
        cassette.play_counts[place] += 1
        if place not in same:
            self.other_body.append(asked)
        interaction = Interaction(our_request(recorded), read_response(response))
        return self._replay(interaction, place + 1, repeats or len(fitting) > 1)

    def _may_overlap(self) -> bool:
        """Return whether another answer is still read, or other tasks or threads may send requests."""
        if self.streams.open() or threading.current_thread() is not self._home:
            return True
        return current_task_or_thread() is not self._home and len(tasks_of_this_loop()) > 1

    def _recorded_key_at(self, place: int) -> Any:
        recorded, _ = self.cassette.data[place]
        return self.matcher.key(self._redaction.request(our_request(recorded)))

    def as_kept(self, interaction: Interaction) -> Interaction | None:
        """Call the suite's hooks with a response that is to be kept, and redact it."""
        if interaction.response.status is None:  # vcrpy's format knows no request without an answer
            return None
        hooked = self.cassette._before_record_response(their_response(interaction.response))
        if hooked is None:
            return None
        return replace(interaction, response=self._redaction.response(read_response(hooked)))

    def recorded_pairs(self) -> list[Pair]:
        """Return what was recorded in the order in which it ended."""
        with self._lock:
            for order, one in self.recordings():
                # While the block is open, a retry of what failed is to go out again.
                is_playable = one.response.ended != "failed" or not self.is_open
                if is_playable and order not in self._recorded:
                    pair = their_request(one.request), their_response(one.response)
                    self._recorded[order] = pair
            return list(self._recorded.values())

    def end(self) -> None:
        """End the block; where the test failed, what broke off is left out, and mode ``all`` keeps the old.

        An HTTP error is kept, as vcrpy keeps it.
        """
        self.leave()
        if self.owner.succeeded:
            return
        self.keeps_old = self.mode == "all"
        if not self.keeps_old:
            self.discarded = [one for one in self.recorded if one.response.ended == "failed"]

    def leave(self) -> None:
        scope.leave(self)
        self.stop()
        self.close_streams()

    def _find_path(self) -> Path:
        return Path(self.name).absolute()

    def _load(self) -> tuple[CassetteState, Sequence[Interaction]]:
        return "present" if self.cassette.rewound else "absent", ()


def _like_recorded(request: Any, stored: Any) -> Any:
    """Return a request in the form in which the recorded one has it.

    Whether a request without a body has none, or an empty one, is as its library has it, and of
    aiohttp vcrpy keeps not the bytes but the JSON value. Of headers that libraries add themselves,
    vcrpy sees some and we see others; botocore's values are bytes. Which encodings are accepted
    depends on what is installed.
    """
    like = copy.copy(request)
    if isinstance(stored.body, dict | list):
        with suppress(ValueError, TypeError):
            like.body = json.loads(request.body)
    elif not request.body and not stored.body:
        like.body = stored.body
    mine, theirs = request.headers, stored.headers
    skipped = {name for name in _ADDED_BY_LIBRARIES if (name in mine) != (name in theirs)}
    skipped.add("accept-encoding")
    headers = {name: value for name, value in mine.items() if name.lower() not in skipped}
    for name, value in theirs.items():
        is_equal = isinstance(value, bytes) and mine.get(name) == value.decode("latin-1")
        if is_equal or name.lower() in skipped:
            headers[name] = value
    like.headers = headers
    return like


class VcrMissError(
    errors.CannotOverwriteExistingCassetteException,  # type: ignore[misc]
    MissError,
):
    """A miss that suites catch as vcrpy's own error, or as what an SDK makes of it."""

    passes_sdks = False

    def __init__(self, session: VcrSession, asked: Request, number: int) -> None:
        self.cassette = cassette = session.cassette
        self.failed_request = their_request(asked)
        self.similar_requests = cassette.find_requests_with_most_matches(self.failed_request)
        if hasattr(errors, "_reason"):  # vcrpy 9
            self.reason = errors._reason(cassette, self.similar_requests)
        mode: Any = getattr(cassette.record_mode, "value", cassette.record_mode)
        MissError.__init__(
            self,
            first_line(asked, number),
            method=asked.method,
            url=asked.url,
            path=session.path,
            facts=[
                cassette_line(session.shown_path, mode, is_absent=not session.path.exists()),
                *self._closest(session, asked),
            ],
            fix=session.fix,
        )

    def _closest(self, session: VcrSession, asked: Request) -> list[str]:
        if not self.similar_requests:
            return ["closest:  none, the cassette is empty"] if session.path.exists() else []
        recorded, _, differences = self.similar_requests[0]
        place = next(n for n, one in enumerate(self.cassette.requests) if one is recorded)
        what = "differs in the body"
        lines: Sequence[str] = ()
        if differences:
            what = f"differs in {' and '.join(name for name, _ in differences)}"
            lines = [line for _, reason in differences for line in (reason or "").split("\n")]
        elif self.cassette.play_counts[place]:
            again = "already played (allow_playback_repeats=True plays it again)"
            what = f"the same request, {again}"
        else:
            lines = describe(our_request(recorded), asked, session.matcher)
        return [f"closest:  recording {place + 1}, {what}", *(f"  {line}" for line in lines)]
