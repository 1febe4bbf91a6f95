"""An open cassette of our engine whose cassette is vcrpy's: the same heads, streams and recordings."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquila_cassette.model import Interaction, Request, Response
from aquila_cassette.session import current as scope
from aquila_cassette.session.ambient import ambient_request, refuse_placeholder
from aquila_cassette.session.player import ReplayIndex
from aquila_cassette.session.session import Session
from aquila_cassette.vcr_compat.missing import missing
from aquila_cassette.vcr_compat.secrets import Secrets
from aquila_cassette.vcr_compat.translation import (
    OURS,
    NoCase,
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
    from aquila_cassette.vcr_compat.tape import CassetteData

__all__ = ["Deck"]


@dataclass(frozen=True, slots=True)
class _Asked(Request):
    """A request as it is shown, secrets hidden, and as vcrpy keeps it."""

    theirs: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Kept(Interaction):
    """A recording, and its response as vcrpy keeps it."""

    theirs: Any = field(default=None, compare=False)


class Deck(Session):
    """The open cassette: what matches, and what is kept, is asked of the cassette.

    Args:
        cassette: vcrpy's.
        resolved: Its options; of their matching only the body's counts.
        owner: Who answers for it.
        secrets: What is hidden in what is recorded.
        strict: Whether a request with another body than the recorded one is a miss.
    """

    def __init__(
        self,
        tape: CassetteData,
        resolved: Resolved,
        owner: Owner,
        *,
        secrets: Secrets,
        strict: bool,
    ) -> None:
        self.tape = tape
        self.strict = strict
        self.other_body: list[Request] = []
        """The requests that were answered although their body is not the recorded one."""
        self.at_end: Callable[[], None] = lambda: None
        """Called when the block has ended."""
        self._secrets = secrets
        self._asking = threading.RLock()
        self._handed: set[int] = set()
        self._ours: dict[int, Interaction] = {}
        self._bodies: dict[int, Hashable] = {}
        self.owner = owner
        super().__init__(
            str(tape.path),
            resolved,
            root=owner.root,
            fix=owner.fix,
            signature=lambda: owner.signature,
        )
        owner.sessions.append(self)
        tape.deck = self

    @property
    def may_record(self) -> bool:
        """Whether a request that the cassette does not know would be sent."""
        return not self.tape.write_protected

    @property
    def only_records(self) -> bool:
        """Whether all that is asked goes out, since the cassette has nothing to replay."""
        return self.may_record and not self.tape.rewound

    def handle(self, request: Request) -> Recorder | Player | None:
        """Decide about one request, as vcrpy would.

        Args:
            request: The request as it would go out.

        Raises:
            MissError: The cassette has no answer and the mode does not let it be recorded.
            UsageError: It would be recorded, and its key is only a placeholder.
        """
        filtered = self.tape.filter_request(their_request(request))
        if not filtered:
            return None
        asked = self._asked(filtered)
        with self._asking:
            forms = self._forms(filtered, asked)
            chosen = self.tape.choose(forms, self._has_body_of(asked), strict=self.strict)
            if chosen is None and (kind := ambient_request(request)):
                return self._handle_ambient(kind, request)
            number = next(self._numbers)
            if chosen is None and self.tape.write_protected:
                raise self._missed(missing(self, asked, number, asked.theirs))
        if chosen is None:
            refuse_placeholder(request, asked)
            return self._record(asked)
        if not chosen.same_body:
            self.other_body.append(asked)
        return self._replay(self._interaction(chosen.place), chosen.place + 1, chosen.more)

    def before_record(self, interaction: Interaction) -> Interaction | None:
        """Show what is about to be kept to the hooks, and redact it."""
        response = interaction.response
        if response.status is None:  # vcrpy's format knows no request without an answer
            return None
        shown = their_response(response)
        shown.pop(OURS, None)
        hooked = self.tape.filter_response(copy.deepcopy(shown))
        if hooked is None:
            return None
        kept = self._secrets.response(_timed(our_response(hooked), response))
        theirs = _like(hooked, kept)
        return _Kept(
            interaction.request,
            kept,
            recorded_at=interaction.recorded_at,
            recorded_by=interaction.recorded_by,
            theirs=theirs,
        )

    def hand_over(self, *, failed: bool = False) -> None:
        """Put what was recorded, and is over, on the cassette.

        Args:
            failed: Whether answers that failed on their way go there too.
        """
        with self._asking:
            for order, interaction in self.recordings():
                late = interaction.response.ended == "failed" and not failed
                if order in self._handed or late or interaction in self.discarded:
                    continue
                self._handed.add(order)
                assert isinstance(interaction, _Kept)
                assert isinstance(interaction.request, _Asked)
                self.tape.keep(interaction.request.theirs, interaction.theirs)

    def finish(self) -> bool:
        """End the recordings, before the cassette is saved.

        Returns:
            Whether it may be saved: what is recorded anew takes the old one's place only if all
            went well.
        """
        with self._asking:
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
        """Answer what is asked, for as long as the context lasts."""
        scope.enter(self)
        try:
            yield
        finally:
            self._leave()
            self.at_end()

    # How it works.

    def _leave(self) -> None:
        scope.leave(self)
        self.stop()

    def _find_path(self, root: Path) -> Path:
        return Path(self.name).absolute()

    def _load_index(self, *args: Any) -> ReplayIndex:
        return ReplayIndex((), "present" if self.tape.rewound else "absent", self.recorded_key)

    def _asked(self, filtered: Any) -> _Asked:
        clean = self._secrets.request(our_request(filtered))
        theirs = copy.copy(filtered)
        theirs.uri = clean.url
        theirs.headers = {**filtered.headers, **their_request(clean).headers}
        if clean.body != _body(filtered):
            theirs.body = clean.body
        return _Asked(clean.method, clean.url, clean.headers, clean.body, theirs=theirs)

    def _forms(self, filtered: Any, asked: _Asked) -> Sequence[Any]:
        """List the forms in which a request may be on the cassette: as it is, and redacted.

        Whether a request without a body has none, or an empty one, is as its library has it, and
        of aiohttp vcrpy keeps not the bytes but the JSON value.
        """
        if self.tape.looks_at_urls_only and filtered.uri == asked.url:
            return (filtered,)
        forms = [filtered, asked.theirs]
        if not asked.body:
            forms += [_with_body(one, None if one.body is not None else b"") for one in forms]
        elif self.tape.holds_values:
            with suppress(ValueError):
                value = json.loads(asked.body)
                forms += [_with_body(one, value) for one in forms]
        return forms

    def _has_body_of(self, asked: Request) -> Any:
        key = self.matcher.key(asked)
        return lambda place: self._body_at(place) == key

    def _body_at(self, place: int) -> Hashable:
        if place not in self._bodies:
            stored = our_request(self.tape.data[place][0])
            self._bodies[place] = self.matcher.key(self._secrets.request(stored))
        return self._bodies[place]

    def _interaction(self, place: int) -> Interaction:
        if place not in self._ours:
            request, response = self.tape.data[place]
            self._ours[place] = Interaction(our_request(request), our_response(response))
        return self._ours[place]


def _with_body(theirs: Any, body: Any) -> Any:
    other = copy.copy(theirs)
    other.body = body
    return other


def _body(theirs: Any) -> bytes:
    return our_request(theirs).body


def _timed(hooked: Response, live: Response) -> Response:
    """Give what the hooks made of a response, with the pieces that came if they are still it."""
    pieces = live.pieces if hooked.body == live.body else hooked.pieces
    return replace(live, status=hooked.status, headers=hooked.headers, pieces=tuple(pieces))


def _like(hooked: dict[str, Any], kept: Response) -> dict[str, Any]:
    """Give a response as the hooks left it, with its secrets hidden, and what only we know."""
    clean = their_response(kept)
    headers = NoCase()
    for name in hooked.get("headers") or {}:
        if name in clean["headers"]:
            headers[name] = clean["headers"][name]
    body = hooked.get("body")
    clean["body"] = {**(body if isinstance(body, dict) else {}), **clean["body"]}
    return {**hooked, **clean, "status": hooked["status"], "headers": headers}
