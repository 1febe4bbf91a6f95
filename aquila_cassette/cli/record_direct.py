"""`record --direct`: send the recorded requests again, without tests.

A cassette is replaced when all of its requests were answered as before, or not at all.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

import httpx

from aquila_cassette.api import Block
from aquila_cassette.cli.folder import read_note
from aquila_cassette.cli.output import NO, YES, Screen, print_error
from aquila_cassette.cli.record_conversation import Conversation, resend_error
from aquila_cassette.cli.record_selection import Outcome, Result
from aquila_cassette.dialects.providers import key_of, provider_for_key
from aquila_cassette.dialects.reading import read_message
from aquila_cassette.errors import CassetteError, CassetteSaveError, UsageError
from aquila_cassette.matching.keys import Matcher
from aquila_cassette.model import Interaction, Response
from aquila_cassette.options import Layer
from aquila_cassette.redaction import REDACTED, Redaction
from aquila_cassette.redaction.rules import FRAMING
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.owner import Owner
from aquila_cassette.session.saving import refuse_secrets
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.comparison import is_same_recording
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aquila_cassette.cli.record_selection import Target
    from aquila_cassette.dialects.providers import KnownProvider
    from aquila_cassette.model import CassetteData, Headers

_QUERY_KEY = re.compile(rf"(?<=[?&])((?:api[_-]?)?key=){re.escape(REDACTED)}(?=&|$)")
TIMEOUT = httpx.Timeout(600, connect=30)  # seconds, for a connection and for the next piece


def resend(
    screen: Screen, targets: Sequence[Target], base_url: str | None
) -> tuple[list[Outcome], bool]:
    """Send the requests of some cassettes again; return what became of each, and whether Ctrl-C came."""
    refused = find_refused(targets)
    sent = [one for one in targets if one.path not in refused]
    require_keys(one.request.url for target in sent for one in target.cassette.interactions)
    outcomes: list[Outcome] = []
    is_stopped = False
    with httpx.Client(timeout=TIMEOUT) as client:
        for one in targets:
            new, why = one.cassette, "not asked"
            try:
                if error := refused.get(one.path):
                    raise error
                if not is_stopped:
                    new, why = _resend(one, base_url, screen, client), ""
            except CassetteError as error:
                print_error(escape_control_chars(str(error)))
                why = error.what.partition(": ")[2] or error.what
            except KeyboardInterrupt:
                is_stopped, why = True, "stopped"
            result: Result = "kept" if why else "re-recorded"
            outcomes.append(Outcome(one.name, result, one.cassette, new, why))
    screen.line()
    return outcomes, is_stopped


def find_refused(targets: Sequence[Target]) -> dict[Path, CassetteError]:
    """Return the cassettes that cannot be sent again, before anything is sent."""
    refused: dict[Path, CassetteError] = {}
    for target in targets:
        for number, one in enumerate(target.cassette.interactions, 1):
            if why := _why_unrepeatable(one):
                what = "cannot be sent again"
                error = resend_error(target.path, _fix(target), number, what, *why)
                refused.setdefault(target.path, error)
    return refused


def _why_unrepeatable(one: Interaction) -> list[str]:
    request = one.request
    sent = (_with_key(request.url), *(value for _, value in request.headers))
    if REDACTED in unquote(" ".join(sent)) or REDACTED.encode() in unquote_to_bytes(request.body):
        return ["it holds a redacted value, which is not known here."]
    if failed := _failure(one):
        return ["its answer failed; that cannot be asked for.", f"recorded: {failed}"]
    return []


def _failure(one: Interaction) -> str | None:
    """Return how an answer failed otherwise than by its status, which is an answer like any other."""
    is_http_error = one.response.ended != "failed" and (one.response.status or 0) >= 400
    return failed.words if not is_http_error and (failed := how_failed(one)) else None


def _why_unlike(old: Response, one: Interaction) -> list[str]:
    """Return how a new answer is not of the recorded one's kind; nothing where it is."""
    new = one.response
    was, now = (read_message(each.header("content-type"), each.body) for each in (old, new))
    if old.status != new.status:
        facts = [f"recorded: HTTP {old.status}", f"now:      HTTP {new.status}"]
        return ["it was answered with another status.", *facts, *([now.error] if now.error else [])]
    if failed := _failure(one):
        return ["its answer failed.", failed]
    if was.dialect is not None and was.dialect != now.dialect:
        facts = [f"recorded: {was.dialect}", f"now:      {now.dialect}"]
        return ["it was answered in another dialect.", *facts]
    if REDACTED.encode() in old.body and REDACTED.encode() not in new.body:
        return ["what its suite redacted in the recorded answer is not redacted in the new one."]
    return []


def _fix(target: Target) -> str:
    if target.tests:
        return f"Fix: aquila-cassette record {shlex.quote(target.name)}"
    return "Fix: run what recorded it, with AQUILA_RECORD=all"


def _is_checked(path: Path) -> bool:
    """Return whether tests use a cassette and match its bodies, as far as runs have noted."""
    for name in ("unused", "unmatched_bodies"):
        note = read_note(name, path)
        if note and path.absolute() in [(note.root / one).absolute() for one in note.content]:
            return False
    return True


def _resend(
    target: Target, base_url: str | None, screen: Screen, client: httpx.Client
) -> CassetteData:
    """Send the requests of a cassette in order, save the answers, return what the file holds then."""
    path, old, fix = target.path, target.cassette.interactions, _fix(target)
    new = []
    for number, (was, one, failure) in enumerate(ask_again(target, base_url, client), 1):
        why = failure or _why_unlike(was.response, one)
        sign = (NO, "red") if why else (YES, "green")
        url = redirect(one.request.url, base_url)
        screen.line(sign, escape_control_chars(f" {target.name}: {one.request.method} {url}"))
        if why:
            why.append(f"{display_path(path)} was not changed.")
            raise resend_error(path, fix, number, "was not recorded again", *why)
        new.append(one)
    if is_same_recording(old, new, Matcher().key):
        return target.cassette

    def drop(one: Interaction) -> bool:
        if one in old:
            return True
        raise CassetteSaveError(
            f"{display_path(path)} was not written: another process has recorded into it since.",
            path=path,
            fix="Fix: run the command again",
        )

    rules = Redaction()
    return files.save(path, new, drop=drop, check=lambda data: refuse_secrets(data, rules, path))


def ask_again(
    target: Target, base_url: str | None, client: httpx.Client
) -> Iterator[tuple[Interaction, Interaction, list[str]]]:
    """Send the requests of a cassette in order; yield each interaction, the new one, how it failed."""
    path, old = target.path, target.cassette.interactions
    conversation = Conversation(old, path, _fix(target), is_checked=_is_checked(path))
    for was in old:
        one, failure = replace(was, request=conversation.request()), list[str]()
        try:
            one = _recorded(one, base_url, client)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = ["the connection failed.", f"{type(error).__name__}: {error}".rstrip(": ")]
        yield was, one, failure
        conversation.answered(one.response)


def _recorded(old: Interaction, base_url: str | None, client: httpx.Client) -> Interaction:
    """Send one request and return it with its new answer, redacted."""
    sent = old.request
    own = _key_header(sent.url)
    headers = [*(pair for pair in sent.headers if pair[0].lower() not in dict(own)), *own]
    # Recorded as any other answer; an owner that never commits saves nothing.
    kept = {name.lower() for name, _ in old.response.headers} - FRAMING
    rules = Redaction(keep_headers=sorted(kept))
    options = {"mode": "all", "redact": rules, "cassette_dir": Path("nothing-is-written")}
    owner = Owner("aquila-cassette record")
    block = Block("direct", Layer("aquila-cassette record", options), owner)
    url = redirect(_with_key(sent.url), base_url)
    ask = client.stream(sent.method, url, headers=headers, content=sent.body or None)
    with block as cassette, ask as answer:
        for _ in answer.iter_raw():
            pass
    (one,) = cassette.recorded
    return replace(old, response=one.response, recorded_at=one.recorded_at)


def _key_header(url: str) -> Headers:
    """Return the header that holds the key of a provider, for its own host only."""
    provider, key = _key(url)
    return ((provider.key_header, provider.key_prefix + key),) if provider and key else ()


def _with_key(url: str) -> str:
    """Return a URL with the key that redaction took out of its query."""
    key = _key(url)[1]
    return _QUERY_KEY.sub(lambda match: match[1] + quote(key), url) if key else url


def _key(url: str) -> tuple[KnownProvider | None, str | None]:
    provider = provider_for_key(url)
    return provider, None if provider is None else key_of(provider, os.environ)


def require_keys(urls: Iterable[str]) -> None:
    """Refuse to begin if a key is missing; the message names all that are."""
    missing = {
        urlsplit(url).hostname: provider.key_variables
        for url in urls
        for provider, key in [_key(url)]
        if provider and not key
    }
    if missing:
        raise UsageError(
            f"There is no key for {' and '.join(map(str, missing))}; nothing was sent.",
            facts=[f"{host}: {' or '.join(names)} is not set" for host, names in missing.items()],
            fix="Fix: set the variable",
        )


def redirect(url: str, base_url: str | None) -> str:
    """Return where a request goes; what both paths have in common is named once."""
    if base_url is None:
        return url
    base, recorded = urlsplit(base_url), urlsplit(url)
    lead = base.path.strip("/").split("/") if base.path.strip("/") else []
    path = recorded.path.split("/")[1:]
    common = next((n for n in range(len(lead), 0, -1) if lead[-n:] == path[:n]), 0)
    whole = "/".join(["", *lead, *path[common:]])
    return urlunsplit((base.scheme, base.netloc, whole, recorded.query, ""))
