"""Asking the requests of a cassette again, live, with no test: all of it, or nothing is changed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import httpx

from aquila_cassette.api import Block
from aquila_cassette.cli.rerecord.conversation import Conversation
from aquila_cassette.cli.rerecord.hidden import Unhidden
from aquila_cassette.cli.rerecord.keys import target
from aquila_cassette.cli.rerecord.likeness import unlike, unusable
from aquila_cassette.errors import CassetteSaveError, ResendError
from aquila_cassette.model import Interaction, Response
from aquila_cassette.options import Layer
from aquila_cassette.redaction import Redaction
from aquila_cassette.redaction.names import FRAMING
from aquila_cassette.session.leak_check import no_secrets
from aquila_cassette.session.owner import Owner
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.cli.rerecord.line import Line
    from aquila_cassette.model import CassetteData, Request

__all__ = ["TIMEOUT", "Audience", "ask_again", "refuse_at_once"]

TIMEOUT = httpx.Timeout(600, connect=30)
"""How long to wait for a connection and for the next piece of an answer."""


class Audience(Protocol):
    """Who is shown the answers as they come."""

    def begin(self, number: int, interaction: Interaction) -> None:
        """Take the number of a request, and it with the head of its answer."""

    def piece(self, data: bytes) -> None:
        """Take a piece of the answer."""

    def end(self, interaction: Interaction) -> None:
        """Take the whole of it."""


def refuse_at_once(tape: CassetteData, path: Path, fix: str, line: Line) -> None:
    """Refuse a cassette that cannot be asked again, before anything is sent.

    Args:
        cassette: What it holds.
        path: The file.
        fix: What to do instead.
        line: The line to the providers.

    Raises:
        ResendError: An answer that no provider can be asked for, a secret that nobody knows.
    """
    for number, one in enumerate(tape.interactions, 1):
        why = unusable(one) or _hidden(one.request, line)
        if why:
            raise ResendError(
                f"Request {number} of {display_path(path)} cannot be asked again: {why[0]}",
                path=path,
                facts=why[1:],
                fix=fix,
            )


def _hidden(request: Request, line: Line) -> list[str]:
    try:
        line.unhidden(request)
    except Unhidden as hidden:
        return ["it holds a secret that is not in the environment.", f"hidden: {hidden}"]
    if Redaction().request(request) != _as_kept(request):
        return ["today's rules hide more of it; its suite's rules are not known here."]
    return []


def _as_kept(request: Request) -> Request:
    """Give the request with no header but those that the default rules keep."""
    kept = {name for name, _ in Redaction().request(request).headers}
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0] in kept))


def ask_again(
    tape: CassetteData, path: Path, fix: str, line: Line, audience: Audience, client: httpx.Client
) -> CassetteData:
    """Ask the requests of a cassette again, in their order, and put the answers in its place.

    Args:
        cassette: What the file holds.
        path: The file.
        fix: What to do where it cannot be done.
        line: The line to the providers.
        audience: Is shown the answers as they come.
        client: Sends; it follows no redirect, since those are on the cassette.

    Returns:
        What is now on file.

    Raises:
        ResendError: A request cannot be followed, or was not answered like the recorded one;
            nothing was changed.
        CassetteError: The file could not be written.
    """
    conversation = Conversation(tape.interactions, path, fix)
    new: list[Interaction] = []
    secrets = line.secrets
    for number, old in enumerate(tape.interactions, 1):
        request = conversation.request()
        try:
            sent, put_back = line.unhidden(request)
        except Unhidden as hidden:
            raise _failed(number, path, fix, f"it holds a secret at {hidden}.") from None
        secrets += put_back
        redact = _redaction(old.response, secrets)
        take = _Take(number, request, sent, redact, line, audience, client)
        try:
            response = take.response()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            raise _failed(number, path, fix, "it could not be sent, or heard.", why) from error
        if why_not := unlike(old.response, response):
            raise _failed(number, path, fix, *why_not)
        conversation.answered(response)
        one = replace(old, request=request, response=response, recorded_at=take.recorded_at)
        audience.end(one)
        new.append(one)
    return _save(tape, new, path, Redaction(patterns=_patterns(secrets)))


def _failed(number: int, path: Path, fix: str, why: str, *facts: str) -> ResendError:
    return ResendError(
        f"Request {number} of {display_path(path)} was not recorded again: {why}",
        path=path,
        facts=[*facts, f"{display_path(path)} stays as it was."],
        fix=fix,
    )


class _Take:
    """One request sent, its answer recorded as any other."""

    def __init__(
        self,
        number: int,
        request: Request,
        sent: Request,
        redact: Redaction,
        line: Line,
        audience: Audience,
        client: httpx.Client,
    ) -> None:
        self._number = number
        self._request = request
        self._sent = sent
        self._redact = redact
        self._line = line
        self._audience = audience
        self._client = client
        self.recorded_at = ""

    def response(self) -> Response:
        """Send the request, and give its whole answer, redacted."""
        sent, line = self._sent, self._line
        account = line.account_headers(self._request.url)
        own = {name for name, _ in account}
        headers = [*(pair for pair in sent.headers if pair[0] not in own), *account]
        with (
            _recording(self._redact) as cassette,
            self._client.stream(
                sent.method,
                target(sent.url, line.base_url),
                headers=headers,
                content=sent.body or None,
            ) as answer,
        ):
            raw = answer.headers.raw
            received = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw
            )
            head = Response(answer.status_code, received)
            self._audience.begin(self._number, Interaction(self._request, head))
            for piece in answer.iter_raw():
                self._audience.piece(piece)
        (recorded,) = cassette.recorded
        self.recorded_at = recorded.recorded_at
        return recorded.response


def _recording(redact: Redaction) -> Block:
    """Open a block that records everything and, since its owner never commits it, saves nothing."""
    owner = Owner("aquila-cassette record", rerecord="")
    nowhere = Path("aquila-cassette-writes-nothing-here")
    options = {"mode": "all", "redact": redact, "cassette_dir": nowhere}
    return Block("direct", Layer("aquila-cassette record", options), owner)


def _redaction(old: Response, secrets: Sequence[str]) -> Redaction:
    """Give the rules for an answer: the defaults, what was sent, the headers that were kept."""
    kept = {name for name, _ in old.headers} - FRAMING
    return Redaction(patterns=_patterns(secrets), keep_headers=sorted(kept))


def _patterns(secrets: Sequence[str]) -> list[str]:
    return [re.escape(secret) for secret in secrets]


def _save(
    tape: CassetteData, new: Sequence[Interaction], path: Path, redact: Redaction
) -> CassetteData:
    old = list(tape.interactions)

    def give_way(one: Interaction) -> bool:
        if one not in old:
            raise CassetteSaveError(
                f"{display_path(path)} was not written: somebody else has recorded into it meanwhile.",
                path=path,
                fix="Run it again.",
            )
        return True

    return files.save(
        path,
        new,
        drop=give_way,
        check=lambda text: no_secrets(text, redact, path, display_path(path)),
    )
