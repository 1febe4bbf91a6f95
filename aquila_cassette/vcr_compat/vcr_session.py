"""vcrpy's cassette and our session of it: our adapters and recorders, vcrpy's matchers and files."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import vcr.matchers as matchers  # type: ignore[import-untyped]
from vcr.cassette import Cassette  # type: ignore[import-untyped]
from vcr.errors import (  # type: ignore[import-untyped]
    CannotOverwriteExistingCassetteException,
)
from vcr.matchers import get_matchers_results, requests_match
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.util import CaseInsensitiveDict  # type: ignore[import-untyped]

from aquila_cassette.errors import MissError
from aquila_cassette.matching.difference import describe
from aquila_cassette.model import Interaction, Request, Response
from aquila_cassette.session import current as scope
from aquila_cassette.session.ambient import ambient_request, refuse_placeholder
from aquila_cassette.session.player import ReplayIndex
from aquila_cassette.session.session import Session
from aquila_cassette.vcr_compat.persister import Files
from aquila_cassette.vcr_compat.translation import (
    OURS,
    SuiteRedaction,
    our_request,
    our_response,
    their_request,
    their_response,
)

if TYPE_CHECKING:
    from aquila_cassette.options import Resolved
    from aquila_cassette.session.owner import Owner
    from aquila_cassette.session.player import Player
    from aquila_cassette.session.recorder import Recorder


_URL_MATCHERS = frozenset({
    *(matchers.method, matchers.uri, matchers.scheme, matchers.host),
    *(matchers.port, matchers.path, matchers.query),
})  # fmt: skip


class Chosen(NamedTuple):
    """Where the answer is, whether its request had the same body, and whether more follow."""

    place: int
    same_body: bool
    more: bool


class CompatCassette(Cassette):  # type: ignore[misc]
    """A `vcr.cassette.Cassette`: loading, hooks, matchers, counts and saving are vcrpy's own.

    Requests come from our adapters, responses when they have ended.
    """

    def __init__(self, **settings: Any) -> None:
        self.session: VcrSession | None = None
        self._pairs: list[tuple[Any, Any]] = []
        super().__init__(**settings)

    @property
    def data(self) -> list[tuple[Any, Any]]:
        """The requests and responses: those of the file, and those recorded so far."""
        if self.session is not None:
            self.session.hand_over()
        return self._pairs

    @data.setter
    def data(self, pairs: list[tuple[Any, Any]]) -> None:
        self._pairs = pairs

    @property
    def matches_url_only(self) -> bool:
        return _URL_MATCHERS.issuperset(self._match_on)

    @property
    def has_json_values(self) -> bool:
        """Whether a recorded request has a JSON value for a body, in place of its bytes."""
        return any(isinstance(request.body, dict | list) for request, _ in self._pairs)

    def choose(
        self, forms: Sequence[Any], same_body: Callable[[int], bool], *, strict: bool
    ) -> Chosen | None:
        """Choose the answer to a request, and count it as played; None where there is none.

        Of several that match, those with the same body come first, so that concurrent requests get
        their own answers. `strict` accepts no other body. `forms` are the request in each form in
        which it may be on the cassette.
        """
        repeats = self.allow_playback_repeats
        if self.record_mode == RecordMode.ALL or not (self.rewound or repeats):
            return None
        fitting = [
            place
            for place, (stored, _) in enumerate(self.data)
            if (repeats or not self.play_counts[place])
            and any(requests_match(form, stored, self._match_on) for form in forms)
        ]
        same = [place for place in fitting if same_body(place)]
        if not same and (strict or not fitting):
            return None
        place = (same or fitting)[0]
        if not self.play_counts[place] and place < self._loaded_count:
            self._played_interactions.append(self.data[place])
        self.play_counts[place] += 1
        return Chosen(place, bool(same), repeats or len(fitting) > 1)

    def differences(self, request: Any) -> list[list[tuple[str, str | None]]]:
        """List for each recorded request the matchers that reject it, and their reasons."""
        return [get_matchers_results(request, stored, self._match_on)[1] for stored, _ in self.data]

    def filter_response(self, response: dict[str, Any]) -> dict[str, Any] | None:
        """Call the suite's hooks with a response; None where one of them drops it."""
        filtered: dict[str, Any] | None = self._before_record_response(response)
        return filtered

    def append(self, request: Any, response: Any) -> None:
        if isinstance(response, dict) and isinstance(response.get("headers"), dict):
            response = {**response, "headers": CaseInsensitiveDict(response["headers"])}
        super().append(request, response)

    def keep(self, request: Any, response: dict[str, Any]) -> None:
        """Add a recorded pair, filtered as it is to be saved."""
        self._pairs.append((request, response))
        self.dirty = True

    def _save(self, force: bool = False) -> None:
        if self.session is not None and not self.session.finish():
            return
        persister = self._persister
        if isinstance(persister, Files):
            persister.replaces |= self.record_mode == RecordMode.ALL or self.drop_unused_requests
        super()._save(force=force)

    def _persist(self, cassette_dict: dict[str, Any]) -> None:
        responses = [_plain(response) for response in cassette_dict["responses"]]
        super()._persist({**cassette_dict, "responses": responses})


def _plain(response: Any) -> Any:
    """Return a response that any serializer can write, and may write into."""
    if not isinstance(response, dict):
        return response
    parts = {name: response[name] for name in ("headers", "body") if name in response}
    copies = {name: dict(part) for name, part in parts.items() if isinstance(part, Mapping)}
    return {**response, **copies}


@dataclass(frozen=True, slots=True)
class _Asked(Request):
    """A redacted request, and the same as vcrpy keeps it."""

    theirs: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Kept(Interaction):
    """A recorded interaction, and its response as vcrpy keeps it."""

    theirs: Any = field(default=None, compare=False)


class VcrSession(Session):
    """A session that asks vcrpy's cassette what matches, and hands over what it recorded.

    With `strict`, a request with another body than the recorded one is a miss. `on_end` is called
    with the session when its block has ended.
    """

    def __init__(
        self,
        cassette: CompatCassette,
        resolved: Resolved,
        owner: Owner,
        *,
        redaction: SuiteRedaction,
        strict: bool,
        on_end: Callable[[VcrSession], None],
    ) -> None:
        self.cassette = cassette
        self.other_body: list[Request] = []
        """The requests that were answered although their body is not the recorded one."""
        self._strict = strict
        self._on_end = on_end
        self._redaction = redaction
        self._choosing = threading.RLock()
        self._handed_over: set[int] = set()
        self._ours: dict[int, Interaction] = {}
        self._bodies: dict[int, Hashable] = {}
        self.owner = owner
        super().__init__(
            str(cassette.path),
            resolved,
            root=owner.root,
            fix=owner.fix,
            signature=owner.name,
        )
        owner.sessions.append(self)
        cassette.session = self

    @property
    def may_record(self) -> bool:
        return not self.cassette.write_protected

    @property
    def only_records(self) -> bool:
        return self.may_record and not self.cassette.rewound

    def handle(self, request: Request) -> Recorder | Player | None:
        """Decide about one request, as vcrpy would."""
        filtered = self.cassette.filter_request(their_request(request))
        if not filtered:
            return None
        asked = self._asked(filtered)
        with self._choosing:
            forms = self._forms(filtered, asked)
            chosen = self.cassette.choose(forms, self._has_body_of(asked), strict=self._strict)
            if chosen is None and (kind := ambient_request(request)):
                return self._handle_ambient(kind, request)
            number = next(self._numbers)
            if chosen is None and self.cassette.write_protected:
                raise self._missed(_miss(self, asked, number))
        if chosen is None:
            refuse_placeholder(request, asked)
            return self._record(asked)
        if not chosen.same_body:
            self.other_body.append(asked)
        return self._replay(self._interaction(chosen.place), chosen.place + 1, chosen.more)

    def before_record(self, interaction: Interaction) -> Interaction | None:
        """Call the suite's hooks with a response that is to be kept, and redact it."""
        response = interaction.response
        if response.status is None:  # vcrpy's format knows no request without an answer
            return None
        shown = their_response(response)
        shown.pop(OURS, None)
        hooked = self.cassette.filter_response(copy.deepcopy(shown))
        if hooked is None:
            return None
        kept = self._redaction.response(_timed(our_response(hooked), response))
        theirs = _like(hooked, kept)
        return _Kept(
            interaction.request,
            kept,
            recorded_at=interaction.recorded_at,
            recorded_by=interaction.recorded_by,
            theirs=theirs,
        )

    def hand_over(self, *, failed: bool = False) -> None:
        """Add what was recorded, and has ended, to the cassette; failed streams only if `failed`."""
        with self._choosing:
            for order, interaction in self.recordings():
                late = interaction.response.ended == "failed" and not failed
                if order in self._handed_over or late or interaction in self.discarded:
                    continue
                self._handed_over.add(order)
                assert isinstance(interaction, _Kept)
                assert isinstance(interaction.request, _Asked)
                self.cassette.keep(interaction.request.theirs, interaction.theirs)

    def finish(self) -> bool:
        """End the recordings, and return whether the cassette may be saved.

        What was re-recorded replaces the old only if the owner succeeded.
        """
        with self._choosing:
            self._leave()
            if self.owner.failed:
                if self.mode == "all":
                    self.keeps_old = True
                    return False
                self.discarded = [
                    one for _, one in self.recordings() if one.response.ended == "failed"
                ]
            self.hand_over(failed=True)
            return True

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Answer requests for as long as the context lasts."""
        scope.enter(self)
        try:
            yield
        finally:
            self._leave()
            self._on_end(self)

    def _leave(self) -> None:
        scope.leave(self)
        self.stop()

    def _find_path(self, root: Path) -> Path:
        return Path(self.name).absolute()

    def _load_index(self, *args: Any) -> ReplayIndex:
        return ReplayIndex((), "present" if self.cassette.rewound else "absent", self.recorded_key)

    def _asked(self, filtered: Any) -> _Asked:
        clean = self._redaction.request(our_request(filtered))
        theirs = copy.copy(filtered)
        theirs.uri = clean.url
        theirs.headers = {**filtered.headers, **their_request(clean).headers}
        if clean.body != our_request(filtered).body:
            theirs.body = clean.body
        return _Asked(clean.method, clean.url, clean.headers, clean.body, theirs=theirs)

    def _forms(self, filtered: Any, asked: _Asked) -> Sequence[Any]:
        """List the forms in which a request may be on the cassette: as it is, and redacted.

        Whether a request without a body has none, or an empty one, is as its library has it, and
        of aiohttp vcrpy keeps not the bytes but the JSON value.
        """
        if self.cassette.matches_url_only and filtered.uri == asked.url:
            return (filtered,)
        forms = [filtered, asked.theirs]
        if not asked.body:
            forms += [_with_body(one, None if one.body is not None else b"") for one in forms]
        elif self.cassette.has_json_values:
            with suppress(ValueError):
                value = json.loads(asked.body)
                forms += [_with_body(one, value) for one in forms]
        return forms

    def _has_body_of(self, asked: Request) -> Any:
        key = self.matcher.key(asked)
        return lambda place: self._body_at(place) == key

    def _body_at(self, place: int) -> Hashable:
        if place not in self._bodies:
            stored = our_request(self.cassette.data[place][0])
            self._bodies[place] = self.matcher.key(self._redaction.request(stored))
        return self._bodies[place]

    def _interaction(self, place: int) -> Interaction:
        if place not in self._ours:
            request, response = self.cassette.data[place]
            self._ours[place] = Interaction(our_request(request), our_response(response))
        return self._ours[place]


def _with_body(theirs: Any, body: Any) -> Any:
    other = copy.copy(theirs)
    other.body = body
    return other


def _timed(hooked: Response, live: Response) -> Response:
    """Return what the hooks made of a response, with its pieces if its body is still the same."""
    pieces = live.pieces if hooked.body == live.body else hooked.pieces
    return replace(live, status=hooked.status, headers=hooked.headers, pieces=tuple(pieces))


def _like(hooked: dict[str, Any], kept: Response) -> dict[str, Any]:
    """Return a response as the hooks left it, but redacted and with what only we know."""
    clean = their_response(kept)
    headers = CaseInsensitiveDict()
    for name in hooked.get("headers") or {}:
        if name in clean["headers"]:
            headers[name] = clean["headers"][name]
    body = hooked.get("body")
    clean["body"] = {**(body if isinstance(body, dict) else {}), **clean["body"]}
    return {**hooked, **clean, "status": hooked["status"], "headers": headers}


class VcrMissError(
    CannotOverwriteExistingCassetteException,  # type: ignore[misc]
    MissError,
):
    """A miss that suites catch as vcrpy's own error."""

    def __init__(self, session: VcrSession, request: _Asked, number: int, facts: list[str]) -> None:
        self.cassette = session.cassette
        self.failed_request = request.theirs
        self.similar_requests = session.cassette.find_requests_with_most_matches(request.theirs)
        self.reason = _reason(session.cassette, self.similar_requests)
        MissError.__init__(
            self,
            f"No interaction matches {request.method} {request.url} "
            f"(request {number} of this block).",
            method=request.method,
            url=request.url,
            path=session.path,
            facts=facts,
            fix=session.fix,
        )


def _miss(session: VcrSession, request: _Asked, number: int) -> VcrMissError:
    cassette = session.cassette
    absent = "" if cassette.rewound else "; there is no such file yet"
    mode = getattr(cassette.record_mode, "value", cassette.record_mode)
    facts = [f"cassette: {session.shown_path} (mode {mode}{absent})", *_closest(session, request)]
    return VcrMissError(session, request, number, facts)


def _closest(session: VcrSession, request: _Asked) -> list[str]:
    cassette = session.cassette
    differences = cassette.differences(request.theirs)
    if not differences:
        return ["closest:  none, the cassette is empty"] if cassette.rewound else []
    place = min(range(len(differences)), key=lambda place: (len(differences[place]), place))
    where = f"closest:  recording {place + 1}, "
    if differences[place]:
        names = " and ".join(
            "the URL" if name in ("uri", "url") else f"the {name.replace('_', ' ')}"
            for name, _ in differences[place]
        )
        reasons = [text or "" for _, text in differences[place]]
        lines = [f"  {line}" for reason in reasons for line in reason.strip().splitlines()]
        return [f"{where}differs in {names}", *lines]
    if cassette.play_counts[place]:
        again = "already played (allow_playback_repeats=True plays it again)"
        return [f"{where}the same request, {again}"]
    lines = describe(our_request(cassette.requests[place]), request, session.matcher)
    return [f"{where}differs in the body", *(f"  {line}" for line in lines)]


def _reason(cassette: CompatCassette, similar: list[Any]) -> str:
    if not cassette.rewound and not len(cassette):
        return "cassette_not_found"
    if similar and not similar[0][2]:
        return "already_played"
    return "no_match" if similar else "nothing_similar"
