"""Where in a request or a response a secret stands, and of what kind: what redaction would hide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from aquila_cassette.model import Request
from aquila_cassette.redaction.finder import ENVIRONMENT
from aquila_cassette.redaction.forms import pairs
from aquila_cassette.redaction.names import KEPT_PREFIXES, KEPT_RECEIVED, KEPT_SENT
from aquila_cassette.redaction.spans import effective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aquila_cassette.model import Headers, Response
    from aquila_cassette.redaction.finder import Finder, Secrets
    from aquila_cassette.redaction.spans import Span

__all__ = ["Part", "SecretFinding", "findings"]

Part: TypeAlias = Literal["url", "headers", "body", "error"]
"""The part of a request or a response that something was found in."""


class SecretFinding(NamedTuple):
    """Something that redaction hides.

    Args:
        part: What it stands in.
        kind: What it is: ``a key (sk-...)``, ``the field 'api_key'``.
        name: The header's name; empty elsewhere.
        start: Where it starts, in bytes of the body; 0 elsewhere.
        end: Where it ends.
        secret: Whether it is a secret; a header may only be one that is not kept.
    """

    part: Part
    kind: str
    name: str = ""
    start: int = 0
    end: int = 0
    secret: bool = True


def findings(
    message: Request | Response,
    finder: Finder,
    keep: frozenset[str],
    env: Secrets,
    variable: Callable[[bytes], str],
) -> Iterator[SecretFinding]:
    """Find what redaction hides in `message`; nothing where it would leave it as it is.

    Args:
        message: A request or a response.
        finder: The rules in force.
        keep: The headers to keep beside the usual ones, in lower case.
        env: The secrets of the environment.
        variable: Says which variable's value bytes hold.
    """
    return _Search(finder, env, variable).message(message, keep)


class _Search:
    def __init__(self, finder: Finder, env: Secrets, variable: Callable[[bytes], str]) -> None:
        self._finder = finder
        self._env = env
        self._variable = variable

    def message(self, message: Request | Response, keep: frozenset[str]) -> Iterator[SecretFinding]:
        body, content_type = message.body, message.header("content-type") or ""
        if isinstance(message, Request):
            yield from self._url(message.url)
            yield from self._headers(message.headers, KEPT_SENT | keep, ())
            spans = self._finder.in_body(body, self._env, "sent", content_type)
        else:
            yield from self._headers(message.headers, KEPT_RECEIVED | keep, KEPT_PREFIXES)
            spans = self._finder.in_body(body, self._env, "received", content_type)
        for span in spans:
            yield SecretFinding("body", self._kind([span], body), start=span.start, end=span.end)
        if not isinstance(message, Request) and message.error is not None:
            text = message.error.message
            if self._finder.clean_text(text, self._env) != text:
                yield SecretFinding("error", self._kind_in(text))

    def _url(self, url: str) -> Iterator[SecretFinding]:
        if self._finder.clean_url(url, self._env) == url:
            return
        data = _data(url)
        query = data.find(b"?") + 1
        named = [*pairs(data, self._finder.names, "query", query)] if query else []
        # A parameter of the URL is seen as one of a link in a text, too.
        others = self._finder.in_body(data, self._env, "received")
        apart = [one for one in others if not any(_overlap(one, other) for other in named)]
        spans = [*effective(data, named), *apart]
        kinds = dict.fromkeys(self._kind([span], data) for span in spans)
        for kind in kinds or ("a user, password or fragment",):
            yield SecretFinding("url", kind)

    def _headers(
        self, headers: Headers, kept: frozenset[str], prefixes: tuple[str, ...]
    ) -> Iterator[SecretFinding]:
        for name, value in headers:
            low = name.lower()
            secret = self._finder.clean_header(low, value, self._env) != value
            if not (low in kept or (prefixes and low.startswith(prefixes))):
                yield SecretFinding("headers", f"the header {low!r}", low, secret=secret)
            elif secret:
                yield SecretFinding("headers", self._kind_in(value), low)

    def _kind_in(self, text: str) -> str:
        data = _data(text)
        return self._kind(self._finder.in_body(data, self._env, "received"), data)

    def _kind(self, spans: Iterable[Span], data: bytes) -> str:
        first = next(iter(spans), None)
        if first is None:
            return "a secret"
        if first.kind == ENVIRONMENT:
            return self._variable(data[first.start : first.end])
        return first.kind


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
