"""The session of a vcrpy cassette: our adapters, streams and recorders, vcrpy's matching and files."""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from vcr.errors import (  # type: ignore[import-untyped]
    CannotOverwriteExistingCassetteException,
)
from vcr.util import CaseInsensitiveDict  # type: ignore[import-untyped]

from aquila_cassette.errors import MissError
from aquila_cassette.matching.difference import describe
from aquila_cassette.model import Headers, Interaction, Request, Response
from aquila_cassette.redaction import Redaction, environment_secrets
from aquila_cassette.redaction.names import FRAMING, SecretNames
from aquila_cassette.session import current as scope
from aquila_cassette.session.ambient import ambient_request, refuse_placeholder
from aquila_cassette.session.player import ReplayIndex
from aquila_cassette.session.session import Session
from aquila_cassette.vcr_compat.translation import (
    OURS,
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
    from aquila_cassette.vcr_compat.vcr import CompatCassette


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


class SuiteRedaction:
    """Redacts as `Redaction` does, but keeps all headers: matchers and tests of suites read them.

    Nor does it change `replacements`, what the suite itself puts in the place of secrets.
    """

    def __init__(self, redact: Redaction, replacements: Iterable[str] = ()) -> None:
        self._replacements = frozenset(replacements)
        # What is allowed counts as a value and as a name: "password" must not allow itself.
        names = SecretNames()
        values = [
            text
            for text in self._replacements
            if text and names.sensitivity(text, "sent") == "never"
        ]
        rules = redact | Redaction(allow=values)

        @lru_cache(maxsize=64)
        def keeping(names: frozenset[str]) -> Redaction:
            return rules | Redaction(keep_headers=sorted(names))

        self._keeping = keeping

    def request(self, request: Request) -> Request:
        env = environment_secrets(os.environ)
        clean = self._rules(request.headers).request(request, env=env)
        return replace(
            clean,
            url=self._url(request.url, clean.url),
            headers=self._all(request.headers, clean.headers),
        )

    def response(self, response: Response) -> Response:
        env = environment_secrets(os.environ)
        clean = self._rules(response.headers).response(response, env=env)
        return replace(clean, headers=self._all(response.headers, clean.headers))

    def _rules(self, headers: Headers) -> Redaction:
        return self._keeping(frozenset(name.lower() for name, _ in headers) - FRAMING)

    def _url(self, before: str, after: str) -> str:
        """Return `after`, with the parameters that are replacements as they were."""
        was, now = before.partition("?")[2].split("&"), after.split("?", 1)
        if before == after or len(now) == 1 or len(was) != len(now[1].split("&")):
            return after
        pairs = zip(was, now[1].split("&"), strict=True)
        query = [
            old if unquote_plus(old.partition("=")[2]) in self._replacements else new
            for old, new in pairs
        ]
        return f"{now[0]}?{'&'.join(query)}"

    def _all(self, before: Headers, after: Headers) -> Headers:
        """Return `after`, with the headers that redaction drops, or that are replacements."""
        rest = iter(after)
        pairs = [(pair, pair if pair[0].lower() in FRAMING else next(rest)) for pair in before]
        return tuple(old if old[1] in self._replacements else new for old, new in pairs)
